import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Controller, type MessageEvent, Module, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { concat, NEVER, of, type Observable } from 'rxjs';
import { GracefulEnd, HeraldGracefulEndModule } from '../../src/herald/graceful-end/index.js';
import { HeraldModule, ManagedSse, SseModule } from '../../src/herald/index.js';
import { EMPTY_CONNECTION } from '../fuzz/http2-frames.js';
import { CompiledProgram } from '../support/compiled-program.js';
import { textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import { form, HUB, TLS_ENVIRONMENT } from '../support/hub.js';
import { KeptAlive } from '../support/request.js';
import { connectTcp, secure } from '../support/sockets.js';
import type { StreamClient } from '../support/stream-client.js';
import { ADAPTERS, NamedUsers, TeamApp } from '../support/team-app.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

/* How an application with hubs ends, which knows of no more than the module. It is in `hosts/ending.ts`. */

/** The path of the hub that has a name. */
const ORDERS = '/orders/hub';

/** For an end that a test would never see. */
const ENDLESS = String(60 * 60_000);

/** As Nest ends a process that has got the signal, once everything is closed. */
const ENDED = { code: null, signal: 'SIGTERM' };

/** What becomes of a request whose connection is closed. */
const CUT = /socket hang up|ECONNRESET/;

const program = new CompiledProgram('test/e2e/hosts/ending.ts');

/** What Express has no HTTP/2 for. */
const WAYS = ADAPTERS.flatMap((adapter) =>
  TRANSPORTS.filter((transport) => adapter === 'Fastify' || transport !== 'http2').map(
    (transport) => [adapter, transport] as const,
  ),
);

describe.each(WAYS)('an application on %s that ends in order, over %s', (adapter, transport) => {
  async function start(env: Readonly<Record<string, string>> = {}): Promise<Herald> {
    const command = await program.command(adapter, transport);
    return startHerald({ command, env: { ...env, ...(transport !== 'http1' && TLS_ENVIRONMENT) } });
  }

  const come = (app: Herald, path = HUB): Promise<StreamClient> => comeOver(transport, app, path);

  it('lets go of one reader after the other, and of those of each hub, while everything goes on', async () => {
    await using app = await start({ WINDOW: '2000' });
    const first = await come(app);
    const second = await come(app);
    const other = await come(app, ORDERS);
    using kept = new KeptAlive(2);
    await Promise.all([publish(app, kept, 'nobody'), publish(app, kept, 'nobody')]);
    const slow = ask(app, kept, '/own/slow');
    await once(app.child, 'message');
    const ending = app.kill('SIGTERM');
    await first.until(({ ended }) => ended);
    await expect(connectTcp(app.url)).rejects.toThrow('ECONNREFUSED');
    expect(await publish(app, kept, 'urn:t')).toMatchObject({ status: 200, connection: 'close' });
    for (const reader of [second, other]) await reader.until(({ ended }) => ended);
    expect([first, second, other].map(toldTo)).toEqual([['drain'], ['news', 'drain'], ['drain']]);
    expect([first, second, other].map(({ isComplete }) => isComplete)).toEqual([true, true, true]);
    app.child.send('answer');
    expect(await slow).toEqual({ status: 200, connection: 'close', text: 'open' });
    expect(await ending).toEqual(ENDED);
  });

  it('says that it ends before it lets go, and serves everybody until then', async () => {
    await using app = await start({ DELAY: '1500' });
    const reader = await come(app);
    using kept = new KeptAlive(2);
    const ending = app.kill('SIGTERM');
    await app.waitForLog(/stopping/);
    expect(await ask(app, kept, '/own/state')).toMatchObject({ status: 200, text: 'announced' });
    const late = await come(app);
    expect(await publish(app, kept, 'urn:t')).toMatchObject({ status: 200 });
    for (const one of [reader, late]) await one.until(({ ended }) => ended);
    expect([reader, late].map(toldTo)).toEqual([
      ['news', 'drain'],
      ['news', 'drain'],
    ]);
    expect(await ending).toEqual(ENDED);
  });

  it('ends at once with the second signal', async () => {
    await using app = await start({ WINDOW: ENDLESS, PATIENCE: ENDLESS });
    const readers = [await come(app), await come(app)] as const;
    using kept = new KeptAlive(1);
    const slow = ask(app, kept, '/own/slow');
    await Promise.all([
      expect(slow).rejects.toThrow(CUT),
      once(app.child, 'message').then(() => endTwice(app, readers)),
    ]);
    expect(readers.map(toldTo)).toEqual([['drain'], ['drain']]);
    expect(readers.map(({ isComplete }) => isComplete)).toEqual([true, true]);
    expect(await app.exit()).toEqual(ENDED);
  });

  it('cuts what takes too long, and is not held up by who says nothing', async () => {
    await using app = await start({ PATIENCE: '200' });
    using kept = new KeptAlive(2);
    await ask(app, kept, '/own/state');
    const silent = await connectTcp(app.url);
    const half = await connectTcp(app.url);
    const sockets = [silent, half].map((socket) =>
      once(
        socket.resume().on('error', () => undefined),
        'close',
      ),
    );
    half.write('GET / HTTP/1.1\r\nho');
    const slow = ask(app, kept, '/own/slow');
    await Promise.all([expect(slow).rejects.toThrow(CUT), once(app.child, 'message').then(() => app.kill('SIGTERM'))]);
    expect(await app.exit()).toEqual(ENDED);
    await Promise.all(sockets);
    expect(app.logs()).toContain('1 request(s) did not finish within 200 ms and are cut off');
  });

  it('leaves nothing open when it closes without a signal', async () => {
    await using app = await start();
    const readers = [await come(app), await come(app, ORDERS)];
    using kept = new KeptAlive(1);
    await publish(app, kept, 'nobody');
    app.child.send('close');
    for (const reader of readers) await reader.until(({ ended }) => ended);
    expect(readers.map(toldTo)).toEqual([['drain'], ['drain']]);
    expect(await app.exit()).toEqual({ code: 0, signal: null });
  });
});

describe('an application that speaks HTTP/2', () => {
  const start = async (env: Readonly<Record<string, string>> = {}): Promise<Herald> =>
    startHerald({ command: await program.command('Fastify', 'http2'), env: { ...env, ...TLS_ENVIRONMENT } });

  it('says goodbye on its connections', async () => {
    await using app = await start();
    await using connection = await Http2Connection.to(app);
    await using reader = await Http2Client.subscribe(app, `${HUB}?match=*`, {}, { connection });
    await reader.until(({ hasBegun }) => hasBegun);
    const goodbye = once(connection.session, 'goaway');
    const ending = app.kill('SIGTERM');
    expect((await goodbye)[0]).toBe(0);
    await reader.until(({ ended }) => ended);
    expect([toldTo(reader), reader.isComplete]).toEqual([['drain'], true]);
    expect(await ending).toEqual(ENDED);
  });

  it('waits no longer than it may for a client that does not close its own end', async () => {
    await using app = await start({ PATIENCE: '200' });
    const socket = await secure(await connectTcp(app.url), 'h2');
    const greeting = once(socket, 'data');
    socket.write(EMPTY_CONNECTION);
    await greeting;
    // From here on it does not hear of the end.
    socket.pause();
    expect(await app.kill('SIGTERM')).toEqual(ENDED);
    socket.destroy();
  });

  it('closes those whose clients answer nothing', async () => {
    await using app = await start({ WRITE_TIMEOUT: '200' });
    const socket = await secure(await connectTcp(app.url), 'h2');
    socket.write(EMPTY_CONNECTION);
    await once(socket.resume(), 'close');
    expect(socket.destroyed).toBe(true);
  });
});

describe.each(ADAPTERS)('the end of an application on %s', (adapter) => {
  const orders = HeraldModule.forRoot({
    hubUrl: `https://team.example${ORDERS}`,
    name: 'orders',
    path: ORDERS,
    grantsResolver: NamedUsers,
    streams: { drain: { window: Number(ENDLESS) } },
  });

  it('can be begun by the application itself, which hurries then', async () => {
    await using team = await TeamApp.start(adapter, { imports: [orders, HeraldGracefulEndModule.forRoot()] });
    const end = team.app.get(GracefulEnd);
    const readers = [await team.read('match=*', { hub: ORDERS }), await team.read('match=*', { hub: ORDERS })];
    for (const reader of readers) await reader.until(({ retries }) => retries.length === 1);
    const left = end.leave();
    await readers[0]?.ended;
    end.hurry();
    await left;
    await team.app.close();
    expect(await Promise.all(readers.map(({ ended }) => ended))).toEqual([true, true]);
    expect(readers.map(({ events }) => events.map(({ data }) => data))).toEqual([
      ['{"type":"drain"}'],
      ['{"type":"drain"}'],
    ]);
  });

  it('is in order without a hub', async () => {
    @Controller('ticks')
    class TicksController {
      @Sse()
      @ManagedSse()
      ticks(): Observable<MessageEvent> {
        return concat(of({ data: 'one' }), NEVER);
      }
    }
    const module = {
      imports: [HeraldGracefulEndModule.forRoot(), SseModule.forRoot()],
      controllers: [TicksController],
    };
    await using team = await TeamApp.start(adapter, module);
    await using stream = await team.open('/ticks');
    await stream.take(1);
    await team.app.close();
    expect(await stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({ event: 'herald', data: '{"type":"drain"}' });
  });

  it('takes no time where nobody could come', async () => {
    const drain = { delay: Number(ENDLESS) };
    @Module({ imports: [SseModule.forRoot({ drain }), HeraldGracefulEndModule.forRoot()] })
    class UnheardModule {}
    const app = await NestFactory.create(
      UnheardModule,
      adapter === 'Express' ? new ExpressAdapter() : new FastifyAdapter(),
      { logger: false },
    );
    await app.init();
    await expect(app.close()).resolves.toBeUndefined();
  });
});

async function comeOver(transport: Transport, app: Herald, path: string): Promise<StreamClient> {
  const reader = await subscribeOver(transport, app, `${path}?match=urn:t`);
  return reader.until(({ hasBegun }) => hasBegun);
}

/** The second signal comes once the end has begun, and so late that it does not count as the first. */
async function endTwice(app: Herald, [first, second]: readonly [StreamClient, StreamClient]): Promise<void> {
  app.child.kill('SIGTERM');
  await first.until(({ ended }) => ended);
  await delay(150);
  app.child.kill('SIGTERM');
  await second.until(({ ended }) => ended);
}

/** What a reader was told, in order: the data of updates, and the types of notices. */
function toldTo({ events }: StreamClient): string[] {
  return events.map(({ event, data }) =>
    event === 'herald' ? (JSON.parse(data) as { readonly type: string }).type : data,
  );
}

interface Answer {
  readonly status: number | undefined;
  readonly connection: string | undefined;
  readonly text: string;
}

function ask({ url }: Herald, kept: KeptAlive, path: string): Promise<Answer> {
  return answerTo(kept.request(url + path, {}));
}

function publish({ url }: Herald, kept: KeptAlive, topic: string): Promise<Answer> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return answerTo(kept.request(url + HUB, { method: 'POST', headers }), form({ topic, data: 'news' }));
}

async function answerTo(request: ReturnType<KeptAlive['request']>, body?: string): Promise<Answer> {
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const { statusCode: status, headers } = response;
  return { status, connection: headers.connection, text: await textOf(response) };
}
