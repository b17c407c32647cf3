import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscribe, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

type Events = Pick<StreamClient, 'events'>;

function updatesOf({ events }: Events): string[] {
  return events.filter(({ event }) => event === undefined).map(({ data }) => data);
}

function noticesOf({ events }: Events): unknown[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as unknown);
}

const isCaughtUp = ({ events }: Events): boolean =>
  events.some(({ event, data }) => event === 'herald' && data.includes('"caught-up"'));

interface Line {
  readonly topic?: string;
  readonly topics?: readonly string[];
  readonly data: string;
  readonly id?: string;
  readonly private?: boolean;
}

function describeLatest(name: string, journal: () => Promise<JournalPlace>): void {
  describe.each(TRANSPORTS)(`beginning with the latest from ${name}, over %s`, (transport: Transport) => {
    let herald: Herald;
    let publisher: Publisher;
    let engine: JournalPlace;

    beforeAll(async () => {
      engine = await journal();
      const tls = transport === 'http1' ? {} : TLS_ENVIRONMENT;
      herald = await startHub({ HERALD_JOURNAL: engine.url, HERALD_RECENT_BYTES: '2kb', ...tls });
      publisher = await Publisher.of(herald);
    });
    afterAll(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await engine.close();
    });

    async function open(query: string, lastEventId?: string): Promise<StreamClient> {
      const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      return subscribeOver(transport, herald, `${HUB}?${query}`, headers);
    }

    it('sends the newest update of each topic in order, says so, and goes on live', async () => {
      const lines = Array.from({ length: 300 }, (_, index) => ({
        topics: index % 50 === 7 ? [`urn:a:${index % 3}`, 'urn:all'] : [`urn:of-others:${index % 40}`],
        data: `${index}`,
      }));
      await publisher.publishAll(lines);
      await using client = await open('match=urn:a:0&match=urn:a:1&match=urn:a:2&match=urn:all&begin=latest');
      await client.until(isCaughtUp);
      // 7, 57, 107, 157, 207 and 257, of which three are the newest of their topic, and one of these of all.
      expect(updatesOf(client)).toEqual(['157', '207', '257']);
      await publisher.publish({ topic: 'urn:a:1', data: 'live' });
      await client.until((seen) => updatesOf(seen).includes('live'));
      expect([updatesOf(client), noticesOf(client)]).toEqual([['157', '207', '257', 'live'], [{ type: 'caught-up' }]]);
    });

    it('finds topics by pattern, and sends an update of several topics once', async () => {
      await publisher.publishAll([
        { topic: 'https://example.com/rooms/1', data: 'old' },
        { topics: ['https://example.com/rooms/1', 'https://example.com/rooms/2'], data: 'both' },
        { topic: 'https://EXAMPLE.com:443/rooms/3', data: 'three' },
        { topic: 'https://example.com/other/4', data: 'other' },
      ]);
      await using client = await open('match_urlpattern=https://example.com/rooms/:id&begin=latest');
      await client.until(isCaughtUp);
      expect(updatesOf(client)).toEqual(['both', 'three']);
    });

    it('goes on after an id that is held, and tells of a gap and begins anew after one that is not', async () => {
      await publisher.publishAll(
        ['one', 'two', 'three'].map((data) => ({ topic: 'urn:held', data, id: `urn:held:${data}` })),
      );
      await using held = await open('match=urn:held&begin=latest', 'urn:held:one');
      await held.until(isCaughtUp);
      expect([updatesOf(held), noticesOf(held)]).toEqual([['two', 'three'], [{ type: 'caught-up' }]]);
      await using lost = await open('match=urn:held&begin=latest', 'urn:never');
      await lost.until(isCaughtUp);
      expect([updatesOf(lost), noticesOf(lost)]).toEqual([
        ['three'],
        [{ type: 'gap', reason: 'not-held' }, { type: 'caught-up' }],
      ]);
    });

    it('has no seam, however much is published meanwhile, and leaves nobody behind who stalls', async () => {
      const topics = Array.from({ length: 20 }, (_, index) => `urn:seam:${index}`);
      const version = (round: number): Line[] =>
        topics.map((topic, index) => ({ topic, data: `${index} ${round} ${'x'.repeat(20_000)}` }));
      await publisher.publishAll(version(0));
      await publisher.publishAll(version(1));
      const clients: StreamClient[] = [];
      for (let round = 2; round < 8; round += 1) {
        const publishing = publisher.publishAll(version(round));
        const client = await open(`${topics.map((topic) => `match=${topic}`).join('&')}&begin=latest`);
        if (round % 2 === 0) client.stall();
        clients.push(client);
        await publishing;
      }
      for (const client of clients) {
        client.read();
        await client.until((seen) => updatesOf(seen).some((data) => data.startsWith('19 7 ')));
        const seen = updatesOf(client).map((data) => data.split(' ').slice(0, 2).map(Number));
        for (const [topic] of topics.entries()) {
          const rounds = seen.flatMap(([index, round = 0]) => (index === topic ? round : []));
          // From the state on nothing is missing, doubled or out of order.
          const [first = 0] = rounds;
          expect(rounds).toEqual(Array.from({ length: 8 - first }, (_, index) => first + index));
          expect(first).toBeGreaterThan(0);
        }
        await client[Symbol.asyncDispose]();
      }
    });

    it('stops with a reader that leaves', async () => {
      await publisher.publishAll(
        Array.from({ length: 500 }, (_, index) => ({ topic: `urn:left:${index}`, data: 'x' })),
      );
      const client = await open('match=*&begin=latest');
      await client.until(({ hasBegun }) => hasBegun);
      client.reset();
      await client[Symbol.asyncDispose]();
      await using next = await open('match=urn:left:499&begin=latest');
      await next.until(isCaughtUp);
      expect(updatesOf(next)).toEqual(['x']);
    });
  });
}

describeEngines(describeLatest);

describe('beginning with the latest', () => {
  it('looks for one that may be read, but not for ever', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publisher.publishAll([
      { topic: 'urn:near', data: 'near' },
      { topic: 'urn:far', data: 'far' },
      ...Array.from({ length: 15 }, () => ({ topic: 'urn:near', data: 'secret', private: true })),
      ...Array.from({ length: 16 }, () => ({ topic: 'urn:far', data: 'secret', private: true })),
      // So that the topics are looked up, and the log is not read through.
      ...Array.from({ length: 300 }, () => ({ topic: 'urn:else', data: '' })),
    ]);
    const token = await subscriberToken({ topics: [{ match: 'urn:none' }] });
    const query = 'match=urn:near&match=urn:far&begin=latest';
    for (const filler of [1, 1_000]) {
      await publisher.publishAll(Array.from({ length: filler }, () => ({ topic: 'urn:else', data: '' })));
      await using stream = await subscribe(herald, { query, headers: { authorization: `Bearer ${token}` } });
      await stream.until(isCaughtUp);
      expect(updatesOf(stream)).toEqual(['near']);
    }
  });

  it.each([
    ['topic by topic', 1_500],
    ['through the log, where there are too many topics', 11_000],
  ])('sends the newest thousand topics where there are more, looked up %s, and says so', async (_, topics) => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const lines = Array.from({ length: topics }, (__, index) => ({ topic: `urn:many:${index}`, data: `${index}` }));
    for (let at = 0; at < topics; at += 5_000) await publisher.publishAll(lines.slice(at, at + 5_000));
    for (let at = 0; at < 12; at += 1) {
      await publisher.publishAll(Array.from({ length: 1_000 }, () => ({ topic: 'urn:many:0', data: 'again' })));
    }
    const expected = [...Array.from({ length: 999 }, (__, index) => `${topics - 999 + index}`), 'again'];
    await using stream = await subscribe(herald, { query: 'match=*&begin=latest' });
    await stream.until(isCaughtUp);
    expect(updatesOf(stream)).toEqual(expected);
    expect(noticesOf(stream)).toEqual([{ type: 'truncated', topics: 1_000 }, { type: 'caught-up' }]);
  });

  it.each(['begin=earliest', 'begin=', 'begin=latest&last=3', 'last=3&begin=latest'])(
    'refuses %s',
    async (parameters) => {
      await using herald = await startHub();
      const response = await fetch(`${herald.url}${HUB}?match=urn:t&${parameters}`);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ code: 'begin-invalid' });
    },
  );
});
