import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CURSOR, EventStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, noticesOf, publisherToken, startHub, subscribe } from '../support/hub.js';
import { DIALECTS, startBilingualHub } from './dialects.js';
import { ask, bearer, dataOf, isCaughtUp, publish } from './exchange.js';

/** Publishes `1` to `count`, with ids that say so, in batches. */
async function publishMany(herald: Herald, topic: string, count: number): Promise<void> {
  const token = await publisherToken();
  for (let from = 1; from <= count; from += 5_000) {
    const lines = Array.from({ length: Math.min(5_000, count - from + 1) }, (_, index) =>
      JSON.stringify({ topic, data: String(from + index), id: `${topic}:${from + index}` }),
    );
    const headers = { 'content-type': 'application/x-ndjson' };
    const body = lines.join('\n');
    const { text } = await ask(herald, { method: 'POST', path: `${HUB}/batch`, token, headers, body });
    expect(text).not.toContain('error');
  }
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe.each(DIALECTS)(
  'resuming in the $dialect dialect',
  ({ parameter, cursor, cursorHeader, publisher, subscriber }) => {
    let herald: Herald;
    let token: string;

    beforeAll(async () => {
      herald = await startBilingualHub();
      token = await publisher();
    });
    afterAll(() => herald[Symbol.asyncDispose]());

    async function seed(
      topic: string,
      ...updates: readonly [id: string, data: string, isPrivate?: string][]
    ): Promise<void> {
      for (const [id, data, isPrivate] of updates) {
        const fields = { topic, id, data, ...(isPrivate && { private: 'on' }) };
        expect((await publish(herald, fields, token)).status).toBe(200);
      }
    }

    async function resumed(
      topic: string,
      id: string,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<EventStream> {
      const query = `${parameter}=${topic}&with=notices&${cursor}=${encodeURIComponent(id)}`;
      return (await subscribe(herald, { query, headers })).until(isCaughtUp);
    }

    it('R64: every update has an id, the publisher’s or the hub’s', async () => {
      await using stream = await subscribe(herald, { query: `${parameter}=urn:r64&with=notices` });
      const ids = [
        (await publish(herald, 'topic=urn:r64&id=urn:r64:1', token)).text,
        (await publish(herald, 'topic=urn:r64', token)).text,
        (await publish(herald, 'topic=urn:r64', token)).text,
      ];
      expect((await stream.take(3)).map(({ id }) => id)).toEqual(ids);
      expect(new Set(ids).size).toBe(3);
    });

    it('R65: the cursor is taken from the query and from the header, and the header’s wins', async () => {
      await seed('urn:r65', ['urn:r65:1', '1'], ['urn:r65:2', '2'], ['urn:r65:3', '3']);
      await using byQuery = await resumed('urn:r65', 'urn:r65:1');
      expect(dataOf(byQuery)).toEqual(['2', '3']);
      await using byHeader = await subscribe(herald, {
        query: `${parameter}=urn:r65&with=notices`,
        headers: { 'last-event-id': 'urn:r65:2' },
      });
      await byHeader.until(isCaughtUp);
      expect(dataOf(byHeader)).toEqual(['3']);
      await using byBoth = await resumed('urn:r65', 'urn:r65:1', { 'last-event-id': 'urn:r65:2' });
      expect(dataOf(byBoth)).toEqual(['3']);
      expect(byBoth.response.headers[cursorHeader]).toBe('urn:r65:2');
    });

    it('R65: of several ids in the header the last counts, and nothing comes twice', async () => {
      await seed('urn:r65:l', ['urn:r65:l1', '1'], ['urn:r65:l2', '2'], ['urn:r65:l3', '3']);
      for (const given of [
        'urn:r65:l1, urn:r65:l2',
        ['urn:r65:l1', 'urn:r65:l2'],
        'urn:r65:l3,  urn:r65:l1, urn:r65:l2',
        ['urn:r65:l2', ''],
      ]) {
        const headers = { 'last-event-id': given };
        const response = await send(`${herald.url}${HUB}?${parameter}=urn:r65:l&with=notices`, { headers });
        await using stream = await new EventStream(response).until(isCaughtUp);
        expect([dataOf(stream), response.headers[cursorHeader]]).toEqual([['3'], 'urn:r65:l2']);
      }
    });

    it('R65: a comma alone separates nothing, because an id may have one', async () => {
      await seed('urn:r65:c', ['urn:r65:c,1', '1'], ['urn:r65:c,2', '2']);
      const query = `${parameter}=urn:r65:c&with=notices`;
      await using stream = await subscribe(herald, { query, headers: { 'last-event-id': 'urn:r65:c,1' } });
      await stream.until(isCaughtUp);
      expect(dataOf(stream)).toEqual(['2']);
      expect((await publish(herald, { topic: 'urn:r65:c', id: 'a, b' }, token)).code).toBe('id-invalid');
    });

    it('R66: everything after the cursor comes, and then what is new, with nothing between', async () => {
      await seed('urn:r66', ['urn:r66:1', '1'], ['urn:r66:2', '2']);
      const query = `${parameter}=urn:r66&with=notices&${cursor}=urn:r66:1`;
      await using stream = await subscribe(herald, { query });
      await seed('urn:r66', ['urn:r66:3', '3'], ['urn:r66:4', '4']);
      await stream.until((seen) => dataOf(seen).length >= 3);
      expect(dataOf(stream)).toEqual(['2', '3', '4']);
    });

    it('R66: each private update is judged by the token of now', async () => {
      await seed('urn:r66:p', ['urn:r66:p1', 'public'], ['urn:r66:p2', 'private', 'on'], ['urn:r66:p3', 'public too']);
      const [granted, other] = await Promise.all([subscriber(['urn:r66:p']), subscriber(['urn:other'])]);
      await using before = await resumed('urn:r66:p', 'earliest', bearer(granted));
      await using after = await resumed('urn:r66:p', 'earliest', bearer(other));
      await using anonymous = await resumed('urn:r66:p', 'earliest');
      expect(dataOf(before)).toEqual(['public', 'private', 'public too']);
      expect(dataOf(after)).toEqual(['public', 'public too']);
      expect(dataOf(anonymous)).toEqual(['public', 'public too']);
    });

    it('R66: after the id of an update that one may not read, what one may read comes', async () => {
      await seed('urn:r66:q', ['urn:r66:q1', 'private', 'on'], ['urn:r66:q2', 'public']);
      await using stream = await resumed('urn:r66:q', 'urn:r66:q1');
      expect(dataOf(stream)).toEqual(['public']);
    });

    it('R67: earliest is everything that is held', async () => {
      await seed('urn:r67', ['urn:r67:1', '1'], ['urn:r67:2', '2']);
      await using stream = await resumed('urn:r67', 'earliest');
      expect(dataOf(stream)).toEqual(['1', '2']);
      expect(stream.response.headers[cursorHeader]).toBe('earliest');
    });

    it('R68: of several updates with one id, the earliest counts, and the later ones come', async () => {
      await seed('urn:r68', ['urn:r68:x', '1'], ['urn:r68:twice', '2'], ['urn:r68:y', '3'], ['urn:r68:twice', '4']);
      await using stream = await resumed('urn:r68', 'urn:r68:twice');
      expect(dataOf(stream)).toEqual(['3', '4']);
    });

    it('R69: the answer tells the id before the first event, and only to who asked', async () => {
      await seed('urn:r69', ['urn:r69:1', '1'], ['urn:r69:2', '2']);
      await using known = await resumed('urn:r69', 'urn:r69:1');
      expect(known.response.headers[cursorHeader]).toBe('urn:r69:1');
      await using plain = await subscribe(herald, { query: `${parameter}=urn:r69&with=notices` });
      expect(Object.keys(plain.response.headers).join()).not.toContain('last-event-id');
    });

    it('R69: for an id that is not held it is earliest, and all that is held comes', async () => {
      await seed('urn:r69:b', ['urn:r69:b1', '1'], ['urn:r69:b2', '2']);
      await using stream = await resumed('urn:r69:b', 'urn:never');
      expect(stream.response.headers[cursorHeader]).toBe('earliest');
      expect(dataOf(stream)).toEqual(['1', '2']);
      // What a native EventSource can not read in a header is said in the stream.
      expect(noticesOf(stream)).toEqual([{ type: 'gap', reason: 'not-held' }, { type: 'caught-up' }]);
    });

    it('R69: an empty cursor replays nothing, and the header has one that leads to where the stream begins', async () => {
      await seed('urn:r69:c', ['urn:r69:c1', '1']);
      const headers = { 'last-event-id': '' };
      await using stream = await subscribe(herald, { query: `${parameter}=urn:r69:c&with=notices`, headers });
      const begin = String(stream.response.headers[cursorHeader]);
      expect(begin).toMatch(CURSOR);
      await seed('urn:r69:c', ['urn:r69:c2', '2']);
      await stream.until((seen) => dataOf(seen).length > 0);
      expect(dataOf(stream)).toEqual(['2']);
      await using again = await resumed('urn:r69:c', begin);
      expect(again.response.headers[cursorHeader]).toBe(begin);
      expect(dataOf(again)).toEqual(['2']);
      expect(noticesOf(again)).toEqual([{ type: 'caught-up' }]);
    });

    it('R70: ids that the hub makes are random, and say nothing of time or number', async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, async () => (await publish(herald, 'topic=urn:r70', token)).text),
      );
      // Version 4: the one that is nothing but random.
      for (const id of ids) expect(id).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab]/);
      expect(new Set(ids.map((id) => id.slice(0, 15))).size).toBeGreaterThan(1);
    });

    it('R70: a stream begins with a random time to reconnect after', async () => {
      const streams = await Promise.all(
        Array.from({ length: 8 }, () => subscribe(herald, { query: `${parameter}=urn:r70&with=notices` })),
      );
      await Promise.all(streams.map((stream) => stream.until(({ retries }) => retries.length > 0)));
      expect(new Set(streams.map(({ retries }) => retries[0])).size).toBeGreaterThan(1);
      await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    });
  },
);

describe('a long history', () => {
  it('R66: is found from a recent id and replayed whole, however long it is, on one connection', async () => {
    await using herald = await startHub();
    await publishMany(herald, 'urn:n', 12_000);
    await using recent = await subscribe(herald, { query: 'match=urn:n&last_event_id=urn:n:11990' });
    expect(recent.response.headers['mercure-last-event-id']).toBe('urn:n:11990');
    await recent.until(isCaughtUp);
    expect(dataOf(recent)).toEqual(range(11_991, 12_000));
    await using whole = await subscribe(herald, { query: 'match=urn:n&last_event_id=earliest' });
    await whole.until(isCaughtUp);
    expect(dataOf(whole)).toEqual(range(1, 12_000));
    expect(whole.response.complete).toBe(false);
  });

  it('R69: says earliest where nothing is held', async () => {
    await using herald = await startHub();
    for (const id of ['earliest', 'urn:never']) {
      const answer = await ask(herald, { query: `match=urn:a&last_event_id=${id}` });
      expect(answer.headers['mercure-last-event-id']).toBe('earliest');
    }
  });

  it('R69: says so where the id has been trimmed', async () => {
    await using herald = await startHub({ HERALD_RETAIN_EVENTS: '3' });
    await publishMany(herald, 'urn:n', 10);
    await using stream = await subscribe(herald, { query: 'match=urn:n&last_event_id=urn:n:5' });
    expect(stream.response.headers['mercure-last-event-id']).toBe('earliest');
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(['8', '9', '10']);
    expect(noticesOf(stream)[0]).toEqual({ type: 'gap', reason: 'not-held' });
  });

  it('R92: the header has its registered name', async () => {
    await using herald = await startHub();
    await using stream = await subscribe(herald, { query: 'match=urn:a', headers: { 'last-event-id': 'x' } });
    expect(stream.response.rawHeaders.map((name) => name.toLowerCase())).toContain('mercure-last-event-id');
    expect(stream.response.headers['last-event-id']).toBeUndefined();
  });
});
