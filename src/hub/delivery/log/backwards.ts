import { JournalPages, type PageEntry } from './journal-pages.js';
import { type RecentEntry, RecentPresence } from './recent-entry.js';
import type { RecentLog } from './recent-log.js';

/** Entries that are looked at in one go. */
const STEP = 256;

/** What a read of the journal counts for at least, however few updates it gives. */
const READ = 8;

/** A part of the log: what is held after one position, up to another. The last entry may reach beyond it. */
export interface Part {
  readonly after: number;
  readonly upTo: number;
  /** The oldest first. */
  readonly entries: readonly PageEntry[];
  /** What looking through it counts for. */
  readonly cost: number;
}

/** Goes through the log from the newest entry back, part by part. */
export class Backwards {
  constructor(
    private readonly log: RecentLog,
    private readonly pages: JournalPages,
  ) {}

  /** Some entries that take positions up to `upTo`. */
  async upTo(upTo: number, history: number): Promise<Part> {
    if (upTo >= this.log.oldest) {
      const after = Math.max(this.log.oldest - 1, upTo - STEP);
      const entries = this.log.between(after, this.log.head, STEP);
      return { after, upTo, entries, cost: Math.max(1, updatesIn(entries)) };
    }
    const page = await this.pages.around(upTo, history);
    // Where updates of this page have been trimmed, all before it have been.
    const after = page && page.oldest === 0 ? JournalPages.startOf(upTo) : 0;
    const entries = page?.entries ?? [];
    return { after, upTo, entries, cost: Math.max(READ, updatesIn(entries)) };
  }

  /** The updates at these positions, of which the newest comes first, in the same order. What is not held is left out. */
  async at(positions: readonly number[]): Promise<RecentEntry[]> {
    const found: RecentEntry[] = [];
    const older: number[] = [];
    for (const position of positions) {
      const entry = position >= this.log.oldest ? this.log.next(position - 1) : undefined;
      if (position < this.log.oldest) older.push(position);
      else if (entry?.position === position && isUpdate(entry)) found.push(entry);
    }
    const read: RecentEntry[] = [];
    for (let left = older.toReversed(); left.length > 0;) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const { entries, upTo } = await this.pages.at(left);
      read.push(...entries.filter(isUpdate));
      left = left.filter((position) => position > upTo);
    }
    return [...found, ...read.toReversed()];
  }
}

export function isHeld(entry: PageEntry): entry is RecentEntry | RecentPresence {
  return entry instanceof RecentPresence || entry.update !== undefined;
}

export function isUpdate(entry: PageEntry): entry is RecentEntry {
  return !(entry instanceof RecentPresence) && entry.update !== undefined;
}

function updatesIn(entries: readonly PageEntry[]): number {
  return entries.filter((entry) => !(entry instanceof RecentPresence)).length;
}
