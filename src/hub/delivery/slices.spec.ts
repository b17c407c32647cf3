import { describe, expect, it } from '@jest/globals';
import type { Entry } from '../../journal/journal.js';
import { MemoryJournal } from '../../journal/memory-journal.js';
import { Background } from './background.js';
import { Cohort } from './cohort.js';
import { UNLIMITED } from '../grants.js';
import { Interest } from '../interest.js';
import { JournalPages } from './journal-pages.js';
import { parseMatcher } from '../matcher.js';
import { RecentLog } from './recent-log.js';
import { Slices } from './slices.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

const ENTRIES = Array.from({ length: 100 }, (_, index) => ({
  position: index + 1,
  update: { topics: ['urn:t'], data: '', id: String(index + 1), private: false },
}));

/** Holds the entries, and trims a part of them as soon as something was read. */
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
    const interest = new Interest([parseMatcher('exact', 'urn:t', HUB_URL)], HUB_URL);
    const cohort = new Cohort('', interest, UNLIMITED);
    expect(await slices.after({ cursor: 0, history: 0 }, cohort, 100)).toMatchObject({ first: 1, last: 32 });
    expect(await slices.after({ cursor: 32, history: 0 }, cohort, 100)).toMatchObject({ first: 71, last: 100 });
  });
});
