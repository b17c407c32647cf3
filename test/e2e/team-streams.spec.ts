import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  type MessageEvent,
  Module,
  type NestInterceptor,
  NotFoundException,
  Param,
  type PipeTransform,
  Scope,
  Sse,
  UseInterceptors,
} from '@nestjs/common';
import { NestFactory, REQUEST } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { concat, from, map, NEVER, type Observable, of, Subject, throwError, timer } from 'rxjs';
import { openStream, send, textOf } from '../support/event-stream.js';
import { SseModule, StreamRegistry } from '../../src/herald/index.js';

const LATER = 30;

function later<T>(value: () => T): Promise<T> {
  return setTimeout(LATER).then(value);
}

@Injectable()
class SlowPipe implements PipeTransform {
  transform(value: string): Promise<string> {
    return later(() => {
      if (value === 'bad') throw new NotFoundException('no such room');
      return value;
    });
  }
}

@Injectable()
class Shout implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<MessageEvent>): Observable<MessageEvent> {
    return next.handle().pipe(map((event) => (event.data ? { ...event, data: `${event.data as string}!` } : event)));
  }
}

const failing = new Subject<MessageEvent>();

/** Streams as a team that uses Herald's modules would write them. */
/** A message whose fields are no properties of its own. */
class Changed implements MessageEvent {
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  get type(): string {
    return 'changed';
  }

  get data(): string {
    return this.#what;
  }
}

@Controller('team')
class TeamController {
  @Sse('late-failure')
  lateFailure(): Promise<Observable<MessageEvent>> {
    return later(() => {
      throw new NotFoundException('no such stream');
    });
  }

  @Sse('rooms/:room')
  room(@Param('room', SlowPipe) room: string): Observable<MessageEvent> {
    return concat(of({ data: room }), NEVER);
  }

  @Sse('sync-failure')
  syncFailure(): Observable<MessageEvent> {
    return throwError(() => new NotFoundException('nothing here'));
  }

  @Sse('ids')
  ids(): Observable<MessageEvent> {
    return concat(from([{ data: 'a' }, { data: 'b', id: '7' }, { data: 'c' }, { type: 't', data: 'd' }]), NEVER);
  }

  @Sse('asides')
  asides(): Observable<MessageEvent> {
    return concat(from([{ comment: 'hi' }, { retry: 5_000 }, new Changed('x')]), NEVER);
  }

  @Sse('breaks')
  breaks(): Observable<MessageEvent> {
    return failing;
  }

  @Sse('strings')
  strings(): Observable<string> {
    return concat(of('one', 'two'), NEVER);
  }

  @Sse('shout')
  @UseInterceptors(Shout)
  shout(): Observable<MessageEvent> {
    return concat(of({ data: 'hey' }), timer(LATER).pipe(map(() => ({ data: 'you' }))), NEVER);
  }

  @Get('plain')
  plain(): string {
    return 'no stream';
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  constructor(@Inject(REQUEST) private readonly request: { url: string }) {}

  @Sse('stream')
  stream(): Observable<MessageEvent> {
    return concat(of({ data: this.request.url }), NEVER);
  }
}

@Module({
  imports: [SseModule.forRoot({ heartbeat: 60, maxAge: 0, writeTimeout: 30_000, handlers: 'all' })],
  controllers: [TeamController, ScopedController],
})
class TeamModule {}

describe('SseModule in an application of its own', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeEach(async () => {
    app = await NestFactory.create<NestFastifyApplication>(TeamModule, new FastifyAdapter(), {
      logger: false,
      forceCloseConnections: true,
    });
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterEach(() => app.close());

  it.each(['late-failure', 'rooms/bad', 'sync-failure'])(
    'lets %s answer with its own status, however late it fails',
    async (path) => {
      const response = await send(`${url}/team/${path}`);
      expect(response.statusCode).toBe(404);
      expect(response.headers['content-type']).toMatch(/^application\/json/);
      expect(await textOf(response)).toMatch(/no such|nothing here/);
      expect(app.get(StreamRegistry).size).toBe(0);
    },
  );

  it.each(['team/rooms/42', 'team/ids', 'team/strings', 'team/shout', 'scoped/stream'])(
    'gives %s a retry first, its events and heartbeats',
    async (path) => {
      await using stream = await openStream(`${url}/${path}`);
      await stream.until(({ events, comments }) => events.length > 0 && comments.length > 2);
      expect(stream.text).toMatch(/^retry: \d+\n:\n/);
      for (const block of stream.text.split('\n\n').slice(0, -1)) expect(block).toMatch(/^data: /m);
      expect(stream.retries).toHaveLength(1);
    },
  );

  it('keeps ids that the handler gives and never makes one up', async () => {
    await using fresh = await openStream(`${url}/team/ids`);
    expect((await fresh.take(4)).map(({ id = '' }) => id)).toEqual(['', '7', '7', '7']);
    await using resumed = await openStream(`${url}/team/ids`, { headers: { 'last-event-id': 'held' } });
    expect((await resumed.take(4)).map(({ id }) => id)).toEqual(['held', '7', '7', '7']);
  });

  it('makes no empty messages of comments and times to wait, and takes a message that is made by a class', async () => {
    await using stream = await openStream(`${url}/team/asides`);
    expect(await stream.take(1)).toMatchObject([{ event: 'changed', data: 'x' }]);
    for (const block of stream.text.split('\n\n').slice(0, -1)) expect(block).toMatch(/^data: /m);
  });

  it("leaves a route's own interceptors their say", async () => {
    await using stream = await openStream(`${url}/team/shout`);
    expect((await stream.take(2)).map(({ data }) => data)).toEqual(['hey!', 'you!']);
  });

  it('passes parameters, and handlers that are no streams are as they were', async () => {
    await using stream = await openStream(`${url}/team/rooms/blue`);
    expect(await stream.take(1)).toMatchObject([{ data: 'blue' }]);
    expect(await textOf(await send(`${url}/team/plain`))).toBe('no stream');
  });

  it('ends a stream whose handler fails after the headers, and says no more than it should', async () => {
    await using stream = await openStream(`${url}/team/breaks`);
    await stream.until(({ retries }) => retries.length > 0);
    failing.error(new Error('the password is hunter2'));
    expect(await stream.ended).toBe(true);
    expect(stream.events).toMatchObject([{ event: 'error', data: 'Internal server error' }]);
    expect(stream.events[0]?.id ?? '').toBe('');
  });

  it('does not hold up the end of the application, and ends its streams cleanly', async () => {
    const streams = await Promise.all(['team/ids', 'scoped/stream'].map((path) => openStream(`${url}/${path}`)));
    await Promise.all(streams.map((stream) => stream.take(1)));
    expect(app.get(StreamRegistry).size).toBe(2);
    await app.close();
    expect(await Promise.all(streams.map((stream) => stream.ended))).toEqual([true, true]);
    for (const stream of streams) expect(stream.events.at(-1)).toMatchObject({ event: 'herald' });
    expect(app.get(StreamRegistry).size).toBe(0);
  });
});
