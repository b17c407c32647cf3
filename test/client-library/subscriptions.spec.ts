import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHeraldClient, type StandardSchema } from '../../client/lib/index.js';
import { Publisher, startHub } from '../support/hub.js';
import { Reader } from './reader.js';
import { refusal, ScriptedHub, status, stream, streamThatEnds } from './scripted-hub.js';

/** Takes numbers. */
const NUMBER: StandardSchema<number> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => (typeof value === 'number' ? { value } : { issues: [{ message: 'not a number' }] }),
  },
};

describe('a subscription', () => {
  it('says what becomes of it', async () => {
    await using hub = await ScriptedHub.start(stream());
    using reader = Reader.of(hub.url);
    const states: string[] = [];
    const stop = reader.read('urn:t', { onState: (state) => states.push(state) });
    expect(stop.state).toBe('pending');
    await reader.until(() => stop.state === 'live');
    stop();

    expect(states).toEqual(['live', 'ended']);
  });

  it('is refused with the words of the hub, and is live again when it is tried again', async () => {
    await using hub = await ScriptedHub.start(refusal(401, 'token-invalid'), stream());
    using reader = Reader.of(hub.url);
    const states: string[] = [];
    const stop = reader.read('urn:t', { onState: (state) => states.push(state) });
    await reader.until(() => stop.state === 'refused');
    expect(stop.error).toMatchObject({ code: 'unauthorized', status: 401, problem: { code: 'token-invalid' } });
    expect(stop.error?.message).toBe('The hub has refused the token. (401 token-invalid) The test wants it so.');
    reader.client.reconnect();
    await reader.until(() => stop.state === 'live');

    expect(stop.error).toBeUndefined();
    expect(states).toEqual(['refused', 'pending', 'live']);
  });

  it('ends with its signal', async () => {
    await using hub = await ScriptedHub.start(stream('id: 1\ntopic: urn:t\ndata: 1\n\n'));
    using reader = Reader.of(hub.url);
    const aborter = new AbortController();
    const stop = reader.read('urn:t', { signal: aborter.signal });
    const early = reader.read('urn:t', { signal: AbortSignal.abort() });
    await reader.has('1');
    aborter.abort();

    expect([stop.state, early.state]).toEqual(['ended', 'ended']);
    expect(reader.texts).toEqual(['1']);
  });

  it('gets the types that it asks for', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.read('urn:t', { type: ['a', 'b'] });
    await reader.isOpen();
    for (const type of ['a', 'c', 'b']) await publisher.publish({ topic: 'urn:t', data: type, type });
    await reader.has('b');

    expect(reader.texts).toEqual(['a', 'b']);
  });

  it('has its data checked', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const numbers: number[] = [];
    reader.client.subscribe('urn:t', ({ data }) => reader.wake(numbers.push(data)), { parse: NUMBER });
    await reader.isOpen();
    for (const data of ['1', '"two"', '3']) await publisher.publish({ topic: 'urn:t', data });
    await reader.until(() => numbers.length === 2);

    expect(numbers).toEqual([1, 3]);
    expect(reader.errors).toEqual(['data-invalid']);
  });

  it('begins with the newest of each topic, and gets a state no more often than it wants', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    for (const data of ['a1', 'b1', 'a2']) await publisher.publish({ topic: `urn:${data[0]}`, data });
    const calm: string[] = [];
    const take = ({ text }: { readonly text: string }): void => reader.wake(calm.push(text));
    reader.client.subscribe(['urn:a', 'urn:b'], take, { begin: 'latest', maxRate: 2 });
    reader.read(['urn:a', 'urn:b'], { begin: 'latest' });
    await reader.until(({ texts }) => texts.length === 2 && calm.length === 2);
    for (let n = 3; n <= 60; n += 1) await publisher.publish({ topic: 'urn:a', data: `a${n}` });
    await reader.until(({ texts }) => texts.includes('a60') && calm.includes('a60'));

    expect(reader.texts.slice(0, 2)).toEqual(['b1', 'a2']);
    expect(calm.slice(0, 2)).toEqual(['b1', 'a2']);
    expect(reader.texts).toHaveLength(60);
    expect(calm.length).toBeLessThan(30);
  });

  it('gets two publications with the same id, live and from the history', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.read('urn:t');
    await reader.isOpen();
    for (const data of ['one', 'two']) await publisher.publish({ topic: 'urn:t', data, id: 'same' });
    await reader.has('two');
    reader.read('urn:t', { since: 'earliest' });
    await reader.until(({ texts }) => texts.length === 4);

    expect(reader.texts).toEqual(['one', 'two', 'one', 'two']);
  });
});

describe('what the stream brings that nobody could take', () => {
  it('is left out when it is too large, told, and not asked for again', async () => {
    const huge = `id: 2\ntopic: urn:t\ndata: ${'x'.repeat(17 * 1024 ** 2)}\n\n`;
    const events = `id: 1\ntopic: urn:t\ndata: 1\n\n${huge}id: 3\ntopic: urn:t\ndata: 3\n\n`;
    await using hub = await ScriptedHub.start(streamThatEnds(`retry: 0\n${events}`), stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(reader.texts).toEqual(['1', '3']);
    expect(reader.gaps).toEqual(['too-large']);
    expect(reader.errors).toEqual(['too-large']);
    expect(hub.cursors).toEqual(['', '3']);
  });
});

describe('an error that nobody listens to', () => {
  const reported: unknown[] = [];

  beforeEach(() => {
    reported.length = 0;
    Object.assign(globalThis, { reportError: (error: unknown) => reported.push(error) });
  });

  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'reportError');
  });

  it('is reported to the console: a handler that throws, and what is final, but not what mends itself', async () => {
    const answers = [status(503), streamThatEnds('retry: 0\nid: 1\ntopic: urn:t\ndata: 1\n\n')];
    await using hub = await ScriptedHub.start(...answers, refusal(401, 'token-invalid'));
    const client = createHeraldClient({ url: hub.url, backoff: { min: 10, max: 10 } });
    await new Promise<void>((resolve) => {
      client.on('state', (state) => state === 'failed' && resolve());
      client.subscribe('urn:t', () => {
        throw new Error('a typo');
      });
    });
    client.dispose();

    expect(reported).toMatchObject([
      { code: 'handler-failed', message: 'A handler of the application threw: a typo' },
      { code: 'unauthorized' },
    ]);
  });
});

describe('a hub that asks to wait', () => {
  it('is left alone until then, whatever the page does', async () => {
    await using hub = await ScriptedHub.start(status(503, { 'retry-after': '1' }), stream());
    const page = new EventTarget();
    const addEventListener = page.addEventListener.bind(page);
    Object.assign(globalThis, { document: { visibilityState: 'visible' }, addEventListener });
    try {
      using reader = Reader.of(hub.url, { share: 'none' });
      reader.read('urn:t');
      await reader.until(({ client }) => client.state === 'waiting');
      for (let times = 0; times < 5; times += 1) page.dispatchEvent(new Event('visibilitychange'));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(hub.requests).toHaveLength(1);
      await reader.isOpen();
    } finally {
      Reflect.deleteProperty(globalThis, 'document');
      Reflect.deleteProperty(globalThis, 'addEventListener');
    }
  });
});

describe('what the client says for developers', () => {
  it('is on the console, without the token', async () => {
    await using hub = await ScriptedHub.start(stream());
    const said = jest.spyOn(console, 'debug').mockImplementation(() => undefined);
    using reader = Reader.of(hub.url, { debug: true, token: () => 'secret-token' });
    reader.read('urn:t');
    await reader.isOpen();
    const lines = said.mock.calls.flat().join('\n');
    said.mockRestore();

    expect(lines).toContain('herald: asks for 1 matchers');
    expect(lines).not.toContain('secret');
  });
});
