import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

/** Comings and goings that are kept. */
const KEPT = 10;

const ENVIRONMENT = {
  HERALD_SUBSCRIPTIONS: 'true',
  HERALD_SUBSCRIPTIONS_GRACE: '0',
  HERALD_RETAIN_EVENTS: '100',
  HERALD_PRESENCE_RETAIN_EVENTS: String(KEPT),
};

interface Document {
  readonly match: string;
  readonly active: boolean;
}

function documentsOf({ events }: StreamClient): Document[] {
  return events.filter(({ event }) => event === 'mercure').map(({ data }) => JSON.parse(data) as Document);
}

function updatesOf({ events }: StreamClient): string[] {
  return events.filter(({ event }) => event === undefined).map(({ data }) => data);
}

function noticesOf({ events }: StreamClient): unknown[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as unknown);
}

const isCaughtUp = ({ events }: StreamClient): boolean =>
  events.some(({ event, data }) => event === 'herald' && data.includes('"caught-up"'));

function describeEngine(name: string, journal: () => Promise<JournalPlace>): void {
  describe.each(TRANSPORTS)(`comings and goings from ${name}, over %s`, (transport: Transport) => {
    let herald: Herald;
    let publisher: Publisher;
    let authorization: string;
    let engine: JournalPlace;

    beforeAll(async () => {
      engine = await journal();
      const tls = transport === 'http1' ? {} : TLS_ENVIRONMENT;
      herald = await startHub({ ...ENVIRONMENT, HERALD_JOURNAL: engine.url, ...tls });
      publisher = await Publisher.of(herald);
      authorization = `Bearer ${await subscriberToken({ subject: 'somebody' })}`;
    });
    afterAll(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await engine.close();
    });

    async function open(query: string, lastEventId?: string): Promise<StreamClient> {
      const headers = { authorization, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) };
      const client = await subscribeOver(transport, herald, `${HUB}?${query}`, headers);
      return client.until(({ hasBegun }) => hasBegun);
    }

    /** So many come and go, one after the other; resolves when the observer has been told of the last. */
    async function crowd(count: number, observer: StreamClient): Promise<void> {
      for (let index = 0; index < count; index += 1)
        await (await open(`match=urn:crowd:${index}`))[Symbol.asyncDispose]();
      const last = `urn:crowd:${count - 1}`;
      await observer.until(() => documentsOf(observer).some(({ match, active }) => match === last && !active));
    }

    it('are told in order, and go on in the midst of those of one stream', async () => {
      await using observer = await open('match=*');
      await using _one = await open('match=urn:a&match=urn:b&match=urn:c');
      await observer.until(() => documentsOf(observer).some(({ match }) => match === 'urn:c'));
      await publisher.publish({ topic: 'urn:a', data: 'next' });
      await observer.until(() => updatesOf(observer).includes('next'));
      const first = observer.events.find(({ data }) => data.includes('"match":"urn:a"'));
      await using again = await open('match=*', first?.id);
      await again.until(isCaughtUp);
      const seen = again.events.filter(({ event }) => event !== 'herald').slice(0, 3);
      expect(seen.map(({ data }) => (data === 'next' ? data : (JSON.parse(data) as Document).match))).toEqual([
        'urn:b',
        'urn:c',
        'next',
      ]);
      expect(noticesOf(again)).toEqual([{ type: 'caught-up' }]);
    });

    it('evict no update, and who follows them is told what is missing', async () => {
      await using observer = await open('match=*');
      await using reader = await open('match=urn:kept');
      reader.stall();
      const ids: string[] = [];
      for (let index = 0; index < 5; index += 1) {
        ids.push(await publisher.publish({ topic: 'urn:kept', data: `kept ${index}` }));
      }
      await observer.until(() => updatesOf(observer).includes('kept 4'));
      const { lastEventId } = observer;
      await crowd(3 * KEPT, observer);
      const all = ids.map((_, index) => `kept ${index}`);

      await using resumed = await open('match=urn:kept', ids[0]);
      await resumed.until(isCaughtUp);
      expect([updatesOf(resumed), noticesOf(resumed)]).toEqual([all.slice(1), [{ type: 'caught-up' }]]);
      reader.read();
      await reader.until(() => updatesOf(reader).length === all.length);
      expect([updatesOf(reader), noticesOf(reader)]).toEqual([all, []]);

      // What the process still has at hand is not missing, although the log does not hold it any more.
      await using watching = await open('match=*', lastEventId);
      await watching.until(isCaughtUp);
      expect(noticesOf(watching).filter((notice) => JSON.stringify(notice).includes('"trimmed"'))).toEqual([]);
      const told = documentsOf(watching).filter(({ match }) => match.startsWith('urn:crowd:'));
      const isWhole = told.length === 2 * 3 * KEPT;
      expect(noticesOf(watching)).toEqual([
        ...(isWhole ? [] : [{ type: 'gap', reason: 'presence' }]),
        { type: 'caught-up' },
      ]);
    });
  });
}

describeEngines(describeEngine);

describe('comings and goings on the disk', () => {
  it('are there again after a restart, apart from the updates, and missing ones are told', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-presence-'));
    const env = { ...ENVIRONMENT, HERALD_JOURNAL: `lmdb:${directory}` };
    const headers = { authorization: `Bearer ${await subscriberToken({ subject: 'somebody' })}` };
    let start: string | undefined;
    {
      await using herald = await startHub(env);
      using publisher = await Publisher.of(herald);
      start = await publisher.publish({ topic: 'urn:kept', data: 'first' });
      for (let index = 0; index < 3 * KEPT; index += 1) {
        const client = await subscribeOver('http1', herald, `${HUB}?match=urn:crowd:${index}`, headers);
        await client.until(({ hasBegun }) => hasBegun);
        await client[Symbol.asyncDispose]();
      }
      await publisher.publish({ topic: 'urn:kept', data: 'last' });
    }
    await using herald = await startHub(env);
    await using reader = await subscribeOver('http1', herald, `${HUB}?match=*`, { ...headers, 'last-event-id': start });
    await reader.until(isCaughtUp);
    expect(updatesOf(reader)).toEqual(['last']);
    expect(noticesOf(reader)).toEqual([{ type: 'gap', reason: 'presence' }, { type: 'caught-up' }]);
    await rm(directory, { recursive: true });
  });
});
