import { describe, expect, it } from '@jest/globals';
import type { Reading } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { PIECE } from '../../streams/connections/write-queue.js';
import { Background } from '../../shared/background.js';
import { Cohort } from './cohort.js';
import { UNLIMITED } from '../../access/grants.js';
import { Interest } from '../matching/interest.js';
import { JournalPages } from './log/journal-pages.js';
import { parseMatcher } from '../matching/matcher.js';
import type { Reader } from './reader.js';
import type { RecentEntry } from './log/recent-entry.js';
import { RecentLog } from './log/recent-log.js';
import { Slices } from './slices.js';
import { TopicPlans } from './topic-plans.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

const COHORT = new Cohort('', new Interest([parseMatcher('exact', 'urn:t', HUB_URL)], HUB_URL), UNLIMITED);
COHORT.enter();

const RETENTION = { events: 1_000, bytes: 2 ** 20, age: 60_000 };

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

  override read(after: number, limit: number): Promise<Reading> {
    const { oldest } = this;
    const first = Math.max(after, this.trimmed);
    this.trimmed = 70;
    const entries = ENTRIES.slice(first, first + limit);
    const upTo = entries.at(-1)?.position ?? ENTRIES.length;
    return Promise.resolve({ entries, upTo, oldest, oldestPresence: 1 });
  }
}

describe('a slice of the journal', () => {
  it('ends where a part was trimmed while it was being read, and the next one begins after that', async () => {
    const journal = new TrimmingJournal({ events: 1_000, bytes: 2 ** 20, age: 60_000 });
    const background = new Background();
    const slices = new Slices(
      new JournalPages(journal, background),
      new RecentLog(1, 100),
      background,
      new TopicPlans(journal, background),
    );
    expect(await slices.after({ cursor: 0, history: 0 }, COHORT, 100)).toMatchObject({ first: 1, last: 32 });
    expect(await slices.after({ cursor: 32, history: 0 }, COHORT, 100)).toMatchObject({ first: 71, last: 100 });
  });

  it('is looked for again where it led nowhere before', async () => {
    const journal = new MemoryJournal({ events: 1_000, bytes: 2 ** 20, age: 60_000 });
    const background = new Background();
    const log = new RecentLog(2 ** 20, 0);
    const slices = new Slices(
      new JournalPages(journal, background),
      log,
      background,
      new TopicPlans(journal, background),
    );
    const start = { cursor: 0, history: 0 };
    expect(await slices.after(start, COHORT, 0)).toMatchObject({ first: 1, last: 0 });
    log.push({ position: 1, update: { topics: ['urn:t'], data: 'a', id: 'a', private: false } });
    expect(await slices.after(start, COHORT, 1)).toMatchObject({ first: 1, last: 1 });
  });

  it('is no larger than a piece, or is a single entry whose bytes are shared', async () => {
    const log = new RecentLog(2 ** 24, 0);
    const background = new Background();
    const journal = new MemoryJournal({ events: 1, bytes: 1, age: 1 });
    const slices = new Slices(
      new JournalPages(journal, background),
      log,
      background,
      new TopicPlans(journal, background),
    );
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
      expect(isAlone && slice.bytes !== (log.next(slice.last - 1) as RecentEntry).bytes).toBe(false);
      found.push(slice.last);
      cursor = slice.last;
    }
    expect(found).toEqual([3, 4, 5, 6, 7]);
  });
});

describe('a slice for matchers that take long', () => {
  const PATTERNS = ['https://t.example/:id/a', 'https://t.example/:id/b', 'https://t.example/:id/c'];

  function stage(): { cohort: Cohort; slices: Slices; turns: () => number; looks: () => number } {
    const cohort = new Cohort(
      '',
      new Interest(
        PATTERNS.map((pattern) => parseMatcher('urlpattern', pattern, HUB_URL)),
        HUB_URL,
      ),
      UNLIMITED,
    );
    // Each look at the clock takes a third of what there is for one turn of the event loop.
    let now = 0;
    const background = new Background(() => (now += 1 / 3));
    const log = new RecentLog(2 ** 24, 0);
    for (let position = 1; position <= 50; position += 1) {
      const topics = [`https://t.example/${position}/c`];
      log.push({ position, update: { topics, data: '', id: String(position), private: false } });
    }
    let turns = 0;
    const count = (): void => {
      turns += 1;
      ticking = setImmediate(count);
    };
    let ticking = setImmediate(count);
    let looks = 0;
    const search = cohort.search.bind(cohort);
    cohort.search = (update) => {
      looks += 1;
      return search(update);
    };
    const journal = new MemoryJournal(RETENTION);
    const slices = new Slices(
      new JournalPages(journal, background),
      log,
      background,
      new TopicPlans(journal, background),
    );
    return {
      cohort,
      slices,
      turns: () => {
        clearImmediate(ticking);
        return turns;
      },
      looks: () => looks,
    };
  }

  it('is made in many turns of the event loop, a few patterns in each', async () => {
    const { cohort, slices, turns } = stage();
    cohort.enter();
    expect(await slices.after({ cursor: 0, history: 0 }, cohort, 50)).toMatchObject({ first: 1, last: 50 });
    // Two patterns that do not match and the entry itself are three steps each.
    expect(turns()).toBeGreaterThan(40);
  });

  it('ends with the entry at which the last reader has left', async () => {
    const { cohort, slices, turns, looks } = stage();
    cohort.enter();
    const slice = slices.after({ cursor: 0, history: 0 }, cohort, 50);
    while (looks() < 10) await new Promise(setImmediate);
    const atEnd = looks();
    cohort.leave({} as Reader);
    const { last } = await slice;
    turns();
    expect([looks(), last]).toEqual([atEnd, atEnd]);
  });
});
