import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Herald, startHerald } from '../support/herald.js';
import { HUB, HUB_ENVIRONMENT, Publisher, subscribe, subscriberToken, updatesOf } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { ask, bearer } from '../protocol/exchange.js';

const HOUR = 3_600_000;

/** More than updates are held for by default. */
const LEAP = 25 * HOUR;

/** Milliseconds between two looks at something that happens in its own time, and until a test gives up on it. */
const LOOK = 50;
const PATIENCE = 15_000;

const LEAPING_CLOCK = new URL('../support/leaping-clock.js', import.meta.url).href;
const LEAPING_REDIS = new URL('../support/leaping-redis.js', import.meta.url).href;

interface Held {
  readonly data: string;
  readonly time: number;
}

async function held(herald: Herald): Promise<Held[]> {
  const { text } = await ask(herald, { path: `${HUB}/history`, query: 'match=urn:t&order=asc&limit=1000' });
  const updates = JSON.parse(text) as { data: string; time: string }[];
  return updates.map(({ data, time }) => ({ data, time: Date.parse(time) }));
}

const dataOf = (updates: readonly Held[]): string[] => updates.map(({ data }) => data);

/** Resolves once what is held is only this. */
async function expectToHold(herald: Herald, data: readonly string[]): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const now = dataOf(await held(herald));
    if (now.join() === data.join()) return;
    if (performance.now() > end) throw new Error(`held are ${now.join()} in place of ${data.join()}`);
    await delay(LOOK);
  }
}

/** What is held has times of today, in order. */
function expectTimesOfToday(updates: readonly Held[]): void {
  const times = updates.map(({ time }) => time);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  for (const time of times) expect(Math.abs(time - Date.now())).toBeLessThan(HOUR);
}

/** A hub whose clock the test sets. */
function startLeaping(env: Readonly<Record<string, string>>, leap = 0): Promise<Herald> {
  return startHerald({
    env: { ...HUB_ENVIRONMENT, CLOCK_LEAP: String(leap), ...env },
    nodeArguments: ['--import', LEAPING_CLOCK],
  });
}

async function setClock(herald: Herald, leap: number): Promise<void> {
  const done = once(herald.child, 'message');
  herald.child.send(leap);
  await done;
}

describe.each(['memory:', 'lmdb:'])('the history in %s', (engine) => {
  let folder: string;
  const environment = (): Record<string, string> => ({
    HERALD_JOURNAL: engine === 'memory:' ? engine : `${engine}${folder}/${Math.random()}`,
  });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-leap-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('outlives a clock that is set forward for a moment, and keeps its times', async () => {
    await using herald = await startLeaping(environment());
    using publisher = await Publisher.of(herald);
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:t', data });
    await setClock(herald, LEAP);
    await publisher.publish({ topic: 'urn:t', data: '3' });
    expect(dataOf(await held(herald))).toEqual(['1', '2', '3']);
    await setClock(herald, 0);
    await publisher.publish({ topic: 'urn:t', data: '4' });
    const updates = await held(herald);
    expect(dataOf(updates)).toEqual(['1', '2', '3', '4']);
    expectTimesOfToday(updates);
  });

  it('is trimmed by age as ever where the clock is set back, and keeps its times', async () => {
    await using herald = await startLeaping({ ...environment(), HERALD_RETAIN_AGE: '2s' });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'before' });
    await setClock(herald, -LEAP);
    await publisher.publish({ topic: 'urn:t', data: 'after' });
    expectTimesOfToday(await held(herald));
    await expectToHold(herald, []);
    await publisher.publish({ topic: 'urn:t', data: 'new' });
    expectTimesOfToday(await held(herald));
  });
});

it('the history in LMDB is trimmed by age where the clock was set back while the service was down', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'herald-leap-'));
  try {
    const env = { HERALD_JOURNAL: `lmdb:${folder}/journal`, HERALD_RETAIN_AGE: '2s' };
    await using herald = await startLeaping(env);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'before' });
    await herald.kill();
    await using next = await startLeaping(env, -LEAP);
    using other = await Publisher.of(next);
    await other.publish({ topic: 'urn:t', data: 'after' });
    await expectToHold(next, []);
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('a clock that is set forward for a moment ends no stream by its token, and refuses none', async () => {
  await using herald = await startLeaping({ HERALD_HEARTBEAT: '100ms' });
  using publisher = await Publisher.of(herald);
  const token = await subscriberToken();
  await using stream = await subscribe(herald, { query: 'match=urn:t', headers: bearer(token) });
  await setClock(herald, LEAP);
  // Streams are looked at in a tenth of a heartbeat, so many looks have gone by when these have come.
  await stream.until(({ text }) => text.split('\n:').length > 5);
  await using other = await subscribe(herald, { query: 'match=urn:t', headers: bearer(token) });
  await publisher.publish({ topic: 'urn:t', data: '1' });
  for (const one of [stream, other]) {
    await one.until(() => updatesOf(one).length === 1);
    expect(one.events.map(({ data }) => data).join()).not.toContain('expired');
  }
});

describeWith(redisServer, 'the history in Redis', (program) => {
  const start = (env: Readonly<Record<string, string>>): Promise<Herald> =>
    startHerald({ env: { ...HUB_ENVIRONMENT, ...env }, nodeArguments: ['--import', LEAPING_REDIS] });

  /** Sets the clock of Redis, as its clients see it. */
  async function setRedisClock(redis: RedisServer, leap: number): Promise<void> {
    await redis.command('SET', '{herald}:clock-leap', leap);
  }

  it('outlives a clock of Redis that is set forward for a moment, and nobody is told to have gone', async () => {
    await using redis = await RedisServer.start(program);
    const env = { HERALD_JOURNAL: redis.url, HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '1h' };
    await using one = await start(env);
    await using other = await start(env);
    using publisher = await Publisher.of(one);
    using otherPublisher = await Publisher.of(other);
    await using watcher = await subscribe(one, { query: 'match=*', headers: bearer(await subscriberToken()) });
    await using reader = await subscribe(other, { query: 'match=urn:t' });
    await watcher.until(({ text }) => text.includes('"active":true'));
    for (const data of ['1', '2']) await publisher.publish({ topic: 'urn:t', data });
    await setRedisClock(redis, LEAP);
    await otherPublisher.publish({ topic: 'urn:t', data: '3' });
    // A process that goes by the leap would take the other one for dead with its next sign of life.
    await signsOfLife(redis, 3);
    expect(dataOf(await held(one))).toEqual(['1', '2', '3']);
    await setRedisClock(redis, 0);
    await publisher.publish({ topic: 'urn:t', data: '4' });
    await reader.until(() => updatesOf(reader).length === 4);
    const updates = await held(other);
    expect(dataOf(updates)).toEqual(['1', '2', '3', '4']);
    expectTimesOfToday(updates);
    expect(watcher.text).not.toContain('"active":false');
    for (const herald of [one, other]) expect(herald.logs()).not.toContain('announced again');
  });

  it('is trimmed by age as ever where the clock of Redis is set back', async () => {
    await using redis = await RedisServer.start(program);
    await using herald = await start({ HERALD_JOURNAL: redis.url, HERALD_RETAIN_AGE: '2s' });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'before' });
    await setRedisClock(redis, -LEAP);
    await publisher.publish({ topic: 'urn:t', data: 'after' });
    expectTimesOfToday(await held(herald));
    await expectToHold(herald, []);
    await publisher.publish({ topic: 'urn:t', data: 'new' });
    expectTimesOfToday(await held(herald));
  });

  it('is trimmed by age where the clock of Redis was set back while no process was there', async () => {
    await using redis = await RedisServer.start(program);
    const env = { HERALD_JOURNAL: redis.url, HERALD_RETAIN_AGE: '2s' };
    await using herald = await start(env);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'before' });
    await herald.kill();
    await setRedisClock(redis, -LEAP);
    await using next = await start(env);
    using other = await Publisher.of(next);
    await other.publish({ topic: 'urn:t', data: 'after' });
    await expectToHold(next, []);
  });
});

/** Resolves once the processes have given so many more signs of life. */
async function signsOfLife(redis: RedisServer, count: number): Promise<void> {
  const end = performance.now() + PATIENCE;
  const holders = async (): Promise<string> =>
    String(await redis.command('ZRANGE', '{herald}:presence:holders', 0, -1, 'WITHSCORES'));
  let last = await holders();
  for (let seen = 0; seen < count;) {
    if (performance.now() > end) throw new Error('no process gives a sign of life');
    await delay(LOOK);
    const next = await holders();
    if (next !== last) seen += 1;
    last = next;
  }
}
