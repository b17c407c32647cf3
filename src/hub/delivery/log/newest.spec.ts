import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Journal, StoredEntry } from '../../../storage/journal/journal.js';
import { newRecordId } from '../../../storage/journal/presence-record.js';
import { MemoryJournal } from '../../../storage/journal/memory/memory-journal.js';
import { Background } from '../../../shared/background.js';
import { Interest } from '../../matching/interest.js';
import { Backwards } from './backwards.js';
import { JournalPages } from './journal-pages.js';
import { Newest, type Search } from './newest.js';
import { RecentLog } from './recent-log.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

const WANTED = new Interest([{ type: 'exact', pattern: 'urn:wanted' }], new URL('https://hub.example/'));

function searchFrom(head: number, more: Partial<Search> = {}): Search {
  const { mayRead, isOver } = { mayRead: () => true, isOver: () => false };
  return { head, history: 0, interest: WANTED, mayRead, seesPresence: false, isOver, ...more };
}

/** A journal that finds nothing by topic. */
class WithoutIndex extends MemoryJournal {
  override get topics(): never {
    return undefined as never;
  }
}

function newestOf(journal: Journal, log: RecentLog): Newest {
  const background = new Background();
  return new Newest(journal, new Backwards(log, new JournalPages(journal, background)), background);
}

interface Log {
  readonly count: number;
  /** The newest that the journal holds. */
  readonly held: number;
  /** The newest that the recent log holds. */
  readonly recent: number;
  /** Each which entry has the topic that is wanted. */
  readonly every: number;
  readonly hasIndex?: boolean;
}

async function logOf({ count, held, recent, every, hasIndex = false }: Log): Promise<Newest> {
  const retention = { events: held, bytes: Infinity, age: Infinity };
  const journal = hasIndex ? new MemoryJournal(retention) : new WithoutIndex(retention);
  const log = new RecentLog(Infinity, count - recent);
  for (let position = 1; position <= count; position += 1) {
    const topics = position % every === 0 ? ['urn:a', 'urn:wanted'] : ['urn:a'];
    const update = { topics, data: String(position), id: `urn:${position}`, private: position % 7 === 0 };
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append(update);
    if (position > count - recent) log.push({ position, update });
  }
  return newestOf(journal, log);
}

describe('Newest', () => {
  it('finds the oldest of the newest that are wanted, wherever they are, with an index and without', async () => {
    const sizes = fc.record({
      count: fc.nat(400),
      held: fc.integer({ min: 1, max: 400 }),
      recent: fc.nat(400),
      every: fc.integer({ min: 1, max: 120 }),
      last: fc.integer({ min: 1, max: 50 }),
      hasIndex: fc.boolean(),
      readsPrivate: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ count, held, recent, every, last, hasIndex, readsPrivate }) => {
        const newest = await logOf({ count, held, recent: Math.min(recent, held, count), every, hasIndex });
        const oldest = Math.max(1, count - held + 1);
        const wanted = Array.from({ length: count - oldest + 1 }, (_, index) => oldest + index).filter(
          (position) => position % every === 0 && (readsPrivate || position % 7 !== 0),
        );
        const position = wanted.slice(-last)[0];
        const expected = position && { position, before: position > oldest ? `urn:${position - 1}` : undefined };
        const search = searchFrom(count, { mayRead: (update) => readsPrivate || !update.private });
        expect(await newest.find(last, search)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('reads through a part of a long log only, where there is no index', async () => {
    const count = HUB_LIMITS.lastLookedThrough + 1_000;
    const newest = await logOf({ count, held: count, recent: 100, every: 1 });
    let looks = 0;
    const mayRead = (): boolean => {
      looks += 1;
      return false;
    };
    expect(await newest.find(1, searchFrom(count, { mayRead }))).toBeUndefined();
    expect(looks).toBeGreaterThanOrEqual(HUB_LIMITS.lastLookedThrough);
    expect(looks).toBeLessThan(HUB_LIMITS.lastLookedThrough + 100);
  });

  it('finds by topic what lies behind any number of other updates, and looks at no more than it may', async () => {
    const count = 3 * HUB_LIMITS.lastLookedThrough;
    const newest = await logOf({ count, held: count, recent: 100, every: count - 1, hasIndex: true });
    expect(await newest.find(1, searchFrom(count))).toMatchObject({ position: count - 1 });
    const dense = await logOf({ count, held: count, recent: 100, every: 2, hasIndex: true });
    let looks = 0;
    const mayRead = (): boolean => {
      looks += 1;
      return false;
    };
    expect(await dense.find(1, searchFrom(count, { mayRead }))).toBeUndefined();
    expect(looks).toBe(HUB_LIMITS.lastLookedThrough);
  });

  it('finds updates behind any crowd that has come and gone since', async () => {
    const journal = new WithoutIndex({ events: 100, bytes: Infinity, age: Infinity });
    const log = new RecentLog(Infinity, 0);
    journal.tail(0, (entries) => entries.forEach((entry) => void log.push(entry as StoredEntry)));
    for (const id of ['a', 'b']) await journal.append({ topics: ['urn:wanted'], data: '', id, private: false });
    for (let count = 0; count < 3 * HUB_LIMITS.lastLookedThrough; count += 10) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.appendPresence({ id: newRecordId(), events: 10, content: '' });
    }
    expect(await newestOf(journal, log).find(2, searchFrom(journal.head))).toMatchObject({ position: 1 });
  });

  it('stops within an entry once nobody waits for the result', async () => {
    const newest = await logOf({ count: 1_000, held: 1_000, recent: 1_000, every: 1 });
    let looks = 0;
    const mayRead = (): boolean => {
      looks += 1;
      return false;
    };
    expect(await newest.find(1, searchFrom(1_000, { mayRead, isOver: () => looks >= 7 }))).toBeUndefined();
    expect(looks).toBe(7);
  });
});
