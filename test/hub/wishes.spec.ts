import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventStream, openStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, noticesOf, Publisher, startHub, subscribe, TLS_ENVIRONMENT } from '../support/hub.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';
import { ask } from '../protocol/exchange.js';

function envOf(transport: Transport): Readonly<Record<string, string>> {
  return transport === 'http1' ? {} : TLS_ENVIRONMENT;
}

describe.each(TRANSPORTS)('heartbeat= over %s', (transport) => {
  it('has a quiet stream hear of the hub as often as it asked for, and no other', async () => {
    await using herald = await startHub({ ...envOf(transport), HERALD_HEARTBEAT: '0' });
    const open = (query: string) => subscribeOver(transport, herald, `${HUB}?match=urn:t&without=notices${query}`);
    await using asking = await open('&heartbeat=2');
    await using other = await open('');
    await asking.until(({ text }) => /^:\r?\n/m.test(text));
    expect(other.text).not.toMatch(/^:\r?\n/m);
    expect(asking.events).toEqual([]);
  });
});

describe('heartbeat=', () => {
  let herald: Herald;

  beforeAll(async () => (herald = await startHub({ HERALD_LEGACY: 'true' })));
  afterAll(() => herald[Symbol.asyncDispose]());

  it.each(['2', '4', '2.5', '60'])('takes %s seconds', async (seconds) => {
    const { headers, status } = await ask(herald, { query: `match=urn:t&heartbeat=${seconds}` });
    expect([status, headers['herald-heartbeat']]).toEqual([200, seconds]);
  });

  it.each(['', '0', '1', '1.999', '61', '-4', '4s', '1e1', '4.0001', '%00'])('refuses "%s"', async (seconds) => {
    for (const name of ['match', 'topic']) {
      const refusal = await ask(herald, { query: `${name}=urn:t&heartbeat=${seconds}` });
      expect(refusal).toMatchObject({ status: 400, code: 'heartbeat-invalid' });
    }
  });
});

const DIALECTS = { current: 'match', legacy: 'topic' } as const;

/** What is set, what a stream asks for, and whether it then gets notices in the current protocol and in the 0.x dialect. */
const WISHES = [
  ['on', '', true, false],
  ['on', '&with=notices', true, true],
  ['on', '&without=notices', false, false],
  ['on', '&with=topics', true, false],
  ['off', '', false, false],
  ['off', '&with=topics&with=notices', true, true],
  ['off', '&without=notices', false, false],
  ['off', '&with=notices&without=notices', true, true],
] as const;

describe('notices', () => {
  it.concurrent.each(WISHES)('with HERALD_NOTICES=%s and "%s": current %s, 0.x %s', async (setting, query, ...gets) => {
    await using herald = await startHub({ HERALD_LEGACY: 'true', HERALD_NOTICES: setting });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'missed', id: 'urn:1' });
    const streams = await Promise.all(
      Object.values(DIALECTS).flatMap((name) => [
        subscribe(herald, { query: `${name}=urn:t${query}` }),
        // Nothing is held at this place, which is told before the update.
        subscribe(herald, { query: `${name}=urn:t${query}`, headers: { 'last-event-id': 'urn:unknown' } }),
      ]),
    );
    await publisher.publish({ topic: 'urn:t', data: 'end' });
    await Promise.all(streams.map((stream) => stream.until(({ events }) => events.some(({ data }) => data === 'end'))));
    herald.child.kill('SIGTERM');
    expect(await Promise.all(streams.map(({ ended }) => ended))).toEqual([true, true, true, true]);
    const [fresh, returning, oldFresh, oldReturning] = streams.map(toldTo);
    const [told, toldReturning] = [['cursor', 'drain'], expect.arrayContaining(['gap', 'drain'])];
    expect([fresh, returning]).toEqual(gets[0] ? [told, toldReturning] : [[], []]);
    expect([oldFresh, oldReturning]).toEqual(gets[1] ? [told, toldReturning] : [[], []]);
    // Whoever gets no notice is still told when to come back.
    for (const { retries } of streams) expect(retries.length).toBeGreaterThan(1);
  });

  it('are not sent to a reader that wants none when it is refused either', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1', HERALD_LEGACY: 'true' });
    await using live = await subscribe(herald, { query: 'match=urn:t' });
    for (const query of ['match=urn:t&without=notices', 'topic=urn:t']) {
      await using refused = await subscribe(herald, { query });
      await refused.until(({ retries }) => retries.length === 2);
      expect(refused.text).toMatch(/^retry: \d+\nretry: \d+\n:\n$/);
    }
    await using told = await subscribe(herald, { query: 'topic=urn:t&with=notices' });
    await told.until(() => noticesOf(told).length > 0);
    expect(live.response.closed).toBe(false);
  });

  it('are not sent on other streams where they are off', async () => {
    await using herald = await startHub({ HERALD_NOTICES: 'off' });
    await using stream = await openStream(`${herald.url}/events`);
    await stream.take(1);
    herald.child.kill('SIGTERM');
    expect(await stream.ended).toBe(true);
    expect(noticesOf(stream)).toEqual([]);
    expect(stream.retries.length).toBe(2);
    expect(stream.text.endsWith('\n:\n')).toBe(true);
  });

  it('leave the place to a header where there are none', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'x', id: 'urn:1' });
    const query = 'match=urn:quiet&without=notices';
    await using stream = await subscribe(herald, { query, headers: { 'last-event-id': 'urn:1' } });
    await stream.until(({ retries }) => retries.length > 0);
    expect(stream.response.headers['mercure-last-event-id']).toBe('urn:1');
    expect([stream.cursors, stream.lastEventId]).toEqual([[], '']);
    await using fresh = await subscribe(herald, { query });
    await publisher.publish({ topic: 'urn:quiet', data: 'missed' });
    const place = String(fresh.response.headers['mercure-last-event-id']);
    await using again = await subscribe(herald, { query, headers: { 'last-event-id': place } });
    expect(await again.take(1)).toMatchObject([{ data: 'missed' }]);
  });
});

/** The types of its notices, in order, and `cursor` where it began with one. */
function toldTo(stream: EventStream): unknown[] {
  return [...stream.cursors.slice(0, 1).map(() => 'cursor'), ...noticesOf(stream).map(({ type }) => type)];
}
