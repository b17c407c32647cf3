import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin, untilConnections } from '../support/admin.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import { EventStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, Publisher, startHub, subscribe, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

type Events = Pick<StreamClient, 'events'>;

function updatesOf({ events }: Events): string[] {
  return events.filter(({ event }) => event === undefined).map(({ data }) => data);
}

/** The first word of the data of each update. */
function wordsOf(client: Events): string[] {
  return updatesOf(client).map((data) => data.split(' ')[0] ?? '');
}

function noticesOf({ events }: Events): unknown[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as unknown);
}

const isCaughtUp = ({ events }: Events): boolean =>
  events.some(({ event, data }) => event === 'herald' && data.includes('"caught-up"'));

const hasBegun = (client: StreamClient): boolean => client.hasBegun;

/** The comings and goings of subscribers. */
function comingsOf({ events }: Events): { readonly id: string; readonly active: boolean }[] {
  return events
    .filter(({ event }) => event === 'mercure')
    .map(({ data }) => JSON.parse(data) as { id: string; active: boolean });
}

/** Whether words that are numbers grow, so that nothing came twice or out of order. */
function grows(words: readonly string[]): boolean {
  return words.every((word, index) => index === 0 || Number(word) > Number(words[index - 1]));
}

function describeConflation(name: string, journal: () => Promise<JournalPlace>): void {
  describe.each(TRANSPORTS)(`readers with max_rate of ${name}, over %s`, (transport: Transport) => {
    let herald: Herald;
    let publisher: Publisher;
    let engine: JournalPlace;

    beforeAll(async () => {
      engine = await journal();
      const tls = transport === 'http1' ? {} : TLS_ENVIRONMENT;
      const env = { HERALD_JOURNAL: engine.url, HERALD_RECENT_BYTES: '256kb', HERALD_ADMIN_KEY: ADMIN_KEY };
      herald = await startHub({ ...env, ...tls });
      publisher = await Publisher.of(herald);
    });
    afterAll(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await engine.close();
    });

    async function open(query: string, lastEventId?: string): Promise<StreamClient> {
      const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const client = await subscribeOver(transport, herald, `${HUB}?${query}`, headers);
      await client.until(hasBegun);
      return client;
    }

    it('live: get the newest of each topic at each offer, in order, and the last one of all', async () => {
      const topics = Array.from({ length: 5 }, (_, index) => `urn:live:${index}`);
      const query = topics.map((topic) => `match=${topic}`).join('&');
      await using all = await open(query);
      await using one = await open(`${query}&max_rate=20`);
      await using other = await open(`${query}&max_rate=20&with=topics`);
      const count = 4_000;
      const lines = Array.from({ length: count }, (_, index) => ({ topic: topics[index % 5] ?? '', data: `${index}` }));
      for (let at = 0; at < count; at += 100) await publisher.publishAll(lines.slice(at, at + 100));
      await all.until((seen) => updatesOf(seen).length === count);
      for (const client of [one, other]) {
        await client.until((seen) => updatesOf(seen).includes(`${count - 1}`));
        const words = wordsOf(client);
        expect(grows(words)).toBe(true);
        expect(words.slice(-5).map(Number)).toEqual([count - 5, count - 4, count - 3, count - 2, count - 1]);
        expect(words.length).toBeLessThan(count / 2);
        expect(noticesOf(client)).toEqual([]);
      }
    });

    it('resuming: get the newest of each topic since their id, and go on from any id or notice that they got', async () => {
      const topics = ['https://example.com/a', 'https://example.com/b', 'https://example.com/c'];
      const lines = Array.from({ length: 900 }, (_, index) => {
        const topic = index < 3 ? index : index % 2;
        return { topic: topics[topic] ?? '', data: `${index}`, id: `urn:${transport}:${index}` };
      });
      for (let at = 0; at < lines.length; at += 100) await publisher.publishAll(lines.slice(at, at + 100));
      const pattern = 'match_urlpattern=https://example.com/:name&max_rate=0.1';
      const evaluated = 'match_urlpattern=https://example.com/:name([abc])&max_rate=0.1';
      for (const query of [pattern, evaluated, `${topics.map((topic) => `match=${topic}`).join('&')}&max_rate=0.1`]) {
        await using early = await open(query, `urn:${transport}:0`);
        await early.until(isCaughtUp);
        expect([wordsOf(early), noticesOf(early)]).toEqual([['2', '898', '899'], [{ type: 'caught-up' }]]);
        await using late = await open(query, `urn:${transport}:897`);
        await late.until(isCaughtUp);
        expect(wordsOf(late)).toEqual(['898', '899']);
        await using again = await open(query, early.lastEventId);
        await again.until(isCaughtUp);
        expect(wordsOf(again)).toEqual([]);
      }
    });

    it('resuming: lose nothing that is held back for the next offer', async () => {
      const query = 'match=urn:held:a&match=urn:held:b&max_rate=0.1';
      const token = await subscriberToken({ subject: 'held' });
      await using witness = await open('match=urn:held:a&match=urn:held:b');
      const path = `${HUB}?${query}`;
      await using dismissed = await subscribeOver(transport, herald, path, { authorization: `Bearer ${token}` });
      await using leaving = await open(query);
      await dismissed.until(hasBegun);
      await publisher.publish({ topic: 'urn:held:a', data: '1' });
      // The first one comes at once, and the next ones are held back for seconds.
      await Promise.all([dismissed, leaving].map((client) => client.until((seen) => wordsOf(seen).length === 1)));
      await publisher.publishAll([
        { topic: 'urn:held:b', data: '2' },
        { topic: 'urn:held:a', data: '3' },
        { topic: 'urn:held:b', data: '4' },
      ]);
      await witness.until((seen) => wordsOf(seen).length === 4);
      // One of them comes back with the id of a notice, the other one with that of an update.
      await askAdmin(herald, 'DELETE', 'connections?subject=held');
      await dismissed.until(({ ended }) => ended);
      expect(noticesOf(dismissed)).toEqual([{ type: 'dismissed' }]);
      leaving.reset();
      await untilConnections(herald, ({ length }) => length === 1);
      expect(dismissed.lastEventId).not.toBe(leaving.lastEventId);
      for (const { lastEventId } of [dismissed, leaving]) {
        await using again = await open(query, lastEventId);
        await again.until(isCaughtUp);
        expect(wordsOf(again)).toEqual(['3', '4']);
      }
    });

    it('stalled: have no backlog, and get the newest of each topic once there is room', async () => {
      const query = 'match=urn:slow:a&match=urn:slow:b&max_rate=20';
      await using client = await open(query);
      await using reading = await open(query);
      client.stall();
      const large = 'x'.repeat(250_000);
      const count = 80;
      for (let index = 0; index < count; index += 1) {
        await publisher.publishInTime({
          topic: index % 2 === 0 ? 'urn:slow:a' : 'urn:slow:b',
          data: `${index} ${large}`,
        });
        // Each has an offer of its own.
        await reading.until((seen) => wordsOf(seen).includes(`${index}`));
      }
      client.read();
      await client.until((seen) => wordsOf(seen).includes(`${count - 1}`));
      const words = wordsOf(client);
      expect(grows(words)).toBe(true);
      expect(words.slice(-2)).toEqual([`${count - 2}`, `${count - 1}`]);
      expect(words.length).toBeLessThan(count);
      expect(noticesOf(client)).toEqual([]);
    });

    it('leaving: take nothing along that others wait for, and are gone', async () => {
      const query = 'match=urn:left&max_rate=2';
      const leaving = await Promise.all([open(query), open(query), open(`${query}&with=topics`)]);
      await using staying = await open(query);
      await publisher.publish({ topic: 'urn:left', data: '1' });
      await Promise.all([...leaving, staying].map((client) => client.until((seen) => wordsOf(seen).length === 1)));
      await publisher.publishAll(['2', '3', '4'].map((data) => ({ topic: 'urn:left', data })));
      leaving[0]?.reset();
      leaving[1]?.leave();
      leaving[2]?.leave();
      await untilConnections(herald, ({ length }) => length === 1);
      await staying.until((seen) => wordsOf(seen).includes('4'));
      expect(wordsOf(staying).at(-1)).toBe('4');
      expect(grows(wordsOf(staying))).toBe(true);
      for (const client of leaving) await client[Symbol.asyncDispose]();
    });
  });
}

describeEngines(describeConflation);

describe('readers with max_rate', () => {
  it('begin with the state by begin=latest, and with the newest of each topic among the last by last=', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publisher.publishAll(
      ['a', 'b', 'a', 'b', 'a', 'c', 'a'].map((topic, index) => ({ topic: `urn:${topic}`, data: `${index}` })),
    );
    const query = 'match=urn:a&match=urn:b&match=urn:c&max_rate=0.1';
    const seen: Record<string, readonly string[]> = {};
    for (const begin of ['begin=latest', 'last=3', 'last=5', 'last=100']) {
      await using stream = await subscribe(herald, { query: `${query}&${begin}` });
      await stream.until(isCaughtUp);
      seen[begin] = wordsOf(stream);
    }
    expect(seen).toEqual({
      'begin=latest': ['3', '5', '6'],
      'last=3': ['5', '6'],
      'last=5': ['3', '5', '6'],
      'last=100': ['3', '5', '6'],
    });
  });

  it.each([
    ['topics', ''],
    ['patterns', '&match_urlpattern=/never/([0-9])'],
  ])('get the newest private update that they may read, with its topics named, by %s', async (_, pattern) => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const first = await publisher.publish({ topic: 'urn:first', data: '' });
    await publisher.publishAll([
      { topics: ['urn:mine', 'urn:room'], data: '0', private: true },
      { topics: ['urn:room', 'urn:mine'], data: '1', private: true },
      { topics: ['urn:room', 'urn:yours'], data: '2', private: true },
      { topics: ['urn:yours', 'urn:mine'], data: '3', private: true },
      { topics: ['urn:room', 'urn:yours'], data: '4', private: true },
    ]);
    const token = await subscriberToken({ topics: [{ match: 'urn:mine' }] });
    await using stream = await subscribe(herald, {
      query: `match=urn:room&match=urn:mine${pattern}&with=topics&max_rate=20`,
      headers: { authorization: `Bearer ${token}`, 'last-event-id': first },
    });
    await stream.until(isCaughtUp);
    // For the first topic the first one is the newest that may be read.
    expect(wordsOf(stream)).toEqual(['1', '3']);
    await publisher.publishAll([{ topics: ['urn:mine', 'urn:room'], data: '5', private: true }]);
    await stream.until((one) => wordsOf(one).includes('5'));
    expect(stream.text.match(/^topic: .*$/gm)?.slice(-2)).toEqual(['topic: urn:mine', 'topic: urn:room']);
  });

  it('get each subscriber’s last coming or going', async () => {
    await using herald = await startHub({
      HERALD_SUBSCRIPTIONS: 'true',
      HERALD_SUBSCRIPTIONS_GRACE: '0',
      HERALD_ADMIN_KEY: ADMIN_KEY,
    });
    using publisher = await Publisher.of(herald);
    const headers = { authorization: `Bearer ${await subscriberToken()}` };
    const watched = 'match_urlpattern=/.well-known/mercure/subscriptions/:type/urn%253Aroom/:id&match=urn:end';
    await using all = await subscribe(herald, { query: watched, headers });
    await using conflated = await subscribe(herald, { query: `${watched}&max_rate=20`, headers });
    for (let index = 0; index < 20; index += 1) {
      const visitor = await subscribeOver('http1', herald, `${HUB}?match=urn:room`, headers);
      await visitor.until(hasBegun);
      if (index % 2 === 0) visitor.reset();
      else await all.until((seen) => comingsOf(seen).length > index);
      await visitor[Symbol.asyncDispose]();
    }
    await all.until((seen) => comingsOf(seen).length === 40);
    await publisher.publish({ topic: 'urn:end', data: 'end' });
    await conflated.until((seen) => updatesOf(seen).includes('end'));
    const last = new Map(comingsOf(all).map((data) => [data.id, data]));
    expect(new Map(comingsOf(conflated).map((data) => [data.id, data]))).toEqual(last);
    await using late = await subscribe(herald, {
      query: `${watched}&max_rate=20`,
      headers: { ...headers, 'last-event-id': all.cursors[0] ?? '' },
    });
    await late.until(isCaughtUp);
    expect(comingsOf(late)).toEqual(comingsOf(all).filter(({ active }) => !active));
    expect(comingsOf(late)).toHaveLength(20);
    expect(updatesOf(late)).toEqual(['end']);
  });

  it('get an older update in place of one that was taken out before it was offered', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    using publisher = await Publisher.of(herald);
    await using all = await subscribe(herald, { query: 'match=urn:a&match=urn:b' });
    await using stream = await subscribe(herald, { query: 'match=urn:a&match=urn:b&max_rate=1' });
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await stream.until((seen) => wordsOf(seen).length === 1);
    await publisher.publishAll(['2', '3'].map((data) => ({ topic: 'urn:a', data })));
    const secret = await publisher.publish({ topic: 'urn:a', data: '4' });
    await all.until((seen) => wordsOf(seen).includes('4'));
    expect((await askAdmin(herald, 'DELETE', `updates?id=${secret}`)).body).toEqual({ removed: 1 });
    await stream.until((seen) => wordsOf(seen).length > 1);
    expect(wordsOf(stream)).toEqual(['1', '3']);
  });

  it('are served in the 0.x dialect and by QUERY as well', async () => {
    await using herald = await startHub({ HERALD_LEGACY: 'true' });
    using publisher = await Publisher.of(herald);
    const first = await publisher.publish({ topic: 'urn:a', data: '0' });
    await publisher.publishAll(['1', '2'].map((data) => ({ topic: 'urn:a', data })));
    await using legacy = await subscribe(herald, {
      query: 'topic=urn:a&max_rate=1&with=notices',
      headers: { 'last-event-id': first },
    });
    await legacy.until(isCaughtUp);
    expect(wordsOf(legacy)).toEqual(['2']);
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'last-event-id': first };
    const response = await send(`${herald.url}${HUB}`, { method: 'QUERY', headers }, 'match=urn:a&max_rate=1');
    await using stream = new EventStream(response);
    await stream.until(isCaughtUp);
    expect(wordsOf(stream)).toEqual(['2']);
  });

  it.each(['0', '0.09', '20.1', '', '-1', '1e1', '2x', 'NaN'])('refuses %s', async (rate) => {
    await using herald = await startHub();
    const response = await fetch(`${herald.url}${HUB}?match=urn:t&max_rate=${rate}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'max-rate-invalid' });
  });
});
