import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { CURSOR, openStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, noticesOf, Publisher, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';

/** Publishes `1` to `count`, with ids that say so. */
async function publishMany(herald: Herald, count: number, from = 1, topic = 'urn:t'): Promise<void> {
  using publisher = await Publisher.of(herald);
  const lines = Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return JSON.stringify({ topic, data: String(number), id: `urn:n:${number}` });
  });
  const response = await publisher.post(lines.join('\n'), { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
  // What comes after a batch must find all of it stored.
  await once(response.resume(), 'end');
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

function dataOf(stream: Parameters<typeof updatesOf>[0]): string[] {
  return updatesOf(stream).map(({ data }) => data);
}

const isCaughtUp = (stream: Parameters<typeof noticesOf>[0]): boolean =>
  noticesOf(stream).some(({ type }) => type === 'caught-up');

describe('resuming', () => {
  it('R65: sends everything after the id in the header, says so, and goes on live', async () => {
    await using herald = await startHub();
    await publishMany(herald, 10);
    await using stream = await subscribe(herald, { query: 'match=urn:t', headers: { 'last-event-id': 'urn:n:4' } });
    expect(stream.response.headers['mercure-last-event-id']).toBe('urn:n:4');
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(range(5, 10));
    await publishMany(herald, 3, 11);
    await stream.until((seen) => dataOf(seen).includes('13'));
    expect(dataOf(stream)).toEqual(range(5, 13));
    expect(noticesOf(stream)).toEqual([{ type: 'caught-up' }]);
  });

  it.each(['last_event_id', 'lastEventId', 'lastEventID', 'Last-Event-ID', 'evs_last_event_id'])(
    'R65: takes the id from the query as %s, and the header before it',
    async (name) => {
      await using herald = await startHub();
      await publishMany(herald, 5);
      const query = `match=urn:t&${name}=urn:n:3`;
      await using stream = await subscribe(herald, { query });
      await stream.until(isCaughtUp);
      expect(dataOf(stream)).toEqual(['4', '5']);
      await using newer = await subscribe(herald, { query, headers: { 'last-event-id': 'urn:n:4' } });
      await newer.until(isCaughtUp);
      expect(dataOf(newer)).toEqual(['5']);
    },
  );

  it('R67: sends everything that is held from the earliest', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '4' });
    await publishMany(herald, 10);
    await using stream = await subscribe(herald, { query: 'match=urn:t&last_event_id=earliest' });
    expect(stream.response.headers['mercure-last-event-id']).toBe('earliest');
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(range(7, 10));
    expect(noticesOf(stream)).toEqual([{ type: 'caught-up' }]);
  });

  it('R69: says in-band and in the header that an id is not held, and sends what is', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '3' });
    await publishMany(herald, 10);
    for (const id of ['urn:n:2', 'urn:never']) {
      await using stream = await subscribe(herald, { query: 'match=urn:t', headers: { 'last-event-id': id } });
      expect(stream.response.headers['mercure-last-event-id']).toBe('earliest');
      await stream.until(isCaughtUp);
      expect(noticesOf(stream)).toEqual([{ type: 'gap', reason: 'not-held' }, { type: 'caught-up' }]);
      expect(stream.events[0]?.event).toBe('herald');
      expect(dataOf(stream)).toEqual(['8', '9', '10']);
    }
  });

  it('R69: an empty id replays nothing, and the header has a cursor', async () => {
    await using herald = await startHub();
    await publishMany(herald, 3);
    await using stream = await subscribe(herald, { query: 'match=urn:t&last_event_id=' });
    expect(stream.response.headers['mercure-last-event-id']).toMatch(CURSOR);
    await publishMany(herald, 1, 4);
    await stream.until((seen) => dataOf(seen).length > 0);
    expect(dataOf(stream)).toEqual(['4']);
  });

  it('sends no header and no notice to who did not ask to resume', async () => {
    await using herald = await startHub();
    await publishMany(herald, 3);
    await using stream = await subscribe(herald, { query: 'match=urn:t' });
    await publishMany(herald, 1, 4);
    await stream.until((seen) => dataOf(seen).length > 0);
    expect(stream.response.headers['mercure-last-event-id']).toBeUndefined();
    expect(stream.events.map(({ data }) => data)).toEqual(['4']);
  });

  it('R68: resumes after the earliest of several updates with the same id', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    for (const [id, data] of [
      ['x', '1'],
      ['twice', '2'],
      ['y', '3'],
      ['twice', '4'],
      ['z', '5'],
    ] as const) {
      await publisher.publish({ topic: 'urn:t', id, data });
    }
    await using stream = await subscribe(herald, { query: 'match=urn:t', headers: { 'last-event-id': 'twice' } });
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(['3', '4', '5']);
  });

  it('R66: decides about each replayed private update by the token of now', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', id: 'a', data: 'public' });
    await publisher.publish({ topic: 'urn:t', id: 'b', data: 'secret', private: 'on' });
    await publisher.publish({ topic: 'urn:t', id: 'c', data: 'public too' });
    const query = 'match=urn:t&last_event_id=earliest';
    await using anonymous = await subscribe(herald, { query });
    const authorization = `Bearer ${await subscriberToken({ topics: [{ match: 'urn:t' }] })}`;
    await using granted = await subscribe(herald, { query, headers: { authorization } });
    await Promise.all([anonymous.until(isCaughtUp), granted.until(isCaughtUp)]);
    expect(dataOf(anonymous)).toEqual(['public', 'public too']);
    expect(dataOf(granted)).toEqual(['public', 'secret', 'public too']);
  });

  it('replays more than any queue would hold, also what the recent log no longer has, without a break', async () => {
    await using herald = await startHub({ HERALD_RECENT_BYTES: '64kb' });
    for (let from = 1; from <= 20_000; from += 5_000) await publishMany(herald, 5_000, from);
    await using stream = await subscribe(herald, { query: 'match=urn:t', headers: { 'last-event-id': 'urn:n:1' } });
    await publishMany(herald, 100, 20_001);
    await stream.until((seen) => seen.text.includes('data: 20100\n') && isCaughtUp(seen));
    expect(dataOf(stream)).toEqual(range(2, 20_100));
    expect(noticesOf(stream)).toEqual([{ type: 'caught-up' }]);
  });

  it('finds the few that a reader wants among many that it does not', async () => {
    await using herald = await startHub();
    await publishMany(herald, 1, 1, 'urn:rare');
    await publishMany(herald, 10_000, 2, 'urn:common');
    await publishMany(herald, 1, 20_000, 'urn:rare');
    await using stream = await subscribe(herald, { query: 'match=urn:rare&last_event_id=earliest' });
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(['1', '20000']);
  });

  it('R6, R7: takes matchers and cursor from the body of a QUERY', async () => {
    await using herald = await startHub();
    await publishMany(herald, 3);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const request = { method: 'QUERY', headers };
    const { EventStream, send } = await import('../support/event-stream.js');
    const response = await send(`${herald.url}${HUB}?match=urn:other`, request, 'match=urn:t&last_event_id=urn:n:2');
    await using stream = new EventStream(response);
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(['3']);
    const refused = await send(
      `${herald.url}${HUB}`,
      { method: 'QUERY', headers: { 'content-type': 'text/plain' } },
      'x',
    );
    expect(refused.statusCode).toBe(415);
    refused.resume();
  });

  it('R12–R15: refuses matchers that it can not hold to', async () => {
    await using herald = await startHub();
    const queries = {
      'matcher-missing': 'x=1',
      'matcher-unknown': 'match_regexp=a',
      'matcher-invalid': 'match=a%01',
      'matchers-too-many': Array.from({ length: 101 }, (_, index) => `match_urlpattern=/${index}`).join('&'),
      'matcher-too-long': `match=${'x'.repeat(4_097)}`,
    };
    for (const [code, query] of Object.entries(queries)) {
      await using refused = await openStream(`${herald.url}${HUB}?${query}`);
      await refused.ended;
      expect(refused.response.statusCode).toBe(400);
      expect(JSON.parse(refused.text)).toMatchObject({ code });
    }
  });
});
