import { describe, expect, it } from '@jest/globals';
import { type EventStream, openStream, send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { HUB, HUB_ENVIRONMENT, noticesOf, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

const REFUSED = [{ type: 'overloaded' }];

const WAYS = TRANSPORTS.flatMap((transport) =>
  [`${HUB}?match=urn:t`, '/events'].map((path) => [transport, path] as const),
);

function startOver(transport: Transport): Promise<Herald> {
  return startHub({ HERALD_MAX_CONNECTIONS: '1', ...(transport !== 'http1' && TLS_ENVIRONMENT) });
}

function noticesSeenBy({ events }: StreamClient): unknown[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as unknown);
}

/** A stream that was told that it is refused. */
async function refusedAt(herald: Herald, address = '192.0.2.1'): Promise<EventStream> {
  const stream = await openStream(`${herald.url}${HUB}?match=urn:t`, { headers: { 'x-forwarded-for': address } });
  await stream.until(() => noticesOf(stream).length > 0);
  return stream;
}

/** Milliseconds for which a client is held. */
async function heldFor(herald: Herald, address?: string): Promise<number> {
  const start = performance.now();
  const stream = await refusedAt(herald, address);
  expect(await stream.ended).toBe(true);
  expect(noticesOf(stream)).toEqual(REFUSED);
  return performance.now() - start;
}

describe('a stream that is refused', () => {
  it.concurrent.each(WAYS)(
    'is told so at once, gets nothing, and ends cleanly after a while: %s, %s',
    async (transport, path) => {
      await using herald = await startOver(transport);
      await using live = await subscribeOver(transport, herald, `${HUB}?match=urn:t`);
      await live.until(({ hasBegun }) => hasBegun);
      await using refused = await subscribeOver(transport, herald, path);
      await refused.until((client) => noticesSeenBy(client).length > 0);
      using publisher = await Publisher.of(herald);
      await publisher.publish({ topic: 'urn:t', data: 'x' });
      await live.until(({ events }) => events.length > 0);
      expect(refused.ended).toBe(false);
      await refused.until(({ isComplete }) => isComplete);
      expect(refused.status).toBe(200);
      expect(refused.events.map(({ data }) => data)).toEqual(['{"type":"overloaded"}']);
      expect(refused.cursors).toEqual([]);
      expect(live.ended).toBe(false);
    },
    30_000,
  );

  it('is held for longer each time where its client comes back at once, and others are not', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1', HERALD_TRUST_PROXY: 'true' });
    await using live = await openStream(`${herald.url}${HUB}?match=urn:t`);
    const times = [await heldFor(herald), await heldFor(herald), await heldFor(herald)];
    const other = await heldFor(herald, '192.0.2.2');
    const [first = 0, , third = 0] = times;
    // One, two and four seconds, of which each may be a second longer.
    expect([third > first, third > other]).toEqual([true, true]);
    expect(live.response.closed).toBe(false);
  }, 30_000);

  it('is held only while 2 % of the descriptors are enough for that, and ends at once when the process stops', async () => {
    const env = { ...HUB_ENVIRONMENT, HERALD_MAX_CONNECTIONS: '1' };
    await using herald = await startHerald({ env, wrapper: ['prlimit', '--nofile=300'] });
    await using live = await openStream(`${herald.url}${HUB}?match=urn:t`);
    const held = await Promise.all(Array.from({ length: 6 }, () => refusedAt(herald)));
    const others = await Promise.all(Array.from({ length: 4 }, () => refusedAt(herald)));
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([true, true, true, true]);
    expect(held.filter(({ response }) => response.closed)).toEqual([]);
    await textOf(await send(`${herald.url}/health/live`));
    herald.child.kill('SIGTERM');
    expect(await Promise.all(held.map(({ ended }) => ended))).toEqual(Array.from({ length: 6 }, () => true));
    expect(noticesOf(held[0] as EventStream)).toEqual(REFUSED);
    expect(await herald.exit()).toEqual({ code: 0, signal: null });
    expect(await live.ended).toBe(true);
  });

  it('leaves nothing behind where its client leaves first', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1', LOG_LEVEL: 'debug' });
    await using live = await openStream(`${herald.url}${HUB}?match=urn:t`);
    for (let count = 0; count < 3; count += 1) {
      for (const path of [`${HUB}?match=urn:t`, '/events']) {
        const stream = await openStream(herald.url + path);
        await stream.until(() => noticesOf(stream).length > 0);
        await stream[Symbol.asyncDispose]();
      }
    }
    await live[Symbol.asyncDispose]();
    expect(await herald.kill()).toEqual({ code: 0, signal: null });
  });
});
