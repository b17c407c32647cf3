import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { type EventStream, openStream, send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { HUB, HUB_ENVIRONMENT, noticesOf, Publisher, startHub, subscriberToken } from '../support/hub.js';

const PATHS = [`${HUB}?match=*`, '/events'];

async function come(herald: Herald, path: string, subject?: string): Promise<EventStream> {
  const authorization = subject === undefined ? undefined : `Bearer ${await subscriberToken({ subject })}`;
  return openStream(herald.url + path, { headers: { ...(authorization && { authorization }) } });
}

/** A native `EventSource` gives up for good on any status but 200. When it ends, `refused.spec.ts` shows. */
async function expectRefusal(stream: EventStream): Promise<void> {
  await stream.until(() => noticesOf(stream).length > 0);
  expect(stream.response.statusCode).toBe(200);
  expect(stream.response.headers['content-type']).toMatch(/^text\/event-stream/);
  expect(noticesOf(stream)).toEqual([{ type: 'overloaded' }]);
  expect(stream.retries.length).toBeGreaterThan(0);
  expect(stream.retries.every((retry) => retry >= 1_000)).toBe(true);
}

async function expectWelcome(stream: EventStream): Promise<EventStream> {
  await stream.until(({ retries }) => retries.length > 0);
  expect(noticesOf(stream)).toEqual([]);
  return stream;
}

/** The service hears of a connection's end a moment after the client has let go of it. */
async function comeUntilWelcome(herald: Herald, path: string, subject?: string): Promise<EventStream> {
  for (let attempts = 0; attempts < 200; attempts += 1) {
    const stream = await come(herald, path, subject);
    // The welcome of a subscription is its first line alone; what is refused has been told so by the time of the next answer.
    await stream.until(({ retries }) => retries.length > 0);
    await textOf(await send(`${herald.url}/health/live`));
    if (noticesOf(stream).length === 0 && !stream.response.closed) return stream;
    await stream[Symbol.asyncDispose]();
  }
  throw new Error('there is no room again');
}

describe('admission', () => {
  it.each(PATHS)('limits all connections together: %s', async (path) => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '2' });
    await using first = await expectWelcome(await come(herald, path));
    await using second = await expectWelcome(await come(herald, PATHS[0] ?? ''));
    for (const other of PATHS) {
      await using refused = await come(herald, other);
      await expectRefusal(refused);
    }
    // Other requests are answered as ever, and those who are there get what is new.
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: 'x' });
    await second.until(({ events }) => events.some(({ data }) => data === 'x'));
    await first[Symbol.asyncDispose]();
    await using again = await comeUntilWelcome(herald, path);
    await using refused = await come(herald, path);
    await expectRefusal(refused);
    expect(again.response.closed).toBe(false);
  });

  it.each(PATHS)(
    'limits the connections of one address, as far as proxies are trusted to tell it: %s',
    async (path) => {
      await using herald = await startHub({ HERALD_MAX_CONNECTIONS_PER_ADDRESS: '1', HERALD_TRUST_PROXY: 'true' });
      const from = (address: string) => openStream(herald.url + path, { headers: { 'x-forwarded-for': address } });
      await using first = await expectWelcome(await from('192.0.2.1'));
      await using other = await expectWelcome(await from('192.0.2.2'));
      await using refused = await from('192.0.2.1');
      await expectRefusal(refused);
      expect([first.response.closed, other.response.closed]).toEqual([false, false]);
    },
  );

  it.each(PATHS)('limits the connections of one subject, and not of those without: %s', async (path) => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS_PER_SUBJECT: '1', HERALD_PROTECT_EVENTS: 'true' });
    await using first = await expectWelcome(await come(herald, path, 'ann'));
    await using other = await expectWelcome(await come(herald, path, 'bob'));
    await using anonymous = await expectWelcome(await come(herald, path));
    await using anonymousToo = await expectWelcome(await come(herald, path));
    await using refused = await come(herald, path, 'ann');
    await expectRefusal(refused);
    await first[Symbol.asyncDispose]();
    await using again = await comeUntilWelcome(herald, path, 'ann');
    for (const stream of [other, anonymous, anonymousToo, again]) expect(stream.response.closed).toBe(false);
  });

  it('leaves room for others: streams take a part of what the limit on open files leaves, and sockets no more', async () => {
    // 200 files leave 100 sockets, and these 90 streams.
    await using herald = await startHerald({ env: HUB_ENVIRONMENT, wrapper: ['prlimit', '--nofile=200'] });
    const streams: EventStream[] = [];
    for (let count = 0; count < 90; count += 1) streams.push(await expectWelcome(await come(herald, PATHS[0] ?? '')));
    await using refused = await come(herald, PATHS[0] ?? '');
    await expectRefusal(refused);
    expect((await send(`${herald.url}/health/ready`)).statusCode).toBe(200);
    const sockets = Array.from({ length: 40 }, () => connect(herald.port, '127.0.0.1').on('error', () => undefined));
    await herald.waitForLog(/idle connections are closed, because others need their places/);
    expect((await send(`${herald.url}/health/ready`)).statusCode).toBe(200);
    for (const socket of sockets) socket.destroy();
    for (const stream of streams) await stream[Symbol.asyncDispose]();
  });

  it('refuses in the same way who resumes, without a word of what was missed', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1' });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:a', data: 'x' });
    await using first = await expectWelcome(await come(herald, PATHS[0] ?? ''));
    await using refused = await come(herald, `${HUB}?match=*&last_event_id=earliest`);
    await expectRefusal(refused);
    expect(refused.events).toHaveLength(1);
    expect(first.response.closed).toBe(false);
  });
});
