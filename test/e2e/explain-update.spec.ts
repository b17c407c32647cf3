import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { askAdmin, listConnections, untilConnections } from '../support/admin.js';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  ADMIN_KEY,
  HUB,
  Publisher,
  startHub,
  subscribe,
  subscriberToken,
  TLS_ENVIRONMENT,
  updatesOf,
} from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { RawClient } from '../support/raw-client.js';
import { subscribeOver, TRANSPORTS } from '../support/transports.js';

const TOPIC = 'https://example.com/books/1';

interface Explained {
  readonly verdict: string;
  readonly summary: string;
  readonly [part: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly process: string;
  readonly summary: string;
  readonly explanations: readonly Explained[];
}

async function explain(herald: Herald, query: Readonly<Record<string, string | number>>): Promise<Answer> {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  const { status, body } = await askAdmin(herald, 'GET', `explain?${text}`);
  return { status, ...body } as never;
}

/** The only explanation of an answer. */
async function one(herald: Herald, query: Readonly<Record<string, string | number>>): Promise<Explained> {
  const { status, explanations, summary } = await explain(herald, query);
  expect([status, explanations.length]).toEqual([200, 1]);
  expect(explanations[0]?.summary).toBe(summary);
  return explanations[0] as Explained;
}

describe('/admin/explain', () => {
  let herald: Herald;
  let publisher: Publisher;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_RECENT_BYTES: '8mb', HERALD_MAX_BODY: '8mb' });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald[Symbol.asyncDispose]();
  });
  afterEach(async () => {
    for (const stream of open.splice(0)) await stream[Symbol.asyncDispose]();
    await untilConnections(herald, ({ length }) => length === 0);
  });

  /** Subscribes as somebody, and gives the number of the connection. */
  async function come(query: string, token?: string): Promise<{ stream: EventStream; connection: number }> {
    const stream = await subscribe(herald, { query, headers: token ? { authorization: `Bearer ${token}` } : {} });
    open.push(stream);
    await stream.until(({ retries }) => retries.length > 0);
    return { stream, connection: (await listConnections(herald)).at(-1)?.id ?? 0 };
  }

  it('written: by which matcher, in which time, and that the socket has taken it', async () => {
    const { stream, connection } = await come(`match=urn:other&match=${TOPIC}`);
    const id = await publisher.publish({ topic: TOPIC, data: 'x' });
    await stream.take(1);
    const explained = await one(herald, { id, connection });
    expect(explained).toMatchObject({
      verdict: 'written',
      update: { id, topics: [TOPIC], private: false, time: expect.any(String) },
      connection: { id: connection },
      match: { isMatched: true, by: { matcher: { type: 'exact', pattern: TOPIC }, topic: TOPIC } },
      grant: { isGranted: true, by: 'public' },
      cursor: { state: 'live' },
      written: { isTaken: true, unsentBytes: 0, liveReadersBy: expect.any(String) },
    });
    expect(explained.summary).toMatch(
      /^The update was written to this connection, at the latest [\d.]+ s ago, and the /,
    );
    const { after, before } = explained['written'] as { after: string; before: string };
    expect(Date.parse(after)).toBeLessThanOrEqual(Date.parse(before));
  });

  it('no-match: with what would have matched but for a little', async () => {
    const { connection } = await come(`match=${TOPIC}/&match=https://example.com/books/:id&match=urn:far`);
    const id = await publisher.publish({ topic: TOPIC, data: 'x' });
    const { verdict, match, summary } = await one(herald, { id, connection });
    expect([verdict, match]).toEqual([
      'no-match',
      {
        isMatched: false,
        nearMisses: [
          { matcher: { type: 'exact', pattern: `${TOPIC}/` }, topic: TOPIC, differs: 'trailing-slash' },
          {
            matcher: { type: 'exact', pattern: 'https://example.com/books/:id' },
            topic: TOPIC,
            differs: 'pattern-as-topic',
          },
        ],
      },
    ]);
    expect(summary).toContain('a slash at the end');
  });

  it('not-granted, and by which grant it is', async () => {
    const topics = [{ match: 'urn:mine' }, { match: 'https://example.com/films/:id', match_type: 'urlpattern' }];
    const { connection, stream } = await come('match=*', await subscriberToken({ subject: 'ann', topics }));
    const refused = await publisher.publish({ topic: TOPIC, data: 'x', private: 'on' });
    const granted = await publisher.publish({ topic: 'https://example.com/films/7', data: 'x', private: 'on' });
    await stream.take(1);
    expect(await one(herald, { id: refused, connection })).toMatchObject({
      verdict: 'not-granted',
      grant: { isGranted: false, by: 'grants' },
    });
    expect(await one(herald, { id: granted, subject: 'ann' })).toMatchObject({
      verdict: 'written',
      grant: { isGranted: true, by: { type: 'urlpattern', pattern: 'https://example.com/films/:id' } },
    });
  });

  it('before-start: it came first', async () => {
    const id = await publisher.publish({ topic: TOPIC, data: 'x' });
    const { connection } = await come(`match=${TOPIC}`);
    expect(await one(herald, { id, connection })).toMatchObject({ verdict: 'before-start' });
  });

  it('not-held, and whether its topic would match; removed, where it was taken out here', async () => {
    const { connection } = await come('match=urn:gone');
    expect(await one(herald, { id: 'urn:none', connection })).toMatchObject({ verdict: 'not-held' });
    const { verdict, summary } = await one(herald, { topic: 'urn:gone', connection });
    expect([verdict, summary]).toEqual(['not-held', expect.stringContaining('matchers match the topic')]);
    const id = await publisher.publish({ topic: 'urn:gone', data: 'x' });
    await askAdmin(herald, 'DELETE', `updates?id=${id}`);
    expect(await one(herald, { id, connection })).toMatchObject({ verdict: 'removed' });
  });

  it('pending: owed to a client that does not read', async () => {
    const reader = await RawClient.subscribe(herald, `${HUB}?match=urn:large`);
    open.push(reader);
    await reader.until(({ hasBegun }) => hasBegun);
    reader.stall();
    let id = '';
    for (let sent = 0; sent < 4; sent += 1)
      id = await publisher.publish({ topic: 'urn:large', data: 'x'.repeat(4_000_000) });
    await untilConnections(herald, ([only]) => only?.['isFull'] === true);
    const connection = (await listConnections(herald))[0]?.id ?? 0;
    const { verdict, summary, cursor } = await one(herald, { id, connection });
    expect([verdict, cursor]).toEqual(['pending', expect.objectContaining({ state: 'behind' })]);
    expect(summary).toMatch(/its client has taken nothing for [\d.]+ s/);
  });

  it('conflated: a newer one came before the next offer', async () => {
    const { stream, connection } = await come('match=urn:price&max_rate=1');
    await publisher.publish({ topic: 'urn:price', data: '1' });
    const second = await publisher.publish({ topic: 'urn:price', data: '2' });
    const third = await publisher.publish({ topic: 'urn:price', data: '3' });
    await stream.until(() => updatesOf(stream).some(({ id }) => id === third));
    expect(updatesOf(stream).map(({ id }) => id)).not.toContain(second);
    expect(await one(herald, { id: second, connection })).toMatchObject({ verdict: 'conflated' });
    expect(await one(herald, { id: third, connection })).toMatchObject({ verdict: 'written' });
  });

  it('conflated: begin=latest began with a newer one', async () => {
    const topic = 'urn:latest';
    const [older, newer] = [
      await publisher.publish({ topic, data: '1' }),
      await publisher.publish({ topic, data: '2' }),
    ];
    const { stream, connection } = await come(`match=${topic}&begin=latest`);
    await stream.until(() => updatesOf(stream).length > 0);
    expect(updatesOf(stream).map(({ id }) => id)).toEqual([newer]);
    expect(await one(herald, { id: older ?? '', connection })).toMatchObject({ verdict: 'conflated' });
    expect(await one(herald, { id: newer ?? '', connection })).toMatchObject({ verdict: 'written' });
  });

  it('ended: why the stream ended, and what it had got by then', async () => {
    const { stream, connection } = await come('match=urn:end', await subscriberToken({ subject: 'eve' }));
    const got = await publisher.publish({ topic: 'urn:end', data: 'x', private: 'on' });
    await stream.take(1);
    await askAdmin(herald, 'DELETE', `connections?id=${connection}`);
    await untilConnections(herald, ({ length }) => length === 0);
    const missed = await publisher.publish({ topic: 'urn:end', data: 'x' });
    const ended = { reason: 'dismissed', at: expect.any(String), matcherCount: 1 };
    expect(await one(herald, { id: got, connection })).toMatchObject({ verdict: 'written', connection: { ended } });
    expect(await one(herald, { id: missed, subject: 'eve' })).toMatchObject({
      verdict: 'ended',
      connection: { id: connection, subject: 'eve', ended },
      summary: 'The connection ended (dismissed) before it was offered the update.',
    });
  });

  it('explains the newest updates of a topic to all connections of a subject, within bounds', async () => {
    const token = await subscriberToken({ subject: 'many' });
    const connections = [];
    for (let index = 0; index < 22; index += 1) connections.push((await come('match=urn:many', token)).connection);
    for (let index = 0; index < 6; index += 1) await publisher.publish({ topic: 'urn:many', data: String(index) });
    const { explanations, summary } = await explain(herald, { topic: 'urn:many', subject: 'many', issuer: 'herald' });
    expect(explanations).toHaveLength(100);
    expect(summary).toMatch(/^Of 100 explanations, .*written/);
    const many = Array.from({ length: 1_000 }, (_, index) => `urn:${index}`);
    const id = await publisher.publish({ topic: [...many.slice(1), 'urn:many'], data: 'x' });
    const [widely] = (await explain(herald, { id, subject: 'many' })).explanations;
    expect(widely).toMatchObject({
      verdict: 'written',
      update: { topics: many.slice(1, 11), topicCount: 1_000 },
      match: { by: { topic: 'urn:many' } },
    });
    expect(explanations[0]?.['connection']).toMatchObject({ id: connections.at(-1) });
  });

  it('refuses what it does not understand, says what is missing, and repeats nothing', async () => {
    for (const [query, status, code] of [
      ['', 400, 'criteria-missing'],
      ['id=urn:1', 400, 'criteria-missing'],
      ['connection=1', 400, 'criteria-missing'],
      ['id=urn:1&connection=secret', 400, 'criteria-invalid'],
      ['id=urn:1&connection=1&secret=1', 400, 'criteria-invalid'],
      [`id=${'x'.repeat(256)}&connection=1`, 400, 'criteria-invalid'],
      ['id=urn:1&connection=99999', 404, 'not-found'],
      ['id=urn:1&subject=nobody', 404, 'not-found'],
    ] as const) {
      const answer = await askAdmin(herald, 'GET', `explain?${query}`);
      expect([query, answer.status, answer.body['code']]).toEqual([query, status, code]);
      expect(JSON.stringify(answer.body)).not.toContain('secret');
    }
    const { status } = await askAdmin(herald, 'GET', 'explain?id=urn:1&connection=1', {
      token: await subscriberToken(),
    });
    expect(status).toBe(401);
  });
});

describe.each(TRANSPORTS)('/admin/explain over %s', (transport) => {
  it('says that the socket has taken an update, and what a client that does not read is owed', async () => {
    await using herald = await startHub({
      HERALD_ADMIN_KEY: ADMIN_KEY,
      HERALD_MAX_BODY: '8mb',
      ...(transport !== 'http1' && TLS_ENVIRONMENT),
    });
    using publisher = await Publisher.of(herald);
    await using reader = await subscribeOver(transport, herald, `${HUB}?match=urn:t`);
    await reader.until(({ hasBegun }) => hasBegun);
    const connection = (await listConnections(herald))[0]?.id ?? 0;
    const id = await publisher.publish({ topic: 'urn:t', data: 'x' });
    await reader.until(({ events }) => events.length === 1);
    expect(await one(herald, { id, connection })).toMatchObject({ verdict: 'written', written: { isTaken: true } });
    reader.stall();
    let last = '';
    for (let sent = 0; sent < 4; sent += 1) {
      last = await publisher.publish({ topic: 'urn:t', data: 'x'.repeat(4_000_000) });
    }
    await untilConnections(herald, ([only]) => only?.['isFull'] === true);
    expect(await one(herald, { id: last, connection })).toMatchObject({ verdict: 'pending' });
  });
});

describeWith(redisServer, '/admin/explain over Redis', (program) => {
  it('answers at the process that has the connection, which it names', async () => {
    await using redis = await RedisServer.start(program);
    const env = { HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_JOURNAL: redis.url };
    await using here = await startHub(env);
    await using other = await startHub(env);
    using publisher = await Publisher.of(other);
    const headers = { authorization: `Bearer ${await subscriberToken({ subject: 'ann' })}` };
    await using stream = await subscribe(here, { query: 'match=urn:t', headers });
    const id = await publisher.publish({ topic: 'urn:t', data: 'x', private: 'on' });
    await stream.take(1);
    const answer = await explain(here, { id, subject: 'ann' });
    expect(answer).toMatchObject({ status: 200, explanations: [{ verdict: 'written' }] });
    expect(answer.process).toBe(stream.response.headers['herald-process']);
    expect(await explain(other, { id, subject: 'ann' })).toMatchObject({ status: 404 });
  });
});
