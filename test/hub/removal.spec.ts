import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin } from '../support/admin.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
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

function describeRemoval(name: string, journal: () => Promise<JournalPlace>): void {
  describe.each(TRANSPORTS)(`updates that are taken out of ${name}, over %s`, (transport: Transport) => {
    let herald: Herald;
    let publisher: Publisher;
    let engine: JournalPlace;

    async function start(): Promise<void> {
      const tls = transport === 'http1' ? {} : TLS_ENVIRONMENT;
      herald = await startHub({ HERALD_JOURNAL: engine.url, HERALD_ADMIN_KEY: ADMIN_KEY, ...tls });
      publisher = await Publisher.of(herald);
    }

    async function stop(): Promise<void> {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
    }

    beforeAll(async () => {
      engine = await journal();
      await start();
    });
    afterAll(async () => {
      await stop();
      await engine.close();
    });

    async function open(query: string, lastEventId?: string): Promise<StreamClient> {
      const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      return subscribeOver(transport, herald, `${HUB}?${query}`, headers);
    }

    /** What somebody gets who comes now, in each way, and what it is told. */
    async function seen(query: string, lastEventId?: string): Promise<[string[], unknown[]]> {
      await using client = await open(query, lastEventId);
      await client.until(isCaughtUp);
      return [updatesOf(client), noticesOf(client)];
    }

    async function publishAll(topic: string, count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) {
        ids.push(await publisher.publish({ topic, data: `${topic} ${index}` }));
      }
      return ids;
    }

    async function remove(query: string): Promise<number> {
      const { status, body } = await askAdmin(herald, 'DELETE', `updates?${query}`);
      expect(status).toBe(200);
      return body['removed'] as number;
    }

    it('are given to nobody who comes, and everybody goes past them without a word', async () => {
      const [first] = await publishAll('urn:kept', 2);
      const secret = await publisher.publish({ topic: 'urn:kept', data: 'secret' });
      await publishAll('urn:secret', 3);
      await publishAll('urn:kept', 1);
      // What is remembered now must be forgotten.
      expect((await seen('match=*', first))[0]).toContain('secret');
      expect(await remove(`id=${secret}`)).toBe(1);
      expect(await remove('topic=urn:secret')).toBe(3);
      expect(await remove('topic=urn:secret')).toBe(0);
      const expected = ['urn:kept 1', 'urn:kept 0'];
      const caughtUp = [{ type: 'caught-up' }];
      expect(await seen('match=*', first)).toEqual([expected, caughtUp]);
      expect(await seen('match=urn:kept', first)).toEqual([expected, caughtUp]);
      expect(await seen('match=*&last=10')).toEqual([['urn:kept 0', ...expected], caughtUp]);
      expect(await seen('match=*&begin=latest')).toEqual([['urn:kept 0'], caughtUp]);
      const [, notices] = await seen('match=*', secret);
      expect(notices[0]).toEqual({ type: 'gap', reason: 'not-held' });
    });

    it('may be meant by a pattern, and are not listed any more', async () => {
      await publishAll('https://example.com/users/7', 2);
      await publishAll('https://example.com/users/8', 1);
      await publishAll('https://example.com/rooms/7', 1);
      expect(await remove('match_urlpattern=https://example.com/users/:id')).toBe(3);
      const { body } = await askAdmin(herald, 'GET', 'topics?prefix=https://example.com/');
      expect(body['topics']).toMatchObject([{ topic: 'https://example.com/rooms/7', count: 1, subscribers: 0 }]);
    });

    it('are not given to a reader that was behind, nor stored again for their key', async () => {
      await using client = await open('match=urn:behind');
      await client.until(({ hasBegun }) => hasBegun);
      client.stall();
      const large = 'x'.repeat(200_000);
      const ids: string[] = [];
      for (let index = 0; index < 80; index += 1) {
        ids.push(await publisher.publish({ topic: 'urn:behind', data: `${index} ${large}` }));
      }
      for (const id of ids.slice(75, 79)) expect(await remove(`id=${id}`)).toBe(1);
      client.read();
      await client.until((one) => updatesOf(one).some((data) => data.startsWith('79 ')));
      const expected = Array.from({ length: 80 }, (_, index) => index).filter((index) => index < 75 || index > 78);
      expect(updatesOf(client).map((data) => Number(data.split(' ')[0]))).toEqual(expected);
      expect(noticesOf(client)).toEqual([]);
    });

    if (name !== 'memory') {
      it('are not there after a restart either', async () => {
        const [first] = await publishAll('urn:again', 3);
        const gone = await publisher.publish({ topic: 'urn:again', data: 'gone' });
        await publishAll('urn:again', 1);
        expect(await remove(`id=${gone}`)).toBe(1);
        await stop();
        await start();
        expect(await seen('match=urn:again', first)).toEqual([
          ['urn:again 1', 'urn:again 2', 'urn:again 0'],
          [{ type: 'caught-up' }],
        ]);
      });
    }
  });
}

describeEngines(describeRemoval);

describe('taking updates out', () => {
  it('refuses what names none, or all', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    for (const query of ['', 'topic=*', 'match_urlpattern=*', 'topic=a&id=b', 'topic=a&topic=b', 'other=1', 'id=']) {
      const { status } = await askAdmin(herald, 'DELETE', `updates?${query}`);
      expect([query, status]).toEqual([query, 400]);
    }
    expect((await askAdmin(herald, 'DELETE', 'updates?topic=a', { token: '' })).status).toBe(401);
    expect((await askAdmin(herald, 'GET', 'topics', { token: '' })).status).toBe(401);
  });

  it('is told on the log by id, and never by content', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    using publisher = await Publisher.of(herald);
    const id = await publisher.publish({ topic: 'urn:topic-of-secret', data: 'the secret itself' });
    expect((await askAdmin(herald, 'DELETE', 'updates?topic=urn:topic-of-secret')).body).toEqual({ removed: 1 });
    const [line] = await herald.waitForLog(/.*updates removed.*/);
    expect(line).toContain(id);
    expect(herald.logs()).not.toContain('the secret itself');
  });

  it('lists topics page by page, with their newest update and their readers', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    using publisher = await Publisher.of(herald);
    const newest: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      await publisher.publish({ topic: `https://example.com/listed/${index}`, data: 'old' });
      newest.push(await publisher.publish({ topic: `https://example.com/listed/${index}`, data: 'new' }));
    }
    await using one = await subscribeOver('http1', herald, `${HUB}?match=https://example.com/listed/3`);
    await using all = await subscribeOver('http1', herald, `${HUB}?match_urlpattern=https://example.com/listed/*`);
    await one.until(({ hasBegun }) => hasBegun);
    await all.until(({ hasBegun }) => hasBegun);
    const rows: unknown[] = [];
    let from: string | undefined;
    do {
      const next = from === undefined ? '' : `&from=${encodeURIComponent(from)}`;
      const { body } = await askAdmin(herald, 'GET', `topics?prefix=https://example.com/listed/&limit=2${next}`);
      rows.push(...(body['topics'] as unknown[]));
      from = body['next'] as string | undefined;
    } while (from !== undefined);
    expect(rows).toEqual(
      newest.map((id, index) => ({
        topic: `https://example.com/listed/${index}`,
        count: 2,
        newest: { id, time: expect.any(String) },
        subscribers: index === 3 ? 2 : 1,
      })),
    );
  });
});
