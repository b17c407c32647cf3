import { once } from 'node:events';
import { mkdtemp, readdir, rm, watch } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session, type Settings } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { openStream } from '../support/event-stream.js';
import { HUB, HUB_ENVIRONMENT, Publisher, publisherToken } from '../support/hub.js';
import { Herald, startHerald } from '../support/herald.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RawClient } from '../support/raw-client.js';
import { RedisServer } from '../support/redis.js';

const CERTIFICATES = fileURLToPath(new URL('../support/certificates/', import.meta.url));
const TROUBLEMAKER = fileURLToPath(new URL('../support/troublemaker.js', import.meta.url));

const TLS = {
  HERALD_TLS_CERT_FILE: join(CERTIFICATES, 'first.crt'),
  HERALD_TLS_KEY_FILE: join(CERTIFICATES, 'first.key'),
};

const FORM = 'application/x-www-form-urlencoded';

/** A directory for a journal. `await using` takes it away. */
class Place implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'herald-lmdb-')));
  }

  get journal(): string {
    return `lmdb:${this.path}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.path, { recursive: true });
  }
}

function start(
  journal: string,
  env: Readonly<Record<string, string>> = {},
  nodeArguments: readonly string[] = [],
): Promise<Herald> {
  return startHerald({
    env: { ...HUB_ENVIRONMENT, HERALD_JOURNAL: journal, HERALD_SUBSCRIPTIONS: 'true', ...env },
    nodeArguments,
  });
}

/** The journal was closed, its lock let go of, and nothing was written but log lines. */
async function expectInOrder(herald: Herald, { path }: Place): Promise<void> {
  expect((await readdir(path)).filter((name) => name.endsWith('.sock'))).toEqual([]);
  expectLogLinesOnly(herald);
}

function expectLogLinesOnly(herald: Herald): void {
  expect(herald.errorOutput()).toBe('');
  const lines = herald.logs().split('\n');
  expect(lines.filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
}

async function connectTo(herald: Herald, settings: Settings = {}): Promise<ClientHttp2Session> {
  const session = connectHttp2(herald.url, { rejectUnauthorized: false, settings }).on('error', () => undefined);
  await once(session, 'remoteSettings');
  return session;
}

/** A session whose client gives no room to any stream's answer. */
function withoutWindow(herald: Herald): Promise<ClientHttp2Session> {
  return connectTo(herald, { initialWindowSize: 0 });
}

async function open(session: ClientHttp2Session, streamPath: string, count: number): Promise<void> {
  const streams = Array.from({ length: count }, () =>
    session.request({ ':path': streamPath }).on('error', () => undefined),
  );
  await Promise.all(streams.map((stream) => once(stream, 'response')));
}

/** Each opens what it must, and answers with what closes it in the end. */
const CLIENTS: Readonly<Record<string, (herald: Herald) => Promise<() => void>>> = {
  'HTTP/2 subscribers without a window': async (herald) => {
    const session = await withoutWindow(herald);
    await open(session, `${HUB}?match=a`, 20);
    return () => session.destroy();
  },
  'HTTP/2 readers of /events without a window': async (herald) => {
    const session = await withoutWindow(herald);
    await open(session, '/events', 20);
    return () => session.destroy();
  },
  'an HTTP/2 publication that hangs half-sent': async (herald) => {
    const session = await connectTo(herald);
    const request = session.request({
      ':method': 'POST',
      ':path': HUB,
      'content-type': FORM,
      authorization: `Bearer ${await publisherToken()}`,
    });
    request.on('error', () => undefined).write('topic=a&');
    await ping(session);
    return () => session.destroy();
  },
  'HTTP/2 streams that their client has reset': async (herald) => {
    const session = await connectTo(herald);
    const streams = Array.from({ length: 100 }, (_, index) =>
      session.request({ ':path': index % 2 ? '/events' : `${HUB}?match=a` }).on('error', () => undefined),
    );
    await Promise.all(streams.map((stream) => once(stream, 'response')));
    for (const stream of streams) stream.resume().close();
    await ping(session);
    return () => session.destroy();
  },
};

const PLAIN_CLIENTS: typeof CLIENTS = {
  'HTTP/1.1 subscribers that never read': async (herald) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.subscribe(herald, `${HUB}?match=a`)));
    await Promise.all(clients.map((client) => client.until(({ text }) => text.includes('retry:'))));
    for (const { socket } of clients) socket.pause();
    using publisher = await Publisher.of(herald);
    for (let count = 0; count < 12; count += 1) await publisher.publish({ topic: 'a', data: 'x'.repeat(900_000) });
    return () => clients.forEach(({ socket }) => socket.destroy());
  },
  'HTTP/1.1 readers of /events that never read': async (herald) => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.subscribe(herald, '/events')));
    for (const { socket } of clients) socket.pause();
    await openStream(`${herald.url}/events`).then((stream) => stream.take(200));
    return () => clients.forEach(({ socket }) => socket.destroy());
  },
  'HTTP/1.1 clients that keep their half open': async (herald) => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, index) => RawClient.subscribe(herald, index % 2 ? '/events' : `${HUB}?match=a`)),
    );
    await Promise.all(clients.map((client) => client.until(({ text }) => text.includes('retry:'))));
    return () => clients.forEach(({ socket }) => socket.destroy());
  },
  'an HTTP/1.1 publication that hangs half-sent': async (herald) => {
    const client = await RawClient.connect(herald);
    const head = ['host: x', `content-type: ${FORM}`, 'content-length: 99', 'expect: 100-continue'];
    head.push(`authorization: Bearer ${await publisherToken()}`);
    client.socket.write([`POST ${HUB} HTTP/1.1`, ...head, '', 'topic=a&'].join('\r\n'));
    await client.until(({ text }) => text.includes('100 Continue'));
    return () => client.socket.destroy();
  },
};

/** Resolves once the service has seen all that was sent before. */
function ping(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()));
  });
}

describe('SIGTERM', () => {
  it.concurrent.each(Object.keys(CLIENTS))('ends with 0 and everything closed, with TLS, with %s', async (kind) => {
    await using place = await Place.make();
    await using herald = await start(place.journal, { ...TLS, HERALD_EVENTS_INTERVAL: '20ms' });
    const close = await CLIENTS[kind]?.(herald);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    close?.();
    await expectInOrder(herald, place);
  });

  it.concurrent.each(Object.keys(PLAIN_CLIENTS))('ends with 0 and everything closed, with %s', async (kind) => {
    await using place = await Place.make();
    await using herald = await start(place.journal, { HERALD_EVENTS_INTERVAL: '20ms' });
    const close = await PLAIN_CLIENTS[kind]?.(herald);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    close?.();
    await expectInOrder(herald, place);
  });
});

describe('a signal during the start', () => {
  it.concurrent('ends the process with 0 while it waits for Redis', async () => {
    // Nobody listens there.
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: 'redis://127.0.0.1:1' } });
    await herald.waitForLog(/Redis is away: .*ECONNREFUSED/);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(herald.fatalMessages()).toEqual([]);
    expectLogLinesOnly(herald);
  });

  it.concurrent('ends the process with 0, and closes the journal that is just being opened', async () => {
    await using place = await Place.make();
    const changes = watch(place.path);
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: place.journal } });
    for await (const { filename } of changes) if (filename?.startsWith('owner-')) break;
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await expectInOrder(herald, place);
  });
});

describe('a start that fails', () => {
  it.concurrent('closes what was opened', async () => {
    await using place = await Place.make();
    await using other = await startHerald();
    await using herald = Herald.spawn({ port: other.port, env: { HERALD_JOURNAL: place.journal } });
    expect(await herald.exit()).toEqual({ code: 1, signal: null });
    expect(herald.fatalMessages()).toEqual([expect.stringContaining('another program uses this port')]);
    await expectInOrder(herald, place);
  });

  it.concurrent('is told also where the log is to be silent', async () => {
    await using other = await startHerald();
    await using herald = Herald.spawn({ port: other.port, env: { LOG_LEVEL: 'silent' } });
    expect(await herald.exit()).toEqual({ code: 1, signal: null });
    expect(herald.fatalMessages()).toHaveLength(1);
  });
});

describe('what nobody catches', () => {
  it.concurrent.each([
    ['reject', 'rejected on purpose'],
    ['reject with nothing', 'undefined'],
    ['throw', 'thrown on purpose'],
  ])('is logged, and ends the process in order with 1: %s', async (trouble, message) => {
    await using place = await Place.make();
    await using herald = await start(place.journal, {}, ['--import', TROUBLEMAKER]);
    const stream = await openStream(`${herald.url}/events`);
    await stream.take(1);
    herald.child.send(trouble);
    expect(await herald.exit()).toEqual({ code: 1, signal: null });
    expect(await stream.ended).toBe(true);
    expect(stream.events.at(-1)).toMatchObject({ event: 'herald', data: '{"type":"drain"}' });
    const fatal = herald.logLines().filter(({ level }) => level === 60);
    expect(fatal).toHaveLength(1);
    expect(fatal[0]).toMatchObject({ err: { message: expect.stringContaining(message), stack: expect.any(String) } });
    await expectInOrder(herald, place);
  });
});

describe('what others print', () => {
  it.concurrent('becomes lines of the log', async () => {
    await using place = await Place.make();
    await using herald = await start(place.journal, {}, ['--import', TROUBLEMAKER]);
    herald.child.send('warn');
    herald.child.send('print');
    await Promise.all([herald.waitForLog(/printed on purpose/), herald.waitForLog(/warned on purpose/)]);
    const lines = herald.logLines().filter(({ msg }) => String(msg).includes('on purpose'));
    expect(lines.map(({ level }) => level)).toEqual([40, 40]);
    expectLogLinesOnly(herald);
  });
});

describeWith(redisServer, 'trouble with Redis', (program) => {
  it.concurrent('is told when it begins and when it is over, and not at each attempt', async () => {
    await using redis = await RedisServer.start(program);
    await using herald = await start(redis.url);
    await redis.stop();
    await herald.waitForLog(/Redis is away/);
    using publisher = await Publisher.of(herald);
    // Refused after some attempts to connect.
    await expect(publisher.publish({ topic: 'a', data: 'x' })).rejects.toThrow(/503/);
    await redis.start();
    await herald.waitForLog(/Redis is back/);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    const told = herald.logLines().filter(({ msg }) => String(msg).startsWith('Redis is'));
    expect(told).toMatchObject([
      { level: 40, msg: expect.stringMatching(/^Redis is away: ./) },
      { level: 30, msg: expect.stringMatching(/^Redis is back after [\d.]+ s$/), lasted: expect.any(Number) },
    ]);
    expectLogLinesOnly(herald);
  });

  it.concurrent('is told in the log where the client would print it, once', async () => {
    await using redis = await RedisServer.start(program);
    const url = redis.url.replace('//', '//:hush@');
    await using herald = await start(url);
    await redis.stop();
    await herald.waitForLog(/Redis is away/);
    await redis.start();
    await herald.waitForLog(/Redis is back/);
    await herald.kill('SIGTERM');
    const told = herald.logLines().filter(({ msg }) => String(msg).includes('does not require a password'));
    expect(told).toMatchObject([{ level: 40, context: 'console' }]);
    expectLogLinesOnly(herald);
    expect(herald.logs()).not.toContain('hush');
  });
});
