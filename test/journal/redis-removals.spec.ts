import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Journal, ReadEntry } from '../../src/storage/journal/journal.js';
import { eventIdOf } from '../../src/storage/journal/presence-record.js';
import type { LogPart, RedisLog } from '../../src/storage/journal/redis/redis-log.js';
import { RedisRemovals } from '../../src/storage/journal/redis/redis-removals.js';
import type { RedisLink } from '../../src/storage/redis/redis-link.js';
import { TcpProxy } from '../faults/support/tcp-proxy.js';
import { CapturedLog } from '../support/captured-log.js';
import { describeWith, redisServer } from '../support/programs.js';
import { Mirror } from './mirror.js';
import { update } from './open-redis.js';
import { record, SharedLogs, Told } from './shared-logs.js';

/** The script with which the build of that commit appends: it knows nothing of removals. */
const OLD_APPEND = new URL('../upgrade/append-dbda041.lua', import.meta.url);

/** Puts something of another program's in the place of the row at a position. */
const SPOIL = `
local rows = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for _, row in ipairs(rows) do
  local isMeant = string.match(row[1], '^%d+') == ARGV[1]
  redis.call('XADD', KEYS[1], row[1], unpack(isMeant and { 'not', 'ours' } or row[2]))
end
`;

/** Puts another entry into the place of the one at a position. */
const REPLACE = `
local row = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
local rows = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for _, one in ipairs(rows) do
  redis.call('XADD', KEYS[1], one[1] == row[1] and ARGV[1] .. '-7' or one[1], unpack(one[2]))
end
`;

describeWith(redisServer, 'updates that are removed from Redis', (program) => {
  let logs: SharedLogs;

  beforeAll(async () => {
    logs = await SharedLogs.start(program);
  });
  beforeEach(async () => {
    Logger.overrideLogger(new CapturedLog());
    await logs.begin();
  });
  afterAll(() => logs[Symbol.asyncDispose]());

  async function append(journal: Journal, ...ids: string[]): Promise<void> {
    for (const id of ids) await journal.append(update(id));
  }

  async function positionsIn(journal: Journal): Promise<number[]> {
    return (await journal.read(0, 1_000)).entries.map(({ position }) => position);
  }

  it('are told to every process before the removal is done, however slow that is', async () => {
    await using proxy = await TcpProxy.start(logs.redis.port);
    const [one, other] = [await logs.open(), await logs.open({ url: `redis://127.0.0.1:${proxy.port}` })];
    const mirrors = [new Mirror(one), new Mirror(other)];
    await append(one, 'a', 'b', 'c', 'd');
    while (other.head < 4) await delay(5);
    for (const wanted of [[2], [1, 4]]) {
      proxy.slow(150);
      await one.remove(wanted);
      expect(mirrors[1]?.removals.at(-1)).toEqual(wanted);
      proxy.heal();
    }
    expect(mirrors.map((mirror) => mirror.from(0))).toEqual([['c'], ['c']]);
    expect([one.lastId, other.lastId, one.oldest, other.oldest]).toEqual(['c', 'c', 1, 1]);
    await append(other, 'e');
    while (one.head < 5) await delay(5);
    expect(mirrors.map((mirror) => [mirror.from(0), mirror.resets])).toEqual([
      [['c', 'e'], []],
      [['c', 'e'], []],
    ]);
    await other.close();
  });

  it('are told to a process that was cut off once it is back, and not waited for', async () => {
    await using proxy = await TcpProxy.start(logs.redis.port);
    const [one, other] = [await logs.open(), await logs.open({ url: `redis://127.0.0.1:${proxy.port}` })];
    const mirror = new Mirror(other);
    await append(one, 'a', 'b', 'c');
    while (other.head < 3) await delay(5);
    proxy.stall();
    const start = performance.now();
    await one.remove([3]);
    const took = performance.now() - start;
    expect([took > 2_000, took < 8_000]).toEqual([true, true]);
    expect(mirror.from(0)).toEqual(['a', 'b', 'c']);
    await one.remove([1]);
    await append(one, 'd');
    await one.remove([4]);
    await append(one, 'e');
    proxy.cut();
    proxy.heal();
    while (other.head < 5 || mirror.removals.length === 0) await delay(5);
    expect([mirror.from(0), mirror.removals.flat(), mirror.resets]).toEqual([['b', 'e'], [3, 1, 4], []]);
    expect(other.topics?.positionsAfter('https://example.com/t', 0, 10)).toEqual([2, 5]);
    await other.close();
  }, 40_000);

  it('are all read again by a process that has missed more removals than Redis keeps', async () => {
    await using proxy = await TcpProxy.start(logs.redis.port);
    const [one, other] = [await logs.open(), await logs.open({ url: `redis://127.0.0.1:${proxy.port}` })];
    const mirror = new Mirror(other);
    await append(one, 'a', 'b', 'c');
    await one.remove([1]);
    while (mirror.removals.length === 0) await delay(5);
    proxy.stall();
    const removed = one.remove([3]);
    while ((await positionsIn(one)).length > 1) await delay(5);
    await logs.redis.command('XTRIM', logs.key('removals'), 'MAXLEN', 0);
    proxy.heal();
    await removed;
    expect(mirror.removals).toEqual([[1], undefined]);
    while (other.topics === undefined || mirror.from(0).length !== 1) await delay(5);
    expect(other.topics.positionsAfter('https://example.com/t', 0, 10)).toEqual([2]);
    expect([mirror.from(0), mirror.resets, other.head]).toEqual([['b'], [], 3]);
    await other.close();
  });

  it('may be all that there are, or the newest among comings and goings', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const told = new Told(other);
    const coming = record(2);
    const comingId = eventIdOf(coming, 1);
    await append(one, 'a');
    await one.appendPresence(coming);
    await append(one, 'b');
    await one.remove([4]);
    expect([one.lastId, other.lastId]).toEqual([comingId, comingId]);
    await append(one, 'c');
    expect(one.lastId).toBe('c');
    await one.remove([5]);
    expect(one.lastId).toBe(comingId);
    await one.remove([1]);
    // Whatever was removed before it was read is not told.
    await told.until(0, 5);
    expect([await positionsIn(other), other.oldest, told.resets]).toEqual([[3], 1, []]);
    expect(await logs.redis.command('HGET', logs.key('meta'), 'bytes')).toBe('0');
    expect(await logs.redis.command('ZCARD', logs.key('ids'))).toBe(0);
    await append(other, 'd');
    await told.until(0, 6);
    expect([await positionsIn(one), one.oldest, told.resets]).toEqual([[3, 6], 1, []]);
  });

  it('are lost with the others, and nothing besides, where a failover follows', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const mirror = new Mirror(other);
    await append(one, 'a', 'b', 'c');
    await one.remove([3]);
    const failOver = await logs.replica();
    await append(one, 'd');
    while (other.head < 4) await delay(5);
    await failOver();
    await append(one, 'e');
    while (mirror.resets.length === 0 || other.head < 4) await delay(5);
    // Nobody can say that the place of the removed update is the same.
    expect([mirror.resets, mirror.from(0)]).toEqual([[2], ['a', 'b', 'e']]);
  });

  it('are not others that have their places in a log that has lost them', async () => {
    const one = await logs.open();
    await append(one, 'a', 'b', 'c');
    await logs.redis.command('EVAL', REPLACE, 1, logs.key('log'), 2);
    await expect(one.remove([1, 2])).rejects.toThrow(/another log/);
    expect(await positionsIn(await logs.open())).toEqual([1, 2, 3]);
  });

  it('may be damaged, and hide no other update with the same id', async () => {
    const one = await logs.open();
    await append(one, 'a', 'b');
    await logs.redis.command('EVAL', SPOIL, 1, logs.key('log'), 2);
    await append(one, 'b');
    expect(await one.locate('b')).toBe(2);
    await one.remove([2]);
    expect([await one.locate('b'), await positionsIn(one)]).toEqual([3, [1, 3]]);
  });

  it('are left out of what was being read meanwhile', async () => {
    const removals = new RedisRemovals({} as RedisLink, {} as RedisLog, 0);
    const rows = [1, 2, 3].map((position) => ({ position, store: position === 3 ? 'presence' : 'updates' }));
    const part = { rows } as unknown as LogPart;
    let answer: (part: LogPart) => void = () => undefined;
    const read = (): Promise<LogPart> => new Promise((resolve) => (answer = resolve));
    const reading = removals.leaveOut(read);
    removals.tell([2, 3]);
    answer(part);
    expect((await reading).rows.map(({ position }) => position)).toEqual([1, 3]);
    const next = removals.leaveOut(read);
    removals.tell(undefined);
    answer(part);
    await expect(next).rejects.toThrow(/try again/);
    expect((await removals.leaveOut(() => Promise.resolve(part))).rows).toHaveLength(3);
  });

  it('are not given to a listener that was being caught up', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const count = 1_200;
    await Promise.all(Array.from({ length: count }, (_, index) => one.append(update(`${index}`))));
    while (other.head < count) await delay(5);
    for (let round = 0; round < 20; round += 1) {
      const [given, removed] = [new Set<number>(), new Set<number>()];
      const late: number[] = [];
      const stop = [
        other.onRemoved((positions) => positions?.forEach((position) => removed.add(position))),
        other.tail(0, (entries: readonly ReadEntry[]) => {
          for (const { position } of entries) {
            given.add(position);
            if (removed.has(position)) late.push(position);
          }
        }),
      ];
      const newest = other.head + 1;
      await Promise.all([
        one.append(update(`round ${round}`)).then(() => one.remove([newest, round * 50 + 25])),
        delay(1),
      ]);
      while (!given.has(1)) await delay(1);
      await delay(20);
      for (const end of stop) end();
      expect(late).toEqual([]);
    }
  }, 60_000);

  it('are not waited for by a process that has ended, nor counted for replicas that there are not', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    await append(one, 'a');
    await other.close();
    const start = performance.now();
    await one.remove([1]);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(await logs.redis.command('HLEN', logs.key('followers'))).toBe(1);
    const careful = await logs.open({ replicas: 1 });
    await expect(careful.remove([1])).rejects.toThrow('Removed, but only 0 of 1 replicas confirmed it');
  });

  it('are a gap to nobody where an older build appends beside this one', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const mirror = new Mirror(other);
    await append(one, 'a', 'b', 'c');
    await one.remove([1, 3]);
    const script = await readFile(OLD_APPEND, 'utf8');
    const keys = ['meta', 'log', 'ids', 'keys', 'writer:old'].map((name) => logs.key(name));
    const argv = ['epoch', '', 100, 2 ** 30, 86_400_000, 1, 12_345, 'd', JSON.stringify(update('d')), '', ''];
    await logs.redis.command('EVAL', script, 5, ...keys, ...argv);
    while (other.head < 4) await delay(5);
    expect([mirror.from(0), mirror.resets, other.oldest, await positionsIn(one)]).toEqual([['b', 'd'], [], 1, [2, 4]]);
  });
});
