import { describe, expect, it } from '@jest/globals';
import type { Entry } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { PIECE } from '../../streams/connections/write-queue.js';
import { Background } from './background.js';
import { Cohort } from './cohort.js';
import { UNLIMITED } from '../../access/grants.js';
import { Interest } from '../matching/interest.js';
import { JournalPages } from './journal-pages.js';
import { parseMatcher } from '../matching/matcher.js';
import { RecentLog } from './recent-log.js';
import { Slices } from './slices.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

const COHORT = new Cohort('', new Interest([parseMatcher('exact', 'urn:t', HUB_URL)], HUB_URL), UNLIMITED);

const ENTRIES = Array.from({ length: 100 }, (_, index) => ({
  position: index + 1,
  update: { topics: ['urn:t'], data: '', id: String(index + 1), private: false },
}));

/** Holds the entries, and trims the first 70 of them as soon as something was read. */
class TrimmingJournal extends MemoryJournal {
  private trimmed = 0;

  override get oldest(): number {
    return this.trimmed + 1;
  }

  override read(after: number, limit: number): Promise<readonly Entry[]> {
    const first = Math.max(after, this.trimmed);
    this.trimmed = 70;
    return Promise.resolve(ENTRIES.slice(first, first + limit));
  }
}

describe('a slice of the journal', () => {
  it('ends where a part was trimmed while it was being read, and the next one begins after that', async () => {
    const journal = new TrimmingJournal({ events: 1_000, bytes: 2 ** 20, age: 60_000 });
    const background = new Background();
    const slices = new Slices(new JournalPages(journal, background), new RecentLog(1, 100), background);
    expect(await slices.after({ cursor: 0, history: 0 }, COHORT, 100)).toMatchObject({ first: 1, last: 32 });
    expect(await slices.after({ cursor: 32, history: 0 }, COHORT, 100)).toMatchObject({ first: 71, last: 100 });
  });

  it('is looked for again where it led nowhere before', async () => {
    const journal = new MemoryJournal({ events: 1_000, bytes: 2 ** 20, age: 60_000 });
    const background = new Background();
    const log = new RecentLog(2 ** 20, 0);
    const slices = new Slices(new JournalPages(journal, background), log, background);
    const start = { cursor: 0, history: 0 };
    expect(await slices.after(start, COHORT, 0)).toMatchObject({ first: 1, last: 0 });
    log.push({ position: 1, update: { topics: ['urn:t'], data: 'a', id: 'a', private: false } });
    expect(await slices.after(start, COHORT, 1)).toMatchObject({ first: 1, last: 1 });
  });

  it('is no larger than a piece, or is a single entry whose bytes are shared', async () => {
    const log = new RecentLog(2 ** 24, 0);
    const background = new Background();
    const journal = new MemoryJournal({ events: 1, bytes: 1, age: 1 });
    const slices = new Slices(new JournalPages(journal, background), log, background);
    const sizes = [10, 30_000, 20_000, 500_000, 10, 70_000, 10];
    for (const [index, size] of sizes.entries()) {
      const update = { topics: ['urn:t'], data: 'x'.repeat(size), id: String(index), private: false };
      log.push({ position: index + 1, update });
    }
    const found: number[] = [];
    for (let cursor = 0; cursor < sizes.length;) {
      const slice = await slices.after({ cursor, history: 0 }, COHORT, sizes.length);
      const isAlone = slice.first === slice.last;
      expect(isAlone || (slice.bytes?.chunked.length ?? 0) <= PIECE).toBe(true);
      expect(isAlone && slice.bytes !== log.at(slice.last)?.bytes).toBe(false);
      found.push(slice.last);
      cursor = slice.last;
    }
    expect(found).toEqual([3, 4, 5, 6, 7]);
  });
});
