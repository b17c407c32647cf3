import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Journal, ReadEntry, Reading } from '../../src/storage/journal/journal.js';
import { RedisFollower } from '../../src/storage/journal/redis/redis-follower.js';
import { NO_REMOVAL, type RedisLog } from '../../src/storage/journal/redis/redis-log.js';
import type { Row } from '../../src/storage/journal/redis/redis-row.js';
import { RedisTail } from '../../src/storage/journal/redis/redis-tail.js';
import { RedisTimeline } from '../../src/storage/journal/redis/redis-timeline.js';
import type { RedisConnection } from '../../src/storage/redis/redis-connection.js';
import type { RedisLink } from '../../src/storage/redis/redis-link.js';
import { update } from './open-redis.js';

function entryAt(position: number): ReadEntry {
  return { position, update: update(`${position}`) };
}

function readingOf(...positions: number[]): Reading {
  return { entries: positions.map(entryAt), upTo: positions.at(-1) ?? 0, oldest: 1, oldestPresence: 1 };
}

/** A journal whose readings the test answers. */
class SlowJournal {
  head = 0;
  readonly asked: { readonly after: number; readonly answer: (reading: Reading) => void }[] = [];

  read(after: number): Promise<Reading> {
    return new Promise((answer) => this.asked.push({ after, answer }));
  }
}

describe('what comes while something is being read from Redis', () => {
  function begin(head: number): { journal: SlowJournal; tail: RedisTail; given: number[] } {
    const journal = new SlowJournal();
    journal.head = head;
    const given: number[] = [];
    const listener = (entries: readonly ReadEntry[]): void => {
      given.push(...entries.map(({ position }) => position));
    };
    const tail = new RedisTail(0, journal as unknown as Journal, listener, undefined);
    tail.goOn();
    return { journal, tail, given };
  }

  it('is not given out once it was removed', async () => {
    const { journal, tail, given } = begin(2);
    tail.take([entryAt(3), entryAt(4)]);
    journal.head = 4;
    tail.remove([3]);
    journal.asked[0]?.answer(readingOf(1, 2));
    await delay(1);
    // The removed one has left a hole, for which the rest is read.
    journal.asked[1]?.answer(readingOf(4));
    await delay(1);
    expect(given).toEqual([1, 2, 4]);
  });

  it('is read from where the log was cut off meanwhile', async () => {
    const { journal, tail, given } = begin(4);
    journal.asked[0]?.answer(readingOf(1, 2));
    await delay(1);
    expect(journal.asked[1]?.after).toBe(2);
    tail.reset(1);
    journal.head = 5;
    journal.asked[1]?.answer(readingOf(3, 4, 5));
    await delay(1);
    expect([journal.asked[2]?.after, given]).toEqual([1, [1, 2]]);
    journal.asked[2]?.answer(readingOf(2, 3, 4, 5));
    await delay(1);
    expect([given, tail.isBehind]).toEqual([[1, 2, 2, 3, 4, 5], false]);
  });

  it('is not handed on after its removal was told', async () => {
    const report = { epoch: 'e', head: 5, nonce: 1, oldest: 1, oldestPresence: 1, lastId: undefined };
    const rowAt = (position: number): Row => ({
      ...(entryAt(position) as { position: number }),
      store: 'updates',
      events: 1,
      nonce: 1,
      previous: 1,
    });
    const told: (number | string)[] = [];
    let removal = NO_REMOVAL;
    const progress = { isOver: false };
    const log = {
      follow: (_: unknown, position: number, known: string) => {
        const found = position < 5 ? {} : { found: { position: 5, nonce: 1 } };
        return Promise.resolve({ report, removal, removed: removal === known ? [] : [4], ...found });
      },
      // The fourth is removed once it has been read; what lies before the third was trimmed.
      read: () => {
        const rows = (removal === NO_REMOVAL ? [3, 4, 5] : [3, 5]).map(rowAt);
        removal = '1-1';
        return Promise.resolve({ report, upTo: 5, rows });
      },
      wait: () => {
        progress.isOver = true;
        return Promise.resolve({ rows: [], isCut: false, isRemoved: false });
      },
    } as unknown as RedisLog;
    const link = {
      get: () => Promise.resolve({} as RedisConnection),
      drop: () => undefined,
      close: () => Promise.resolve(),
      get isClosed() {
        return progress.isOver;
      },
    } as unknown as RedisLink;
    const follower = new RedisFollower(link, log, new RedisTimeline('e', 0, undefined), NO_REMOVAL, {
      rows: (rows) => told.push(...rows.map(({ position }) => position)),
      reset: () => told.push('reset'),
      removed: (positions) => told.push(`removed ${String(positions)}`),
      report: () => undefined,
    });
    while (!progress.isOver) await delay(1);
    await follower.close();
    expect(told).toEqual(['removed 4', 3, 5]);
  });
});
