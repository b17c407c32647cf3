import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { RedisState } from '../../src/storage/state/redis/redis-state.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { arrival, changed, departure, GRACE, listed, serialsOf } from '../../src/contracts/leases.js';

const LIFETIME = 400;

describeWith(redisServer, 'lists in Redis by matcher', (program) => {
  let redis: RedisServer;
  let prefix = '';
  let tests = 0;
  let state: RedisState;

  beforeAll(async () => {
    redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
  });
  beforeEach(async () => {
    tests += 1;
    prefix = `lists-${tests}`;
    state = await open();
  });
  afterEach(() => state.close());
  afterAll(() => redis[Symbol.asyncDispose]());

  async function open(): Promise<RedisState> {
    const target = { url: redis.url, sentinels: [], sentinelName: 'mymaster', isCluster: false };
    const opened = await RedisState.open({ ...target, prefix, grace: GRACE, lifetime: LIFETIME });
    await opened.renew(0);
    return opened;
  }

  const key = (table: string): string => `{${prefix}}:presence:${table}`;

  const detailsOf = (patterns: readonly string[]): string =>
    JSON.stringify({
      matchers: patterns.map((pattern) => ({ matcher: { type: 'exact', pattern }, payload: { a: 'é\n' } })),
    });

  /** What a process of the version before does when somebody comes. */
  async function comeAsBefore(subscriber: string, details: string): Promise<number> {
    const serial = Number(await redis.command('INCR', key('serials')));
    await redis.command('HSET', key('leases'), subscriber, `${serial}\nk\n${details}`);
    await redis.command('ZADD', key('order'), serial, subscriber);
    return serial;
  }

  /** What it does when somebody has gone. */
  async function forgetAsBefore(subscriber: string): Promise<void> {
    await redis.command('HDEL', key('leases'), subscriber);
    await redis.command('ZREM', key('order'), subscriber);
  }

  const matched = async (): Promise<number> => Number(await redis.command('ZCARD', key('matched')));

  it('has those who came before an upgrade, more than one call indexes', async () => {
    const before: number[] = [];
    for (let index = 0; index < 250; index += 1) {
      before.push(await comeAsBefore(`before ${index}`, detailsOf(index % 2 === 0 ? ['a', 'línea "x"'] : ['b'])));
    }
    const [entered] = await changed(state, arrival(1, 'k', false, ['exact:a']));
    const after = entered?.lease.serial ?? 0;
    const even = before.filter((_, index) => index % 2 === 0);
    expect(await serialsOf(state, ['exact:a'])).toEqual([...even, after]);
    expect(await serialsOf(state, ['exact:línea "x"'])).toEqual(even);
    expect(await serialsOf(state, ['exact:a', 'exact:b'])).toEqual([...before, after]);
    expect((await listed(state))[0]).toEqual({
      subscriber: 'before 0',
      serial: 1,
      details: detailsOf(['a', 'línea "x"']),
    });
  });

  it('has those who come to a process of the version before, while both run, and not those who have gone there', async () => {
    const serials: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const [entered] = await changed(state, arrival(round, 'k', false, ['exact:a']));
      serials.push(entered?.lease.serial ?? 0, await comeAsBefore(`before ${round}`, detailsOf(['a'])));
      expect(await serialsOf(state, ['exact:a'])).toEqual(serials);
    }
    expect(await matched()).toBe(6);
    await forgetAsBefore('before 1');
    expect(await serialsOf(state, ['exact:a'])).toEqual(serials.filter((_, index) => index !== 3));
    expect(await matched()).toBe(5);
  });

  it('leaves nothing in the index of those who came before, and goes on where details say nothing', async () => {
    for (const details of ['"text"', '{}', 'null', '{"matchers":[{}]}', 'x', detailsOf(['a'])]) {
      await comeAsBefore(`with ${details}`, details);
    }
    expect(await serialsOf(state, ['exact:a'])).toEqual([6]);
    expect(await serialsOf(state)).toEqual([1, 2, 3, 4, 5, 6]);
    await state.forget((await listed(state)).map(({ subscriber }) => subscriber));
    expect(await matched()).toBe(0);
    expect(await serialsOf(state)).toEqual([]);
  });

  it('has a lease that is taken up from the version before', async () => {
    const serial = await comeAsBefore('before', detailsOf(['a']));
    await redis.command('ZADD', key('away'), 9e15, 'before');
    await redis.command('ZADD', key('places'), 0, `k\n${String(serial).padStart(16, '0')}\nbefore`);
    const [back] = await changed(state, arrival(1, 'k', true, ['exact:a']));
    expect(back).toEqual({ isNew: false, lease: expect.objectContaining({ subscriber: 'before', serial }) });
    expect(await serialsOf(state, ['exact:a'])).toEqual([serial]);
  });

  it('has what a process held that has died, until it is over', async () => {
    const other = await open();
    try {
      const [moved, gone] = await changed(
        state,
        arrival(1, 'moved', false, ['m']),
        arrival(2, 'gone', false, ['m', 'g']),
      );
      await delay(LIFETIME + 20);
      await other.renew(0);
      const serials = [moved, gone].map((entered) => entered?.lease.serial ?? 0);
      expect(await serialsOf(other, ['m'])).toEqual(serials);
      await changed(other, arrival(1, 'moved', true, ['m']));
      await delay(GRACE + 20);
      const over = (await other.renew(1)) ?? [];
      expect(over.map(({ serial }) => serial)).toEqual([serials[1]]);
      expect(await serialsOf(other, ['m'])).toEqual([serials[0]]);
      expect(await serialsOf(other, ['g'])).toEqual([]);
      await other.forget(over.map(({ subscriber }) => subscriber));
      expect(await matched()).toBe(1);
    } finally {
      await other.close();
    }
  });

  it('lets go of leases with many matchers in several calls', async () => {
    const matchers = Array.from({ length: 900 }, (_, index) => `exact:${index}`);
    for (let ref = 0; ref < 20; ref += 1) await changed(state, arrival(ref, 'k', false, matchers), departure(ref));
    expect(await matched()).toBe(20 * 900);
    await delay(GRACE + 20);
    const over = (await state.renew(0)) ?? [];
    expect(over).toHaveLength(20);
    await state.forget(over.map(({ subscriber }) => subscriber));
    expect(await matched()).toBe(0);
    expect(await serialsOf(state)).toEqual([]);
  });
});
