import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { StoredEntry } from '../../../storage/journal/journal.js';
import { newRecordId } from '../../../storage/journal/presence-record.js';
import { MemoryJournal } from '../../../storage/journal/memory/memory-journal.js';
import { Background } from '../../../shared/background.js';
import { JournalPages } from './journal-pages.js';
import { Newest } from './newest.js';
import { RecentLog } from './recent-log.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

/** A log of `count` updates, of which the journal holds the newest `held`, and the recent log the newest `recent`. */
async function logOf(count: number, held: number, recent: number): Promise<Newest> {
  const background = new Background();
  const journal = new MemoryJournal({ events: held, bytes: Infinity, age: Infinity });
  const log = new RecentLog(Infinity, count - recent);
  for (let position = 1; position <= count; position += 1) {
    const update = { topics: ['urn:t'], data: String(position), id: `urn:${position}`, private: false };
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append(update);
    if (position > count - recent) log.push({ position, update });
  }
  return new Newest(log, new JournalPages(journal, background), background);
}

describe('Newest', () => {
  it('finds the oldest of the newest that are wanted, wherever they are', async () => {
    const sizes = fc.record({
      count: fc.nat(400),
      held: fc.integer({ min: 1, max: 400 }),
      recent: fc.nat(400),
      every: fc.integer({ min: 1, max: 120 }),
      last: fc.integer({ min: 1, max: 50 }),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ count, held, recent, every, last }) => {
        const newest = await logOf(count, held, Math.min(recent, held, count));
        const wants = function* ({ data }: { data: string }): Generator<void, boolean> {
          if (Number(data) % 2 === 0) yield;
          return Number(data) % every === 0;
        };
        const oldest = Math.max(1, count - held + 1);
        const wanted = Array.from({ length: count - oldest + 1 }, (_, index) => oldest + index).filter(
          (position) => position % every === 0,
        );
        const position = wanted.slice(-last)[0];
        const expected = position && { position, before: position > oldest ? `urn:${position - 1}` : undefined };
        expect(
          await newest.find(last, { head: count, history: 0, wants, seesPresence: false, isOver: () => false }),
        ).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('looks through a part of a long log only', async () => {
    const count = HUB_LIMITS.lastLookedThrough + 1_000;
    const newest = await logOf(count, count, 100);
    let looks = 0;
    const wants = function* (): Generator<void, boolean> {
      looks += 1;
      yield;
      return false;
    };
    expect(
      await newest.find(1, { head: count, history: 0, wants, seesPresence: false, isOver: () => false }),
    ).toBeUndefined();
    expect(looks).toBeGreaterThanOrEqual(HUB_LIMITS.lastLookedThrough);
    expect(looks).toBeLessThan(HUB_LIMITS.lastLookedThrough + 100);
  });

  it('finds updates behind any crowd that has come and gone since', async () => {
    const background = new Background();
    const journal = new MemoryJournal({ events: 100, bytes: Infinity, age: Infinity });
    const log = new RecentLog(Infinity, 0);
    journal.tail(0, (entries) => entries.forEach((entry) => void log.push(entry as StoredEntry)));
    for (const id of ['a', 'b']) await journal.append({ topics: ['urn:t'], data: '', id, private: false });
    for (let count = 0; count < 3 * HUB_LIMITS.lastLookedThrough; count += 10) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.appendPresence({ id: newRecordId(), events: 10, content: '' });
    }
    const newest = new Newest(log, new JournalPages(journal, background), background);
    const wants = function* (): Generator<void, boolean> {
      yield;
      return true;
    };
    const search = { head: journal.head, history: 0, wants, seesPresence: false, isOver: () => false };
    expect(await newest.find(2, search)).toMatchObject({ position: 1 });
  });

  it('stops within an entry once nobody waits for the result', async () => {
    const newest = await logOf(1_000, 1_000, 1_000);
    let looks = 0;
    const wants = function* (): Generator<void, boolean> {
      looks += 1;
      yield;
      return false;
    };
    const search = { head: 1_000, history: 0, wants, seesPresence: false, isOver: () => looks >= 7 };
    expect(await newest.find(1, search)).toBeUndefined();
    expect(looks).toBe(7);
  });
});
