import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  Headers,
  HttpException,
  Inject,
  type MessageEvent,
  Module,
  Param,
  Sse,
} from '@nestjs/common';
import { HttpAdapterHost, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Observable } from 'rxjs';
import { HeraldModule, HubService, JournalFullError, JournalUnavailableError } from '../../src/herald/index.js';
import { openStream, send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';

/** Routes of a team that calls the hub from its own code. */
@Controller('team')
class TeamController {
  constructor(@Inject(HubService) private readonly hub: HubService) {}

  @Get('publish/:topic')
  async publish(@Param('topic') topic: string): Promise<string> {
    return this.hub.publish({ topic, data: { from: 'the team' } });
  }

  @Get('failing/:how')
  failing(@Param('how') how: string): never {
    if (how === 'away')
      throw new JournalUnavailableError('It is away: try again later.', { cause: new Error('secret') });
    if (how === 'full') throw new JournalFullError('There is no room.');
    throw new TypeError('a bug');
  }

  /** Resumes from the hub's log, in whatever way the application lets its users in. */
  @Sse('orders')
  orders(@Headers('last-event-id') id?: string): Observable<MessageEvent> {
    return this.hub.updates('urn:orders').after(id);
  }
}

@Module({
  imports: [
    HeraldModule.forRoot({ hubUrl: new URL('https://hub.example/.well-known/mercure'), auth: { anonymous: true } }),
  ],
  controllers: [TeamController],
})
class TeamModule {}

/** As Nest's documentation has it. */
@Catch()
class CatchEverything implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const context = host.switchToHttp();
    const status = exception instanceof HttpException ? exception.getStatus() : 500;
    this.host.httpAdapter.reply(context.getResponse(), { statusCode: status, by: 'the team' }, status);
  }
}

describe('an application that calls the hub from its own code', () => {
  let app: NestFastifyApplication;
  let url: string;

  beforeEach(async () => {
    app = await NestFactory.create<NestFastifyApplication>(TeamModule, new FastifyAdapter(), {
      bodyParser: false,
      logger: false,
      forceCloseConnections: true,
    });
  });
  afterEach(() => app.close());

  async function start(): Promise<void> {
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  }

  async function ask(path: string): Promise<{ readonly status: number | undefined; readonly body: unknown }> {
    const response = await send(url + path);
    return { status: response.statusCode, body: JSON.parse(await textOf(response)) as unknown };
  }

  it('has its own filter answer what the hub and its journal refuse, with the right status', async () => {
    app.useGlobalFilters(new CatchEverything(app.get(HttpAdapterHost)));
    await start();
    const by = 'the team';
    expect(await ask('/team/publish/*')).toEqual({ status: 400, body: { statusCode: 400, by } });
    expect(await ask('/team/failing/away')).toEqual({ status: 503, body: { statusCode: 503, by } });
    expect(await ask('/team/failing/full')).toEqual({ status: 507, body: { statusCode: 507, by } });
    expect(await ask('/team/failing/else')).toEqual({ status: 500, body: { statusCode: 500, by } });
    expect((await ask(`${HUB}?match=a&last=none`)).status).toBe(400);
  });

  it('answers with a problem document where it has no filter', async () => {
    await start();
    expect(await ask('/team/publish/*')).toMatchObject({ status: 400, body: { status: 400, code: 'topic-reserved' } });
    const away = await ask('/team/failing/away');
    expect(away).toMatchObject({ status: 503, body: { code: 'journal-unavailable', title: 'Service Unavailable' } });
    expect(JSON.stringify(away)).not.toContain('secret');
  });

  it('gives its users the updates on a route of its own, which resumes', async () => {
    await start();
    const hub = app.get(HubService, { strict: false });
    const publish = (...ids: string[]): Promise<unknown> =>
      hub.publishBatch(ids.map((id) => ({ topic: 'urn:orders', id, data: { id }, type: 'order' })));
    await publish('urn:1');
    const first = await openStream(`${url}/team/orders`);
    while (hub.counts.cohorts === 0) await new Promise(setImmediate);
    await publish('urn:2', 'urn:3');
    await first.until(({ events }) => events.length === 2);
    expect(first.events.map(({ id, event, data }) => [id, event, data])).toEqual([
      ['urn:2', 'order', '{"id":"urn:2"}'],
      ['urn:3', 'order', '{"id":"urn:3"}'],
    ]);
    await first[Symbol.asyncDispose]();
    while (hub.counts.cohorts > 0) await new Promise(setImmediate);
    await publish('urn:4');
    const second = await openStream(`${url}/team/orders`, { headers: { 'last-event-id': 'urn:2' } });
    await second.until(({ events }) => events.length === 2);
    expect(second.events.map(({ id }) => id)).toEqual(['urn:3', 'urn:4']);
    await second[Symbol.asyncDispose]();
  });

  it('does what administrators do', async () => {
    await start();
    const hub = app.get(HubService, { strict: false });
    const streams = await Promise.all(['a', 'b'].map((topic) => openStream(`${url}${HUB}?match=${topic}`)));
    const { connections, total, next } = hub.connections({ limit: 1 });
    expect([connections.map(({ id, matcherCount }) => [id, matcherCount]), total, next]).toEqual([[[1, 1]], 2, 1]);
    expect(hub.connections({ after: next }).connections.map(({ id }) => id)).toEqual([2]);
    expect(hub.connection(2)).toMatchObject({ id: 2, matchers: [{ pattern: 'b' }] });
    expect(hub.connection(3)).toBeUndefined();
    expect(hub.disconnect({ subject: 'nobody' })).toBe(0);
    expect(hub.disconnect({ connection: 1 })).toBe(1);
    expect(await streams[0]?.ended).toBe(true);
    expect(() => hub.disconnect({})).toThrow(expect.objectContaining({ code: 'criteria-missing' }));
    expect(() => hub.disconnect({ subject: undefined })).toThrow(expect.objectContaining({ code: 'criteria-missing' }));

    await expect(hub.revoke({})).rejects.toMatchObject({ code: 'criteria-missing' });
    expect(await hub.revoke({ subject: 'nobody' })).toBe(0);

    for (const id of ['1', '2', '3', '4', '5']) {
      await hub.publish({ topics: [`urn:${id}`, 'https://example.com/x'], id: `urn:id:${id}` });
    }
    expect(await hub.purge({ ids: ['urn:id:1', 'urn:unknown'], topics: 'urn:2' })).toBe(2);
    expect((await hub.history('*')).updates.map(({ id }) => id)).toEqual(['urn:id:5', 'urn:id:4', 'urn:id:3']);
    expect(await hub.purge({ pattern: 'https://example.com/*' })).toBe(3);
    await expect(hub.purge({})).rejects.toMatchObject({ code: 'criteria-missing' });
    await expect(hub.purge({ topics: ['a', '*'] })).rejects.toMatchObject({ code: 'criteria-invalid' });
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
  });
});
