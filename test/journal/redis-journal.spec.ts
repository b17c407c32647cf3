import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import {
  isPresence,
  type Journal,
  JournalUnavailableError,
  type ReadEntry,
} from '../../src/storage/journal/journal.js';
import type { RedisJournal, RedisJournalOptions } from '../../src/storage/journal/redis/redis-journal.js';
import { TOOLS } from '../support/contract-tools.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { describeJournal, type Engine } from '../../src/contracts/journal.js';
import { openRedis, PLENTY, update } from './open-redis.js';
import { describePresence } from '../../src/contracts/presence.js';
import { describeTopics } from '../../src/contracts/topics.js';

/** Puts an entry with the id `other` in the place of the newest, the third. */
const REPLACE_THIRD = `
local row = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local nonce = string.format('%.0f', tonumber(string.match(row[1], '%d+$')) + 1)
redis.call('XDEL', KEYS[1], row[1])
row[2][6] = 'other'
redis.call('XADD', KEYS[1], '3-' .. nonce, unpack(row[2]))
redis.call('ZREMRANGEBYLEX', KEYS[2], '[3\\n', '(3\\n:')
redis.call('ZADD', KEYS[2], 0, 'other\\n' .. string.format('%016.0f', 3))
redis.call('HSET', KEYS[3], 'nonce', nonce, 'last', 'other')
`;

/** Puts something of another program's in the place of the entries with these ids. */
const SPOIL = `
local rows = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for _, row in ipairs(rows) do
  local fields = row[2]
  for _, id in ipairs(ARGV) do
    if fields[6] == id then fields = { 'not', 'ours' } end
  end
  redis.call('XADD', KEYS[1], row[1], unpack(fields))
end
`;

function idOf(entry: ReadEntry): string | undefined {
  return isPresence(entry) ? entry.record.id : entry.update?.id;
}

function isLarge(entry: ReadEntry): boolean {
  return !isPresence(entry) && (entry.update?.data.length ?? 0) > 1_000;
}

async function idsIn(journal: RedisJournal): Promise<(string | undefined)[]> {
  return (await journal.read(0, 1_000)).entries.map(idOf);
}

describeWith(redisServer, 'Redis', (program) => {
  let redis: RedisServer;
  let prefixes = 0;

  beforeAll(async () => {
    redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  function open(more: Partial<RedisJournalOptions> = {}): Promise<RedisJournal> {
    return openRedis(redis.url, `test-${prefixes}`, more);
  }

  /** Opens the newest journal of the suite. */
  let openAgain: () => Promise<RedisJournal>;

  async function again(journal: Journal): Promise<Journal> {
    await journal.close();
    return openAgain();
  }

  const engine: Engine = {
    name: 'redis',
    open: (retention, now, presence) => {
      prefixes += 1;
      openAgain = () => open({ retention, now, ...(presence && { presenceRetention: presence }) });
      return openAgain();
    },
    again,
    spoil: async (journal, ids) => {
      await journal.close();
      await redis.command('EVAL', SPOIL, 1, `{test-${prefixes}}:log`, ...ids);
      return openAgain();
    },
  };
  describeJournal(TOOLS, engine);
  describePresence(TOOLS, engine);
  describeTopics(TOOLS, {
    name: 'redis',
    again,
    open: (retention, now, presenceRetention, addresses) => {
      prefixes += 1;
      openAgain = () => open({ retention, now, presenceRetention, addresses });
      return openAgain();
    },
  });

  it('is the same for all who share it, and not for those with another prefix', async () => {
    prefixes += 1;
    const [one, other, stranger] = [await open(), await open(), await open({ prefix: 'another' })];
    await one.append(update('1'));
    await other.append(update('2'));
    expect([await idsIn(one), await idsIn(other), await idsIn(stranger)]).toEqual([['1', '2'], ['1', '2'], []]);
    await Promise.all([one, other, stranger].map((journal) => journal.close()));
  });

  it('stores an update once whose answer was lost, and finds out what became of it', async () => {
    prefixes += 1;
    const journal = await open();
    redis.freeze();
    const appended = journal.append(update('1'));
    // It lies in the socket of the frozen Redis, which will read it after all.
    while (journal.isAvailable) await delay(10);
    redis.thaw();
    expect(await appended).toMatchObject({ outcome: 'stored', position: 1 });
    expect(await journal.append(update('2'))).toMatchObject({ position: 2 });
    expect(await idsIn(journal)).toEqual(['1', '2']);
    await journal.close();
  });

  it('reads no more at once than fits into a few megabytes, and misses nothing, be it behind or not', async () => {
    prefixes += 1;
    const [one, other] = [await open(), await open()];
    const batches: (readonly ReadEntry[])[] = [];
    other.tail(0, (entries) => void batches.push(entries));
    const large = 'x'.repeat(2 ** 20);
    const ids = Array.from({ length: 60 }, (_, index) => `${index < 40 ? 'large' : 'small'} ${index}`);
    await Promise.all(ids.map((id) => one.append(update(id, id.startsWith('large') ? large : id))));
    while (batches.flat().length < ids.length) await delay(10);
    expect(batches.flat().map(idOf)).toEqual(ids);
    // What is waited for is at most 16 rows; what is there already, a megabyte, or the one row that is larger.
    expect(Math.max(...batches.map((batch) => batch.filter(isLarge).length))).toBeLessThanOrEqual(16);
    const read: (string | undefined)[] = [];
    let position = 0;
    for (;;) {
      const { entries } = await one.read(position, 512);
      if (entries.length === 0) break;
      expect(entries.filter(isLarge).length).toBeLessThanOrEqual(1);
      read.push(...entries.map(idOf));
      position = entries.at(-1)?.position ?? 0;
    }
    expect(read).toEqual(ids);
    await Promise.all([one, other].map((journal) => journal.close()));
  });

  it('leaves nothing in Redis that is not bounded by what it keeps', async () => {
    prefixes += 1;
    const journal = await open({ retention: { ...PLENTY, events: 5 } });
    for (let number = 0; number < 50; number += 1) {
      await journal.append(update(`${number % 7}`), { idempotencyKey: `k${number}`, fingerprint: '' });
    }
    const sizes = ['XLEN log', 'ZCARD ids', 'HLEN keys'].map(async (question) => {
      const [command = '', key = ''] = question.split(' ');
      return redis.command(command, `{test-${prefixes}}:${key}`);
    });
    expect(await Promise.all(sizes)).toEqual([5, 5, 5]);
    await journal.close();
  });

  it('takes the log for another one when Redis was emptied', async () => {
    prefixes += 1;
    const journal = await open();
    const epoch = (): Promise<unknown> => redis.command('HGET', `{test-${prefixes}}:meta`, 'epoch');
    const resets: number[] = [];
    journal.tail(
      0,
      () => undefined,
      (position) => resets.push(position),
    );
    await journal.append(update('1'));
    const before = await epoch();
    await redis.command('FLUSHALL');
    await journal.append(update('2'));
    expect(await epoch()).not.toBe(before);
    while (resets.length === 0) await delay(10);
    expect(resets).toEqual([0]);
    await journal.close();
  });

  it('does not take the id of an entry for a place in a log that has lost that place meanwhile', async () => {
    prefixes += 1;
    const journal = await open();
    for (const id of ['1', '2', '3']) await journal.append(update(id));
    const resets: number[] = [];
    journal.tail(
      3,
      () => undefined,
      (position) => resets.push(position),
    );
    // As after a failover: another entry has the place of the third. Herald notices at its next look, within a second.
    const keys = ['log', 'ids', 'meta'].map((name) => `{test-${prefixes}}:${name}`);
    await redis.command('EVAL', REPLACE_THIRD, 3, ...keys);
    const position = await journal.locate('other').catch((error: unknown) => error);
    if (resets.length === 0) expect(position).toBeInstanceOf(JournalUnavailableError);
    while (resets.length === 0) await delay(10);
    await journal.append(update('4'));
    expect([await journal.locate('other'), await journal.locate('3'), resets]).toEqual([3, undefined, [2]]);
    await journal.close();
  });

  it('says that nothing was stored when Redis has no room', async () => {
    prefixes += 1;
    const journal = await open();
    await redis.command('CONFIG', 'SET', 'maxmemory', '1mb');
    try {
      await expect(journal.append(update('1'))).rejects.toThrow(/does not take updates at the moment \(OOM\)/);
    } finally {
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }
    expect(await journal.append(update('2'))).toMatchObject({ position: 1 });
    await journal.close();
  });

  it('works on a Redis Cluster', async () => {
    await using node = await RedisServer.start(program, { configuration: ['cluster-enabled yes'] });
    await node.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    while (!String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) await delay(20);
    const journal = await open({ url: node.url, isCluster: true });
    await journal.append(update('1'));
    expect([await idsIn(journal), await journal.locate('1'), journal.head]).toEqual([['1'], 1, 1]);
    await journal.close();
  });
});
