import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PublishError, Publisher, type PublisherOptions } from '../../src/publisher/index.js';
import { BufferingProxy } from '../support/buffering-proxy.js';
import { FaultProxy } from '../support/fault-proxy.js';
import type { Herald } from '../support/herald.js';
import { heldUpdates, HUB, publisherToken, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { LineHub } from '../support/line-hub.js';
import { linkPackages } from '../support/packages.js';
import type { Target } from '../support/stream-client.js';

/** As many as one look at the history tells of. */
const MANY = Array.from({ length: 900 }, (_, number) => String(number));

async function publisherTo({ url }: Target, options: Partial<PublisherOptions> = {}): Promise<Publisher> {
  return new Publisher({ url: url + HUB, token: await publisherToken(), ...options });
}

/** What became of an update: its id, or the code of the error. */
async function outcomeOf(published: Promise<string>): Promise<string> {
  try {
    return await published;
  } catch (error) {
    return error instanceof PublishError ? error.code : String(error);
  }
}

async function until(condition: () => boolean): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- until it holds
  while (!condition()) await setImmediate();
}

function forged(): Promise<string> {
  return publisherToken({ key: 'another key for tests that is long enough' });
}

function answerAll(response: ServerResponse, lines: readonly string[]): void {
  response.write('{"id":"urn:stored"}\n'.repeat(lines.length));
}

describe('Publisher', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('publishes in order, many at a time over one connection, and each promise gets its own answer', async () => {
    await using proxy = await FaultProxy.before(herald.port);
    const publisher = await publisherTo(proxy);
    const published = MANY.map((number) =>
      outcomeOf(publisher.publish({ topic: Number(number) % 10 === 3 ? '*' : 'urn:many', id: `urn:many:${number}` })),
    );
    expect(publisher.waiting).toBe(MANY.length);
    await publisher.close();
    const ids = MANY.map((number) => (Number(number) % 10 === 3 ? 'topic-reserved' : `urn:many:${number}`));
    expect(await Promise.all(published)).toEqual(ids);
    expect((await heldUpdates(herald, 'urn:many')).map(({ id }) => id)).toEqual(
      ids.filter((id) => id.startsWith('urn')),
    );
    expect(proxy.accepted).toBe(1);
  });

  it('does not wait for an answer before it sends the next update', async () => {
    await using hub = await LineHub.start({
      line: (response, lines) => {
        if (lines.length === 1_000) answerAll(response, lines);
      },
    });
    const publisher = await publisherTo(hub);
    const published = Array.from({ length: 1_000 }, () => publisher.publish({ topic: 'urn:t' }));
    expect(new Set(await Promise.all(published))).toEqual(new Set(['urn:stored']));
    await publisher.close();
    expect([hub.requests, hub.ended]).toEqual([1, 1]);
  });

  it('publishes over TLS', async () => {
    await using secure = await startHub(TLS_ENVIRONMENT);
    const publisher = await publisherTo(secure, { tls: { rejectUnauthorized: false } });
    expect(await publisher.publish({ topic: 'urn:t', id: 'urn:1' })).toBe('urn:1');
    await publisher.close();
  });

  it('sends again under the same keys what was stored and not answered when a connection broke', async () => {
    await using proxy = await FaultProxy.before(herald.port);
    const publisher = await publisherTo(proxy);
    const first = await publisher.publish({ topic: 'urn:broken', data: 'first', key: 'urn:broken:key' });
    for (const part of [MANY.slice(0, 400), MANY.slice(400)]) {
      // The hub gets what is sent, and its answers get nowhere.
      proxy.stall();
      const published = part.map((data) => publisher.publish({ topic: 'urn:broken', data }));
      const last = part.at(-1);
      while ((await heldUpdates(herald, 'urn:broken')).at(-1)?.data !== last) await setImmediate();
      proxy.cut();
      await Promise.all(published);
    }
    const again = { topic: 'urn:broken', data: 'first', key: 'urn:broken:key' };
    expect(await publisher.publish(again)).toBe(first);
    await publisher.close();
    expect(proxy.accepted).toBe(3);
    expect((await heldUpdates(herald, 'urn:broken')).map(({ data }) => data)).toEqual(['first', ...MANY]);
  });

  it.each<NodeJS.Signals>(['SIGKILL', 'SIGTERM'])(
    'goes on when the hub comes back after a %s, with nothing lost or doubled',
    async (signal) => {
      const path = await mkdtemp(join(tmpdir(), 'herald-publisher-'));
      try {
        const env = { HERALD_JOURNAL: `lmdb:${path}` };
        await using first = await startHub(env);
        await using proxy = await FaultProxy.before(first.port);
        const publisher = await publisherTo(proxy);
        const published = MANY.map((data) => publisher.publish({ topic: 'urn:t', data }));
        await published[10];
        await first.kill(signal);
        proxy.goAway();
        await using second = await startHub(env);
        proxy.comeBack(second.port);
        const ids = await Promise.all(published);
        await publisher.close();
        const held = await heldUpdates(second, 'urn:t');
        expect([held.map(({ id }) => id), held.map(({ data }) => data)]).toEqual([ids, MANY]);
      } finally {
        await rm(path, { recursive: true });
      }
    },
  );

  it('comes back after the hub has ended an idle batch', async () => {
    await using hasty = await startHub({ HERALD_BATCH_IDLE: '100ms' });
    await using proxy = await FaultProxy.before(hasty.port);
    const publisher = await publisherTo(proxy);
    expect(await publisher.publish({ topic: 'urn:t', id: 'urn:1' })).toBe('urn:1');
    await until(() => proxy.open === 0);
    expect(await publisher.publish({ topic: 'urn:t', id: 'urn:2' })).toBe('urn:2');
    await publisher.close();
  });

  describe('asks for a token anew', () => {
    it('once the hub has refused one', async () => {
      const tokens = [await forged(), await publisherToken()];
      const publisher = await publisherTo(herald, { token: () => tokens.shift() ?? '' });
      expect(await publisher.publish({ topic: 'urn:t', id: 'urn:anew' })).toBe('urn:anew');
      await publisher.close();
    });

    it('once one has expired, and publishes on', async () => {
      const tokens: string[] = [];
      const token = async (): Promise<string> => {
        tokens.push(await publisherToken({ expires: '3s' }));
        return tokens.at(-1) ?? '';
      };
      const publisher = await publisherTo(herald, { token });
      const ids: string[] = [];
      while (tokens.length < 2) ids.push(await publisher.publish({ topic: 'urn:expired' }));
      ids.push(await publisher.publish({ topic: 'urn:expired' }));
      await publisher.close();
      expect(new Set(ids).size).toBe(ids.length);
    });

    it('but not for ever', async () => {
      let asked = 0;
      const token = (): Promise<string> => {
        asked += 1;
        return forged();
      };
      const publisher = await publisherTo(herald, { token });
      const published = [publisher.publish({ topic: 'urn:t' }), publisher.publish({ topic: 'urn:t' })];
      expect(await Promise.all(published.map(outcomeOf))).toEqual(['token-invalid', 'token-invalid']);
      expect(asked).toBe(2);
      await publisher.close();
    });
  });

  it('rejects what will not be taken later either', async () => {
    const cases: readonly [Partial<PublisherOptions>, string][] = [
      [{ token: await forged() }, 'token-invalid'],
      [{ token: 'wrong' }, 'token-malformed'],
      [{ url: `${herald.url}/nowhere` }, 'not-found'],
    ];
    for (const [options, code] of cases) {
      const publisher = await publisherTo(herald, options);
      expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe(code);
      await publisher.close();
    }
  });

  it('tries again what may be taken later', async () => {
    await using hub = await LineHub.start({
      begun: (response, number) => {
        if (number === 1) response.writeHead(503, { 'retry-after': '1' }).end();
        if (number === 2) response.writeHead(408).end();
        if (number === 3) response.end('{"error":{"code":"rate-limited","detail":"later"}}\n');
        if (number === 4) response.end('{"end":"overloaded"}\n');
      },
      line: (response) => {
        if (!response.writableEnded) response.write('{"id":"urn:stored"}\n');
      },
    });
    const publisher = await publisherTo(hub);
    expect(await publisher.publish({ topic: 'urn:t' })).toBe('urn:stored');
    expect(hub.requests).toBe(5);
    await publisher.close();
  });

  it('takes no more than there is room for, and says when there is room again', async () => {
    let letGo = (): void => undefined;
    const isFull = new Promise<void>((resolve) => (letGo = resolve));
    await using hub = await LineHub.start({
      line: (response) => void isFull.then(() => response.write('{"id":"urn:stored"}\n')),
    });
    const publisher = await publisherTo(hub);
    const published: Promise<string>[] = [];
    for (let number = 0; number < 10_000; number += 1) published.push(publisher.publish({ topic: 'urn:t' }));
    expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe('queue-full');
    const ready = publisher.ready();
    expect(await Promise.race([ready.then(() => 'ready'), setImmediate('full')])).toBe('full');
    letGo();
    await ready;
    published.push(publisher.publish({ topic: 'urn:t' }));
    expect(new Set(await Promise.all(published))).toEqual(new Set(['urn:stored']));
    await publisher.close();
  });

  it('goes on with finite batches behind a proxy that holds requests back until they are whole', async () => {
    await using proxy = await BufferingProxy.before(herald);
    const publisher = await publisherTo(proxy, { silence: 200 });
    const published = MANY.map((data) => publisher.publish({ topic: 'urn:finite', data }));
    const ids = await Promise.all(published);
    expect(publisher.usesFiniteBatches).toBe(true);
    await publisher.publish({ topic: 'urn:other' });
    await publisher.close();
    const held = await heldUpdates(herald, 'urn:finite');
    expect([held.map(({ id }) => id), held.map(({ data }) => data)]).toEqual([ids, MANY]);
  });

  describe('gives up once its patience is over', () => {
    const patience = 500;

    it('with a hub that is not there', async () => {
      const gone = await LineHub.start({});
      const publisher = await publisherTo(gone, { patience });
      await gone[Symbol.asyncDispose]();
      expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe('unreachable');
      await publisher.close();
    });

    it.each([
      ['says that it has too much to do', '{"end":"overloaded"}\n'],
      ['answers without a word', ''],
      ['answers something else', '<html>\n'],
    ])('with one that %s, which it does not ask without pause', async (_, answer) => {
      await using hub = await LineHub.start({ begun: (response) => void response.end(answer) });
      const publisher = await publisherTo(hub, { patience });
      expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe('unreachable');
      expect(hub.requests).toBeLessThan(10);
      await publisher.close();
    });

    it('with one that never has a token', async () => {
      const token = (): Promise<string> => Promise.reject(new Error('no token'));
      const publisher = await publisherTo(herald, { patience, token });
      expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe('unreachable');
      await publisher.close();
    });
  });

  it('closes once all are answered, and takes nothing after that', async () => {
    const publisher = await publisherTo(herald);
    const published = publisher.publish({ topic: 'urn:t', id: 'urn:last' });
    const closed = publisher.close();
    expect(await outcomeOf(publisher.publish({ topic: 'urn:t' }))).toBe('closed');
    await closed;
    expect([publisher.waiting, await published]).toEqual([0, 'urn:last']);
  });

  it('is what the package exports, and leaves nothing behind that keeps a process alive', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'herald-publisher-'));
    await linkPackages(folder);
    const program = `
      import { Publisher } from 'herald-hub-client/publisher';
      const publisher = new Publisher({ url: process.env.HUB, token: process.env.TOKEN });
      console.log(await publisher.publish({ topic: 'urn:t', id: 'urn:exported' }));
      await publisher.close();`;
    const env = { PATH: process.env['PATH'] ?? '', HUB: herald.url + HUB, TOKEN: await publisherToken() };
    const args = ['--input-type=module', '--eval', program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env, timeout: 20_000 });
    await rm(folder, { recursive: true });
    expect(stdout).toBe('urn:exported\n');
  });
});
