import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { form, HUB_ENVIRONMENT, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, prlimit, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { LimitedFiles } from '../support/room.js';

/** Milliseconds between two looks, and how many there are before the test gives up. */
const LOOK_EVERY = 50;
const LOOKS = 300;

interface Health {
  readonly status: number | undefined;
  readonly journal: unknown;
}

async function readinessOf({ url }: Herald): Promise<Health> {
  const response = await send(`${url}/health/ready`);
  const { details } = JSON.parse(await textOf(response)) as { details: Record<string, { message?: string }> };
  return { status: response.statusCode, journal: details['journal']?.message };
}

/** Resolves once the process says so of itself. */
async function untilReadiness(herald: Herald, expected: Health): Promise<void> {
  let found: Health | undefined;
  for (let looks = 0; looks < LOOKS; looks += 1) {
    found = await readinessOf(herald);
    if (JSON.stringify(found) === JSON.stringify(expected)) return;
    await delay(LOOK_EVERY);
  }
  expect(found).toEqual(expected);
}

async function expectAlive({ url }: Herald): Promise<void> {
  for (const path of ['/health/live', '/healthz']) {
    const response = await send(url + path);
    response.resume();
    expect([path, response.statusCode]).toEqual([path, 200]);
  }
}

const READY = { status: 200, journal: undefined };
const FULL = { status: 503, journal: 'full' };
const REFUSING = { status: 503, journal: 'refusing' };

describeWith(redisServer, 'readiness with a Redis that refuses writes', (program) => {
  it('is gone while memory is short, without any publication, and comes back by itself; readers stay', async () => {
    await using redis = await RedisServer.start(program, { configuration: ['maxmemory-policy noeviction'] });
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'a', data: 'before' });
    await using reader = await subscribe(herald, { query: 'match=a' });
    expect(await readinessOf(herald)).toEqual(READY);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    await untilReadiness(herald, FULL);
    await expectAlive(herald);
    const refused = await publisher.post(form({ topic: 'a', data: 'refused' }));
    expect([refused.statusCode, await textOf(refused)]).toEqual([503, expect.stringContaining('OOM')]);
    // What is stored can still be read.
    await using late = await subscribe(herald, { query: 'match=a&last=1' });
    await late.until(() => updatesOf(late).length === 1);
    expect(await readinessOf(herald)).toEqual(FULL);
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await untilReadiness(herald, READY);
    await publisher.publish({ topic: 'a', data: 'after' });
    for (const stream of [reader, late]) await stream.until(() => updatesOf(stream).at(-1)?.data === 'after');
    expect(
      herald.logLines().filter(({ msg }) => msg === 'writing to Redis has failed, and is tried again'),
    ).toHaveLength(1);
    expect(herald.logLines().filter(({ msg }) => String(msg).startsWith('Redis is away'))).toEqual([]);
  });

  it('is not there where a process starts with such a Redis, until that takes writes', async () => {
    await using redis = await RedisServer.start(program, { configuration: ['maxmemory 1mb'] });
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    expect(await readinessOf(herald)).toEqual(FULL);
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await untilReadiness(herald, READY);
  });

  it('is gone while Redis is a replica, and once it can not save what it has', async () => {
    await using other = await RedisServer.start(program);
    await using redis = await RedisServer.start(program);
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    await redis.command('REPLICAOF', '127.0.0.1', other.port);
    await untilReadiness(herald, REFUSING);
    await expectAlive(herald);
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await untilReadiness(herald, READY);
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '1');
    await untilReadiness(herald, REFUSING);
    await redis.command('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await untilReadiness(herald, READY);
  });
});

describeWith(prlimit, 'readiness with an LMDB journal that can not grow', () => {
  const env = (room: LimitedFiles): Record<string, string> => ({
    HERALD_JOURNAL: `lmdb:${join(room.path, 'journal')}`,
  });

  it('is gone from the first refusal until there is room, without another publication', async () => {
    using room = new LimitedFiles();
    await using herald = await startHub(env(room));
    room.add(herald);
    using publisher = await Publisher.of(herald);
    expect(await readinessOf(herald)).toEqual(READY);
    const publish = async (): Promise<number | undefined> => {
      const response = await publisher.post(form({ topic: 'a', data: 'x'.repeat(200_000) }));
      response.resume();
      return response.statusCode;
    };
    while ((await publish()) !== 507);
    expect(await readinessOf(herald)).toEqual(FULL);
    await expectAlive(herald);
    room.grow();
    room.grow();
    await untilReadiness(herald, READY);
    expect(await publish()).toBe(200);
    expect(await readinessOf(herald)).toEqual(READY);
    const told = herald.logLines().filter(({ msg }) => String(msg).startsWith('writing to the journal'));
    expect(told.map(({ level, msg }) => [level, msg])).toEqual([
      [50, 'writing to the journal has failed, and is tried again'],
      [30, expect.stringMatching(/^writing to the journal works again after /)],
    ]);
  });

  it('is not there where a process starts with a full disk, until there is room', async () => {
    using room = new LimitedFiles();
    await using herald = await startHerald({
      env: { ...HUB_ENVIRONMENT, ...env(room) },
      wrapper: ['prlimit', `--fsize=${128 * 1024}:`],
    });
    expect(await readinessOf(herald)).toEqual(FULL);
    await expectAlive(herald);
    room.add(herald);
    room.grow();
    await untilReadiness(herald, READY);
  });
});
