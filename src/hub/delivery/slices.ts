import type { WireBytes } from '../../sse/connection.js';
import { type Cohort, join } from './cohort.js';
import type { Background } from './background.js';
import type { JournalPages } from './journal-pages.js';
import type { RecentEntry, RecentLog } from './recent-log.js';

/** A slice is written at once, so this bounds what a reader that stalls keeps alive. Bytes. */
const SLICE_BYTES = 64 * 1024;

/** Entries looked at for one slice, so that a cohort which wants few of many does not hold up everybody. */
const SLICE_ENTRIES = 2_048;

/** All remembered slices together. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/** A stretch of the log as one cohort sees it. */
export interface Slice {
  /** The position of the first entry looked at. */
  readonly first: number;
  /** The position of the last entry looked at: where the cursor stands after the slice. */
  readonly last: number;
  /** Absent when the cohort wanted none of them. */
  readonly bytes: WireBytes | undefined;
}

/** Whose slice it is. */
export interface Reader {
  readonly cohort: Cohort;
  /** Which history of the log it reads: see `FanOut`. */
  readonly history: number;
}

/**
 * Reads the log for those that are behind: out of the recent log, or out of the journal where that has moved on. A slice
 * is read and joined once for all readers of a cohort that come by the same cursor, such as all that were cut off by a
 * restart; the last few are remembered.
 */
export class Slices {
  private readonly remembered = new Map<string, Slice | Promise<Slice>>();
  private rememberedBytes = 0;

  constructor(
    private readonly pages: JournalPages,
    private readonly log: RecentLog,
    private readonly background: Background,
  ) {}

  /** The slice that begins right after `cursor` and ends at `limit` or before. */
  after(cursor: number, { cohort, history }: Reader, limit: number): Slice | Promise<Slice> {
    const key = `${cursor} ${cohort.id} ${history}`;
    const known = this.remembered.get(key);
    if (known) return known;
    if (cursor + 1 >= this.log.oldest) return this.remember(key, this.fromRecentLog(cursor, cohort, limit));
    const reading = this.fromJournal(cursor, { cohort, history }, limit);
    this.remembered.set(key, reading);
    reading.then(
      (slice) => this.remember(key, slice),
      () => this.remembered.delete(key),
    );
    return reading;
  }

  private fromRecentLog(cursor: number, cohort: Cohort, limit: number): Slice {
    const end = Math.min(limit, cursor + SLICE_ENTRIES);
    const builder = new SliceBuilder(cursor + 1, cohort);
    for (let position = cursor + 1; position <= end && !builder.isFull; position += 1) {
      const entry = this.log.at(position);
      if (entry) builder.add(entry);
    }
    return builder.build();
  }

  private async fromJournal(cursor: number, { cohort, history }: Reader, limit: number): Promise<Slice> {
    let page = await this.pages.after(cursor, history);
    const builder = new SliceBuilder(page[0]?.position ?? cursor + 1, cohort);
    while (page.length > 0) {
      const entries = page;
      // oxlint-disable-next-line no-await-in-loop -- in order
      const isDone = await this.background.do(() => builder.addAll(entries, limit));
      if (isDone || builder.last - cursor >= SLICE_ENTRIES) break;
      // oxlint-disable-next-line no-await-in-loop -- in order; most pages are there already
      page = await this.pages.after(builder.last, history);
    }
    return builder.build();
  }

  private remember(key: string, slice: Slice): Slice {
    this.remembered.delete(key);
    this.remembered.set(key, slice);
    this.rememberedBytes += costOf(slice);
    for (const [oldest, old] of this.remembered) {
      if (this.rememberedBytes <= REMEMBERED_BYTES) break;
      // What is still being read is not counted yet, and somebody waits for it.
      if (old instanceof Promise) continue;
      this.remembered.delete(oldest);
      this.rememberedBytes -= costOf(old);
    }
    return slice;
  }
}

function costOf({ bytes }: Slice): number {
  return 500 + 2 * (bytes?.chunked.length ?? 0);
}

class SliceBuilder {
  private readonly wanted: RecentEntry[] = [];
  private size = 0;
  last: number;

  constructor(
    private readonly first: number,
    private readonly cohort: Cohort,
  ) {
    this.last = first - 1;
  }

  get isFull(): boolean {
    return this.size >= SLICE_BYTES;
  }

  add(recent: RecentEntry): void {
    this.last = recent.position;
    if (!this.cohort.wants(recent.update)) return;
    const entry = this.cohort.view(recent);
    this.wanted.push(entry);
    this.size += entry.bytes.chunked.length;
  }

  /** Answers whether it is full, or has come to the limit, or to a gap. */
  addAll(entries: readonly RecentEntry[], limit: number): boolean {
    for (const entry of entries) {
      // What was trimmed while the pages were read makes a gap, which is seen where the next slice begins.
      const follows = entry.position === this.last + 1;
      if (this.isFull || entry.position > limit || !follows) return true;
      this.add(entry);
    }
    return this.isFull || this.last >= limit;
  }

  build(): Slice {
    const { first, last } = this;
    return { first, last, bytes: this.wanted.length > 0 ? join(this.wanted) : undefined };
  }
}
