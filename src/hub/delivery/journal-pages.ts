import { LRUCache } from 'lru-cache';
import { type DamagedEntry, type Entry, isWhole, type Journal, type ReadEntry } from '../../storage/journal/journal.js';
import { type Update, weightOf, weightOfText } from '../../storage/journal/update.js';
import type { WireBytes } from '../../streams/frames/wire-bytes.js';
import type { Background } from '../../shared/background.js';
import { encodeEntry, type RecentEntry, weightOfFrame } from './recent-log.js';

/** Entries in a page: few, because each of them may be large. */
const PAGE = 32;

/** All pages that are remembered. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/** Pages that are read side by side. More would not come sooner, and each holds memory meanwhile. */
const MAX_READING = 8;

/** Entries of the journal in order, with damaged ones in their places. */
export type Page = readonly (RecentEntry | DamagedEntry)[];

/**
 * The part of the journal that the recent log no longer holds, in pages, each read and encoded once for everybody who
 * comes by while it's remembered: after a restart a thousand readers ask for the same range at once, with matchers and
 * grants of their own each.
 */
export class JournalPages {
  private readonly pages: LRUCache<string, Page>;
  private readonly reading = new Map<string, Promise<Page>>();
  private readonly waiting: (() => void)[] = [];
  private readers = 0;

  constructor(
    private readonly journal: Journal,
    private readonly background: Background,
    limit = REMEMBERED_BYTES,
  ) {
    this.pages = new LRUCache({ maxSize: limit, sizeCalculation: sizeOf });
  }

  /**
   * The entries after `cursor` that lie in the same page as the first of them, in order. Where that one has been
   * trimmed, they begin with the oldest entry that is held.
   *
   * @param history the history of the log that the cursor belongs to (see `FanOut`): another one may have other entries
   * at the same positions
   */
  async after(cursor: number, history = 0): Promise<Page> {
    const entries = await this.entriesAfter(cursor, cursor, history);
    if (entries.length > 0) return entries;
    // The whole page has been trimmed, and what is held begins further on. Or another reader had the page read before
    // the wanted entries were appended.
    return this.entriesAfter(cursor, Math.max(cursor, this.journal.oldest - 1), history);
  }

  /** The page that has this position, as far as it is held. */
  async around(position: number, history: number): Promise<Page> {
    return position < 1 ? [] : this.page(Math.floor((position - 1) / PAGE), history);
  }

  private async entriesAfter(cursor: number, from: number, history: number): Promise<Page> {
    const page = await this.page(Math.floor(from / PAGE), history);
    return page.filter(({ position }) => position > cursor);
  }

  /** The page with the positions from `number * PAGE + 1` on. */
  private page(number: number, history: number): Page | Promise<Page> {
    const key = `${history} ${number}`;
    const known = this.pages.get(key) ?? this.reading.get(key);
    if (known) return known;
    const reading = this.read(number, key).finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private async read(number: number, key: string): Promise<Page> {
    await this.enter();
    try {
      const end = (number + 1) * PAGE;
      const page = (await this.entriesOf(number * PAGE, end)).map((entry) =>
        isWhole(entry) ? new PageEntry(entry) : entry,
      );
      // A page that still grows is not remembered.
      if (page.at(-1)?.position === end) this.pages.set(key, page);
      return page;
    } finally {
      this.leave();
    }
  }

  /** The entries after `start`, up to `end`. Several reads may be needed, because engines give fewer large entries. */
  private async entriesOf(start: number, end: number): Promise<ReadEntry[]> {
    const all: ReadEntry[] = [];
    for (let last = start; last < end;) {
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const entries = await this.background.do(() => this.journal.read(last, end - last));
      last = entries.at(-1)?.position ?? end;
      all.push(...entries.filter(({ position }) => position <= end));
    }
    return all;
  }

  private async enter(): Promise<void> {
    if (this.readers >= MAX_READING) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.readers += 1;
  }

  /** Gives the place to the read that has waited longest, if any. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.readers -= 1;
  }
}

/** An entry that is encoded when somebody wants it, because most readers want few entries of a page. */
class PageEntry implements RecentEntry {
  readonly position: number;
  readonly update: Update;
  private encoded: WireBytes | undefined;

  constructor(private readonly entry: Entry) {
    this.position = entry.position;
    this.update = entry.update;
  }

  get bytes(): WireBytes {
    return (this.encoded ??= encodeEntry(this.entry).bytes);
  }
}

/** Bytes that an entry takes besides its update and its frame, which is about as large as its data. */
const OVERHEAD = 500;

function sizeOf(page: Page): number {
  return page.reduce((sum, entry) => sum + OVERHEAD + (isWhole(entry) ? weightOfEntry(entry) : 0), 0);
}

function weightOfEntry({ update }: Pick<RecentEntry, 'update'>): number {
  return weightOf(update) + weightOfFrame(weightOfText(update.data));
}
