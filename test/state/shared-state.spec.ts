import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { LmdbState } from '../../src/storage/state/lmdb/lmdb-state.js';
import { MemoryState } from '../../src/storage/state/memory/memory-state.js';
import { RedisState } from '../../src/storage/state/redis/redis-state.js';
import type { Revoked, SharedState } from '../../src/storage/state/shared-state.js';
import { TOOLS } from '../support/contract-tools.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { describeState } from '../../src/contracts/state.js';
import { arrival, changed, departure, GRACE, listed } from '../../src/contracts/leases.js';

describeState(TOOLS, { name: 'memory', open: () => Promise.resolve(new MemoryState(GRACE)) });

describe('on the disk', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-state-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  describeState(TOOLS, { name: 'LMDB', open: () => LmdbState.open(directory, GRACE) });

  it('who was subscribed can come back after a restart, once, and whoever does not is gone', async () => {
    const first = await LmdbState.open(directory, GRACE);
    const entered = await changed(
      first,
      arrival(1, 'a'),
      arrival(2, 'b'),
      arrival(3, 'c', false, ['exact:x', 'exact:y']),
    );
    await changed(first, departure(2));
    await expect(first.handOver()).resolves.toEqual([]);
    await first.close();
    expect((await stat(join(directory, 'leases.ndjson'))).mode & 0o077).toBe(0);
    const second = await LmdbState.open(directory, GRACE);
    const subscribers = entered.map(({ lease }) => lease.subscriber);
    expect((await listed(second)).map(({ subscriber }) => subscriber)).toEqual(subscribers);
    expect((await listed(second, 0, ['exact:y'])).map(({ subscriber }) => subscriber)).toEqual(subscribers.slice(2));
    const back = await changed(second, arrival(1, 'a', true), arrival(2, 'c', true), arrival(3, 'd', true));
    expect(back.map(({ lease: { subscriber, details }, isNew }) => [subscriber, details, isNew])).toEqual([
      [subscribers[0], entered[0]?.lease.details, false],
      [subscribers[2], entered[2]?.lease.details, false],
      [expect.any(String), expect.any(String), true],
    ]);
    await delay(GRACE);
    const over = (await second.renew(3)) ?? [];
    expect(over.map(({ subscriber }) => subscriber)).toEqual([subscribers[1]]);
    await second.close();
    // It has ended without handing anything over.
    const third = await LmdbState.open(directory, GRACE);
    await expect(listed(third)).resolves.toEqual([]);
    await third.close();
  });

  it('a line of a lease that can not be read is left out', async () => {
    const lines = ['{"subscriber":"urn:uuid:1","key":"k","details":"d","matchers":[]}', '{"subscriber":1}', '{"subs'];
    await writeFile(join(directory, 'leases.ndjson'), lines.join('\n'));
    const state = await LmdbState.open(directory, GRACE);
    expect((await listed(state)).map(({ subscriber }) => subscriber)).toEqual(['urn:uuid:1']);
    await state.close();
  });

  it('what was revoked is known after a restart', async () => {
    const first = await LmdbState.open(directory, GRACE);
    await expect(first.revocations([])).resolves.toEqual([]);
    await first.revoke(['a', 1_000], ['b', Infinity]);
    await first.revoke(['a', 500], ['c "\n', 0]);
    await first.close();
    const second = await LmdbState.open(directory, GRACE);
    const known = await second.revocations([]);
    expect(new Map(known)).toEqual(
      new Map([
        ['a', 1_000],
        ['b', Infinity],
        ['c "\n', 0],
      ]),
    );
    await expect(second.revocations(known)).resolves.toEqual([]);
    await second.close();
  });
});

describeWith(redisServer, 'Redis', (program) => {
  const LIFETIME = 400;
  let redis: RedisServer;
  let prefixes = 0;
  const opened: SharedState[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
  });
  afterEach(() => Promise.all(opened.splice(0).map((state) => state.close())));
  afterAll(() => redis[Symbol.asyncDispose]());

  function open(lifetime?: number): Promise<RedisState> {
    return RedisState.open({
      url: redis.url,
      sentinels: [],
      sentinelName: 'mymaster',
      isCluster: false,
      prefix: `state-${prefixes}`,
      grace: GRACE,
      ...(lifetime !== undefined && { lifetime }),
    });
  }

  describeState(TOOLS, {
    name: 'Redis',
    open: () => {
      prefixes += 1;
      return open();
    },
  });

  /** Processes of one hub, which nobody else knows. */
  async function processes(lifetime?: number): Promise<[RedisState, RedisState]> {
    prefixes += 1;
    const both = [await open(lifetime), await open(lifetime)] as [RedisState, RedisState];
    opened.push(...both);
    for (const one of both) await one.renew(0);
    return both;
  }

  it('gives a lease to who resumes at another process, and lists the same at both', async () => {
    const [one, other] = await processes();
    const [come] = await changed(one, arrival(1, 'k'), arrival(2, 'k2'));
    await changed(one, departure(1));
    const [back] = await changed(other, arrival(1, 'k', true));
    expect(back).toEqual({ lease: expect.objectContaining({ subscriber: come?.lease.subscriber }), isNew: false });
    expect(await listed(one)).toHaveLength(2);
    expect(await listed(other)).toEqual(await listed(one));
    await delay(GRACE + 20);
    await expect(one.renew(1)).resolves.toEqual([]);
  });

  it('applies changes once that are given again, as after an answer that was lost', async () => {
    const [one] = await processes();
    const changes = [arrival(1, 'k'), arrival(2, 'k'), departure(2), arrival(3, 'k', true)];
    await changed(one, ...changes);
    const before = await listed(one);
    // As if the answer had been lost: the process knows nothing of it.
    Object.assign(one, { changes: 0 });
    const again = await changed(one, ...changes);
    expect(again.map(({ isNew }) => isNew)).toEqual([true, true, false]);
    expect(again.slice(0, 2).map(({ lease }) => lease)).toEqual(before);
    expect(await listed(one)).toEqual(before);
    await expect(one.renew(2)).resolves.toEqual([]);
  });

  it('lets others take up what a process held that has died, and ends what nobody has taken up', async () => {
    const [dead, other] = await processes(LIFETIME);
    const [moved, gone] = await changed(dead, arrival(1, 'moved'), arrival(2, 'gone'));
    await delay(LIFETIME / 2);
    await expect(other.renew(0)).resolves.toEqual([]);
    await delay(LIFETIME / 2 + 20);
    await expect(other.renew(0)).resolves.toEqual([]);
    const [back] = await changed(other, arrival(1, 'moved', true));
    expect(back?.lease.subscriber).toBe(moved?.lease.subscriber);
    await delay(GRACE + 20);
    await expect(other.renew(1)).resolves.toEqual([expect.objectContaining({ subscriber: gone?.lease.subscriber })]);
    expect((await listed(other)).map(({ subscriber }) => subscriber)).toEqual([moved?.lease.subscriber]);
  });

  it('tells a process that was taken for dead, which gets its leases back when it begins anew', async () => {
    const [late, other] = await processes(LIFETIME);
    const [come] = await changed(late, arrival(1, 'k'));
    await delay(LIFETIME + 20);
    await other.renew(0);
    await expect(late.renew(1)).resolves.toBeUndefined();
    await expect(late.change([arrival(2, 'k')])).resolves.toBeUndefined();
    await expect(late.release()).resolves.toEqual([]);
    await expect(late.renew(0)).resolves.toEqual([]);
    const [back] = await changed(late, arrival(1, 'k', true));
    expect(back).toEqual({ lease: expect.objectContaining({ subscriber: come?.lease.subscriber }), isNew: false });
  });

  it('tells a process of which a failover has lost something', async () => {
    const [one] = await processes();
    await changed(one, arrival(1, 'k'), arrival(2, 'k'));
    // A failover leaves what was stored before, and this process knows of more.
    await expect(one.renew(3)).resolves.toBeUndefined();
    await redis.command('FLUSHALL');
    await expect(one.renew(2)).resolves.toBeUndefined();
    await one.release();
    await one.renew(0);
    await changed(one, arrival(1, 'k', true), arrival(2, 'k', true));
    expect(await listed(one)).toHaveLength(2);
  });

  it('has somebody else tell what is over when the one who was to tell has died', async () => {
    const [one, other] = await processes();
    const [come] = await changed(one, arrival(1, 'k'), departure(1));
    await delay(GRACE + 20);
    await expect(one.renew(0)).resolves.toHaveLength(1);
    await expect(other.renew(0)).resolves.toEqual([]);
    // As if the time for telling had passed.
    await redis.command('ZADD', `{state-${prefixes}}:presence:ending`, 1, come?.lease.subscriber ?? '');
    await expect(other.renew(0)).resolves.toEqual([expect.objectContaining({ details: come?.lease.details })]);
    await other.forget([come?.lease.subscriber ?? '']);
    await redis.command('ZADD', `{state-${prefixes}}:presence:ending`, 'XX', 1, come?.lease.subscriber ?? '');
    await expect(one.renew(0)).resolves.toEqual([]);
  });

  it('leaves nothing behind of those who are gone', async () => {
    const [one] = await processes();
    for (let round = 0; round < 3; round += 1) {
      const come = Array.from({ length: 300 }, (_, index) => arrival(1_000 * round + index, `k${index % 3}`));
      await changed(one, ...come, ...come.map(({ ref }) => departure(ref)));
    }
    await delay(GRACE + 20);
    for (let over = await one.renew(0); over && over.length > 0; over = await one.renew(0)) {
      await one.forget(over.map(({ subscriber }) => subscriber));
    }
    const keys = (await redis.command('KEYS', `{state-${prefixes}}:presence:*`)) as string[];
    expect(new Set(keys.map((key) => key.split(':').at(-1)))).toEqual(
      new Set(['answers', 'holders', 'serials', 'indexed']),
    );
  });

  it('tells each process once what any of them has revoked, the latest limit of each', async () => {
    const [one, other] = await processes();
    await one.revoke(['a', 5], ['b', Infinity]);
    await other.revoke(['a', 3]);
    expect(new Map(await other.revocations([]))).toEqual(
      new Map([
        ['a', 5],
        ['b', Infinity],
      ]),
    );
    await expect(other.revocations([])).resolves.toEqual([]);
    await one.revoke(['a', 9]);
    await expect(other.revocations([])).resolves.toEqual([['a', 9]]);
    const many = Array.from({ length: 2_500 }, (_, index): Revoked => [`name ${index}`, index]);
    await one.revoke(...many);
    expect(new Map(await other.revocations([]))).toEqual(new Map(many));
    expect(new Map(await one.revocations([]))).toEqual(new Map([...many, ['a', 9], ['b', Infinity]]));
  });

  it('lets go of revocations that have ended for all processes, and takes that for no loss', async () => {
    const [one, other] = await processes();
    await one.revoke(['a', 5], ['b', Infinity], ['c', 7]);
    await other.revocations([]);
    await one.forgetRevoked(['b', 'c', 'unknown']);
    const known: Revoked[] = [
      ['a', 5],
      ['b', Infinity],
      ['c', 7],
    ];
    await expect(other.revocations(known)).resolves.toEqual([]);
    await expect(one.revocations(known)).resolves.toEqual([['a', 5]]);
    await other.revoke(['d', 1]);
    await expect(one.revocations(known)).resolves.toEqual([['d', 1]]);
  });

  it('gives back to Redis what was revoked and is lost there', async () => {
    const [one, other] = await processes();
    const known: Revoked[] = [
      ['a', 5],
      ['b', Infinity],
    ];
    await one.revoke(...known);
    await one.revocations([]);
    await redis.command('FLUSHALL');
    await expect(other.revocations([])).resolves.toEqual([]);
    await one.revocations(known);
    expect(new Map(await other.revocations([]))).toEqual(new Map(known));
  });

  it('lists the processes that have told of themselves lately', async () => {
    const [one, other] = await processes(LIFETIME);
    const report = { host: 'h', version: '1', startedAt: '2026-01-01T00:00:00.000Z', connections: 1 };
    await one.processes(report);
    const both = await other.processes({ ...report, connections: 2 });
    expect(new Map(both.map(({ id, isThis, connections }) => [id, { isThis, connections }]))).toEqual(
      new Map([
        [one.processId, { isThis: false, connections: 1 }],
        [other.processId, { isThis: true, connections: 2 }],
      ]),
    );
    await delay(LIFETIME + 20);
    await expect(one.processes(report)).resolves.toEqual([expect.objectContaining({ isThis: true })]);
  });

  it('is out of reach while Redis is, and goes on when it is back', async () => {
    const [one] = await processes();
    await changed(one, arrival(1, 'k'));
    await redis.stop();
    await expect(one.renew(1)).rejects.toThrow('out of reach');
    await expect(one.revoke(['a', 1])).rejects.toThrow('out of reach');
    await redis.start();
    let back: unknown;
    while (back === undefined) back = await one.renew(1).catch(() => undefined);
    expect(await listed(one)).toHaveLength(1);
  });
});
