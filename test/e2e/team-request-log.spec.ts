import { describe, expect, it } from '@jest/globals';
import { Body, Controller, Get, type LoggerService, type MessageEvent, Post, Sse } from '@nestjs/common';
import { concat, NEVER, of, type Observable } from 'rxjs';
import { HeraldModule, ManagedSse } from '../../src/herald/index.js';
import {
  HeraldRequestLogModule,
  type RequestLevel,
  type RequestLine,
  type RequestLogOptions,
} from '../../src/herald/request-log/index.js';
import { send, textOf } from '../support/event-stream.js';
import { HUB } from '../support/hub.js';
import { type Adapter, ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';

/* The log of requests in an application, of which it is told that nothing secret is in it. */

const AT = 'https://team.example';
const ORDERS = '/orders/hub';
const SECRET = 'hunter2';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

/** An id that Herald has made. */
const MADE = /^[\w-]{12}-[\da-z]+$/;

@Controller('own')
class OwnController {
  @Get()
  get(): string {
    return 'fine';
  }

  @Get('fails')
  fails(): never {
    throw new Error('on purpose');
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return { body };
  }

  @Sse('ticks')
  @ManagedSse()
  ticks(): Observable<MessageEvent> {
    return concat(of({ data: 'one' }), NEVER);
  }
}

@Controller('health')
class HealthController {
  @Get('live')
  live(): string {
    return 'up';
  }
}

/** The lines that came, and at which level. */
class Lines {
  readonly all: RequestLine[] = [];
  readonly levels: RequestLevel[] = [];
  private wakeUp = (): void => undefined;

  readonly write = (line: RequestLine, level: RequestLevel): void => {
    this.all.push(line);
    this.levels.push(level);
    this.wakeUp();
  };

  /** They come when the answer is out, which whoever has asked may know before. */
  async take(count: number): Promise<readonly RequestLine[]> {
    while (this.all.length < count) await new Promise<void>((resolve) => (this.wakeUp = resolve));
    return this.all;
  }
}

function start(
  adapter: Adapter,
  options: RequestLogOptions,
  configure?: Parameters<typeof TeamApp.start>[2],
): Promise<TeamApp> {
  const hub = HeraldModule.forRoot({ hubUrl: AT + HUB, grantsResolver: NamedUsers });
  const orders = HeraldModule.forRoot({
    hubUrl: AT + ORDERS,
    name: 'orders',
    path: ORDERS,
    grantsResolver: NamedUsers,
  });
  const module = {
    imports: [hub, orders, HeraldRequestLogModule.forRoot(options)],
    controllers: [OwnController, HealthController],
  };
  return TeamApp.start(adapter, module, configure);
}

describe.each(ADAPTERS)('the log of requests of an application on %s', (adapter) => {
  it('has a line for each answer, whoever gives it, and never a query or a header', async () => {
    const lines = new Lines();
    await using team = await start(adapter, { write: lines.write });
    const headers = { authorization: `Bearer ${SECRET}`, cookie: `session=${SECRET}` };
    for (const path of ['/own', '/own/fails', '/nothing', HUB, ORDERS]) {
      await team.ask(`${path}?token=${SECRET}`, { headers });
    }
    const json = { 'content-type': 'application/json' };
    await team.ask('/own/echo', { method: 'POST', headers: json, body: '{' });
    await team.publish({ topic: 'urn:t', data: SECRET }, { hub: ORDERS });
    const told = (await lines.take(7)).map(({ method, path, status }) => `${method} ${path} ${status}`);
    expect(told).toEqual([
      'GET /own 200',
      'GET /own/fails 500',
      'GET /nothing 404',
      `GET ${HUB} 401`,
      `GET ${ORDERS} 401`,
      'POST /own/echo 400',
      `POST ${ORDERS} 200`,
    ]);
    expect(lines.all[0]).toEqual({
      requestId: expect.stringMatching(MADE),
      traceId: undefined,
      method: 'GET',
      path: '/own',
      status: 200,
      ms: expect.any(Number),
      address: '127.0.0.1',
      msg: 'request',
    });
    expect(JSON.stringify(lines.all)).not.toContain(SECRET);
  });

  it('has no more than the path of a target that is a URL, or has a fragment', async () => {
    const lines = new Lines();
    await using team = await start(adapter, { write: lines.write });
    const url = await team.app.getUrl();
    for (const path of [`http://ann:${SECRET}@team.example/own?token=${SECRET}`, `/own#token=${SECRET}`]) {
      await textOf(await send(url, { path }));
    }
    expect((await lines.take(2)).map(({ path }) => path)).toEqual(['/own', '/own']);
    expect(JSON.stringify(lines.all)).not.toContain(SECRET);
  });

  it('has those alone that were refused or have failed, where that is all that is wanted', async () => {
    const lines = new Lines();
    await using team = await start(adapter, { log: 'errors', write: lines.write });
    for (const path of ['/own', '/own/fails', '/own', '/nothing']) await team.ask(path);
    expect((await lines.take(2)).map(({ status }) => status)).toEqual([500, 404]);
  });

  it('has no line for a stream', async () => {
    const lines = new Lines();
    await using team = await start(adapter, { write: lines.write });
    {
      await using stream = await team.read();
      await stream.until(({ retries }) => retries.length === 1);
    }
    // These end in order, and so have answers that are over.
    await using stays = await team.read('match=*', { hub: ORDERS });
    await using ticks = await team.open('/own/ticks');
    await ticks.take(1);
    await team.ask('/own');
    await team.app.close();
    expect(await Promise.all([stays.ended, ticks.ended])).toEqual([true, true]);
    expect(lines.all.map(({ path }) => path)).toEqual(['/own']);
  });

  it('names requests by the ids that they bring, where those are valid, and their answers have them', async () => {
    const lines = new Lines();
    await using team = await start(adapter, { write: lines.write });
    const named = await team.ask('/own', { headers: { 'x-request-id': 'mine', traceparent: TRACEPARENT } });
    expect(named.headers).toMatchObject({ 'x-request-id': 'mine', traceparent: TRACEPARENT });
    const invalid = ['x'.repeat(129), 'a b', '{"level":60}', '<script>'];
    for (const id of invalid) {
      const { headers } = await team.ask('/nothing', { headers: { 'x-request-id': id, traceparent: '00-nothing' } });
      expect(headers['x-request-id']).toMatch(MADE);
      expect(headers).not.toHaveProperty('traceparent');
    }
    const [first, ...others] = await lines.take(1 + invalid.length);
    expect(first).toMatchObject({ requestId: 'mine', traceId: TRACE });
    for (const { requestId, traceId } of others)
      expect([requestId, traceId]).toEqual([expect.stringMatching(MADE), undefined]);
    await using stream = await team.read('match=*', { headers: { 'x-request-id': 'my-stream' } });
    expect(stream.response.headers).toMatchObject({ 'x-request-id': 'my-stream' });
  });

  it('is Nest’s own where nothing else is said, with less of what comes every few seconds', async () => {
    const told: unknown[] = [];
    let wakeUp = (): void => undefined;
    const logger: LoggerService = {
      log: (message: unknown, context: unknown) => context === 'RequestLog' && tell('log', message),
      debug: (message: unknown, context: unknown) => context === 'RequestLog' && tell('debug', message),
      warn: () => undefined,
      error: () => undefined,
    };
    function tell(level: string, message: unknown): void {
      told.push([level, message]);
      wakeUp();
    }
    await using team = await start(adapter, {}, (app) => app.useLogger(logger));
    await team.ask('/health/live');
    await team.ask('/own', { headers: { traceparent: TRACEPARENT } });
    while (told.length < 2) await new Promise<void>((resolve) => (wakeUp = resolve));
    const line = { requestId: expect.any(String), method: 'GET', status: 200, ms: expect.any(Number), msg: 'request' };
    expect(told).toEqual([
      ['debug', { ...line, path: '/health/live', address: '127.0.0.1' }],
      ['log', { ...line, path: '/own', address: '127.0.0.1', traceId: TRACE }],
    ]);
  });

  it('has the level that the application says, and what fails in writing harms nobody', async () => {
    const lines = new Lines();
    const options: RequestLogOptions = {
      level: (path) => (path === '/own' ? 'debug' : 'info'),
      write: (line, level) => {
        lines.write(line, level);
        throw new Error('the disk is full');
      },
    };
    await using team = await start(adapter, options);
    expect(await team.ask('/own')).toMatchObject({ status: 200, text: 'fine' });
    expect(await team.ask('/own?again')).toMatchObject({ status: 200 });
    expect(await team.ask('/nothing')).toMatchObject({ status: 404 });
    await lines.take(3);
    expect(lines.levels).toEqual(['debug', 'debug', 'info']);
    expect(team.log.errors).toHaveLength(3);
  });
});
