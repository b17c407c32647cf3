import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Reading } from '../../../storage/journal/journal.js';
import { MemoryJournal } from '../../../storage/journal/memory/memory-journal.js';
import { Background } from '../../../shared/background.js';
import { JournalPages } from './journal-pages.js';

/** A journal that counts its reads, and can hold them back until `release`. */
class CountedJournal extends MemoryJournal {
  reads = 0;
  atOnce = 0;
  most = 0;
  private readonly held: (() => void)[] = [];

  constructor(
    events: number,
    private readonly isHeld = false,
    private readonly atMost = Infinity,
  ) {
    super({ events, bytes: Infinity, age: Infinity });
  }

  async fill(count: number): Promise<this> {
    for (let index = 1; index <= count; index += 1) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.append({ topics: ['urn:a'], data: String(index), id: `urn:${index}`, private: false });
    }
    return this;
  }

  override async read(after: number, limit: number): Promise<Reading> {
    this.reads += 1;
    this.atOnce += 1;
    this.most = Math.max(this.most, this.atOnce);
    if (this.isHeld) await new Promise<void>((resolve) => this.held.push(resolve));
    this.atOnce -= 1;
    return super.read(after, Math.min(limit, this.atMost));
  }

  release(): void {
    for (const resolve of this.held.splice(0)) resolve();
  }
}

/** A journal in which comings are trimmed as soon as the first one has been found, and an update follows them. */
class TrimmedWhileRead extends MemoryJournal {
  updateAt = Infinity;

  constructor() {
    super({ events: 100, bytes: Infinity, age: Infinity }, undefined, { events: 3, bytes: Infinity, age: Infinity });
  }

  async crowd(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await this.appendPresence({ id: 'urn:x', events: 1, content: '' });
    }
  }

  override async read(after: number, limit: number): Promise<Reading> {
    const reading = await super.read(after, limit);
    if (limit === 1 && this.updateAt === Infinity) {
      this.updateAt = this.head + 101;
      await this.crowd(100);
      await this.append({ topics: ['urn:a'], data: '2', id: 'urn:2', private: false });
    }
    return reading;
  }
}

describe('JournalPages', () => {
  it('reads a range once for all who ask for it, at once or later', async () => {
    const journal = await new CountedJournal(1_000).fill(1_000);
    const pages = new JournalPages(journal, new Background());
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => pages.after(300)));
    expect(new Set(answers.map(({ entries }) => entries.map(({ position }) => position).join())).size).toBe(1);
    await pages.after(310);
    expect(journal.reads).toBe(1);
  });

  it('reads only some pages side by side, and all of them in the end', async () => {
    const journal = await new CountedJournal(20_000, true).fill(20_000);
    const pages = new JournalPages(journal, new Background());
    const progress = { isDone: false };
    const all = Promise.all(Array.from({ length: 50 }, (_, page) => pages.after(page * 32))).finally(
      () => (progress.isDone = true),
    );
    while (!progress.isDone) {
      // oxlint-disable-next-line no-await-in-loop -- one round of reads after the other
      await new Promise(setImmediate);
      journal.release();
    }
    expect(journal.most).toBe(8);
    expect((await all).map(({ entries }) => entries.length)).toEqual(Array.from({ length: 50 }, () => 32));
  });

  it('goes on with the oldest that is held where what was asked for has been trimmed', async () => {
    const pages = new JournalPages(await new CountedJournal(100).fill(1_000), new Background());
    const { entries, oldest } = await pages.after(3);
    expect([entries[0]?.position, oldest]).toEqual([901, 901]);
  });

  it('passes over any number of holes in two reads', async () => {
    const journal = new CountedJournal(1_000);
    await journal.fill(1);
    for (let count = 0; count < 3_000; count += 1)
      await journal.appendPresence({ id: 'urn:x', events: 1, content: '' });
    await journal.fill(1);
    const pages = new JournalPages(journal, new Background());
    const { entries, oldest, oldestPresence } = await pages.after(1);
    expect([entries[0]?.position, oldest, oldestPresence]).toEqual([2_002, 0, 2_002]);
    const { reads } = journal;
    expect((await pages.after(3_002)).entries).toEqual([]);
    expect(await pages.after(3_001)).toMatchObject({ entries: [{ position: 3_002 }], oldest: 0 });
    expect([reads, journal.reads]).toEqual([3, 6]);
  });

  it('does not pass what comes after a page of which nothing is held any more', async () => {
    const journal = new TrimmedWhileRead();
    await journal.append({ topics: ['urn:a'], data: '1', id: 'urn:1', private: false });
    await journal.crowd(40);
    const pages = new JournalPages(journal, new Background());
    const passed = await pages.after(1);
    // The one update lies further on, and whoever has read this page reads on to it.
    expect(passed.entries).toEqual([]);
    expect(passed.upTo).toBeLessThan(journal.updateAt);
    expect((await pages.after(passed.upTo)).entries.at(-1)?.position).toBe(journal.updateAt);
  });

  it('reads again for who wants what was appended while the page was being read', async () => {
    const journal = await new CountedJournal(1_000, true).fill(10);
    const pages = new JournalPages(journal, new Background());
    const early = pages.after(5);
    await new Promise(setImmediate);
    await journal.fill(1);
    // This call comes while the page is being read as it was before the append.
    const late = pages.after(10);
    for (let round = 0; round < 6; round += 1) {
      journal.release();
      // oxlint-disable-next-line no-await-in-loop -- one round of reads after the other
      await new Promise(setImmediate);
    }
    expect((await early).entries[0]?.position).toBe(6);
    expect((await late).entries.map(({ position }) => position)).toEqual([11]);
  });

  it('gives everything after any cursor, in order, step by step, also what is appended meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 0, max: 699 }),
        fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 3 }),
        fc.integer({ min: 1, max: 40 }),
        async (held, from, more, atMost) => {
          // Engines may give fewer entries than they are asked for.
          const journal = await new CountedJournal(10_000, false, atMost).fill(held);
          const pages = new JournalPages(journal, new Background());
          const seen: number[] = [];
          let cursor = Math.min(from, held);
          const start = cursor;
          for (const count of [0, ...more]) {
            await journal.fill(count);
            while (cursor < journal.head) {
              const { entries, oldest } = await pages.after(cursor);
              expect(oldest).toBe(0);
              seen.push(...entries.map(({ position }) => position));
              cursor = seen.at(-1) ?? cursor;
            }
          }
          expect(seen).toEqual(Array.from({ length: journal.head - start }, (_, index) => start + 1 + index));
        },
      ),
      { numRuns: 50 },
    );
  });
});
