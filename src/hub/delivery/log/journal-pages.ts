import { LRUCache } from 'lru-cache';
import {
  type DamagedEntry,
  firstPositionOf,
  isPresence,
  isWhole,
  type Journal,
  type ReadEntry,
  type Reading,
} from '../../../storage/journal/journal.js';
import { weightOf, weightOfText } from '../../../storage/journal/update.js';
import type { Durations } from '../../../shared/measures/durations.js';
import type { Background } from '../../../shared/background.js';
import { firstIndex } from '../../../shared/first-index.js';
import {
  type Expand,
  LazyEntry,
  type RecentEntry,
  RecentPresence,
  UnsharedEntry,
  weightOfFrame,
} from './recent-entry.js';
import type { RecentLog } from './recent-log.js';
import { REMEMBERED_BYTES } from './remembered-bytes.js';

/** Positions in a page: few, because each entry may be large. */
const PAGE = 32;

/** Pages that are read side by side. More would not come sooner, and each holds memory meanwhile. */
const MAX_READING = 8;

export type PageEntry = RecentEntry | RecentPresence | DamagedEntry;

/** A part of the journal. */
export interface Page {
  /** In order, with damaged entries in their places. */
  readonly entries: readonly PageEntry[];
  /** Nothing else is held up to this position. */
  readonly upTo: number;
  /** Updates before this position have been trimmed. */
  readonly oldest: number;
  /** Comings and goings before this position have been trimmed. */
  readonly oldestPresence: number;
}

export interface JournalPagesOptions {
  /** Makes the events of comings and goings. */
  readonly expand?: Expand;
  /** Bytes of all pages that are remembered. */
  readonly limit?: number;
  readonly counts?: ReadCounts | undefined;
}

/** What reading from the journal takes. */
export interface ReadCounts {
  readonly reads: Durations;
  failedReads: number;
}

/**
 * The part of the journal that the recent log no longer holds, in pages, each read and encoded once for everybody who
 * comes by while it's remembered: after a restart a thousand readers ask for the same range at once, with matchers and
 * grants of their own each.
 */
export class JournalPages {
  private readonly pages: LRUCache<string, Page>;
  private readonly reading = new Map<string, Promise<Page>>();
  private readonly waiting: (() => void)[] = [];
  private readonly expand: Expand;
  private readonly counts: ReadCounts | undefined;
  private readers = 0;
  private clearances = 0;

  constructor(
    private readonly journal: Journal,
    private readonly background: Background,
    { expand = () => [], limit = REMEMBERED_BYTES, counts }: JournalPagesOptions = {},
  ) {
    this.counts = counts;
    this.expand = expand;
    this.pages = new LRUCache({ maxSize: limit, sizeCalculation: sizeOf });
  }

  /**
   * Entries that take positions after `cursor`, from the first one that is held: those of the page that has it. None
   * where none is held.
   *
   * @param history the history of the log that the cursor belongs to (see `FanOut`): another one may have other entries
   * at the same positions
   */
  async after(cursor: number, history = 0): Promise<Page> {
    const page = after(cursor, await this.page(numberOf(cursor + 1), history));
    if (page.entries.length > 0) return page;
    // Nothing of this page is held any more, or another reader had it read before the wanted entries were appended.
    const reading = await this.measured(() => this.journal.read(cursor, 1));
    const [next] = reading.entries;
    if (!next) return { ...boundsOf(reading, cursor), entries: [] };
    const first = Math.max(cursor + 1, firstPositionOf(next));
    const further = after(cursor, await this.page(numberOf(first), history));
    return withBoundsOf(further, boundsOf(reading, cursor));
  }

  /**
   * The entries at these positions, or the first of them. They are not remembered, because whoever knows where its
   * updates are seldom shares them with others.
   */
  async at(positions: readonly number[]): Promise<Page> {
    const { entries, upTo, oldest } = await this.measured(() => this.journal.readAt(positions));
    return { entries: entries.map((one) => this.entryOf(one, UnsharedEntry)), upTo, oldest, oldestPresence: 0 };
  }

  /** The entries at the first of these positions: from the recent log, where that has them. */
  atEither(positions: readonly number[], log: RecentLog): Page | Promise<Page> {
    const older = firstIndex(positions.length, (index) => (positions[index] ?? 0) >= log.oldest);
    return older === 0 ? recentPage(log, positions) : this.at(positions.slice(0, older));
  }

  /** Forgets all pages: updates have been taken out of the log. */
  clear(): void {
    this.clearances += 1;
    this.pages.clear();
    this.reading.clear();
  }

  /** The page that has this position, as far as it is held; undefined where there is no such position. */
  async around(position: number, history: number): Promise<Page | undefined> {
    return position < 1 ? undefined : this.page(numberOf(position), history);
  }

  /** The position before the first one of the page that has this position. */
  static startOf(position: number): number {
    return numberOf(position) * PAGE;
  }

  /** The page with the positions from `number * PAGE + 1` on. */
  private page(number: number, history: number): Page | Promise<Page> {
    const key = `${history} ${number}`;
    const known = this.pages.get(key) ?? this.reading.get(key);
    if (known) return known;
    const reading = this.read(number, key).finally(() => {
      if (this.reading.get(key) === reading) this.reading.delete(key);
    });
    this.reading.set(key, reading);
    return reading;
  }

  private async read(number: number, key: string): Promise<Page> {
    await this.enter();
    const { clearances } = this;
    try {
      const end = (number + 1) * PAGE;
      const page = await this.between(number * PAGE, end);
      // A page that still grows is not remembered, nor one that may have what was taken out of the log meanwhile.
      if (page.upTo >= end && clearances === this.clearances) this.pages.set(key, page);
      return page;
    } finally {
      this.leave();
    }
  }

  /** What is held after `start`, up to `end`. Several reads may be needed, because engines give fewer large entries. */
  private async between(start: number, end: number): Promise<Page> {
    let page: Page = { entries: [], upTo: start, oldest: 0, oldestPresence: 0 };
    let isMore = true;
    while (isMore) {
      const { upTo } = page;
      // oxlint-disable-next-line no-await-in-loop -- each part begins where the one before has ended
      const reading = await this.measured(() => this.journal.read(upTo, end - upTo));
      const entries = reading.entries.filter((entry) => firstPositionOf(entry) <= end).map((one) => this.entryOf(one));
      // What was read before has been trimmed by now where something is missing after it.
      const earlier = reading.oldest > upTo + 1 ? [] : page.entries;
      const bounds = withBoundsOf(boundsOf(reading, upTo), page);
      // The reading goes on beyond the page, where it may have found entries that are none of the page's.
      const until = Math.max(entries.at(-1)?.position ?? 0, Math.min(end, reading.upTo));
      page = { ...bounds, upTo: until, entries: [...earlier, ...entries] };
      isMore = page.upTo > upTo && page.upTo < Math.min(end, this.journal.head);
    }
    return page;
  }

  private async measured(read: () => Promise<Reading>): Promise<Reading> {
    const begun = performance.now();
    try {
      const reading = await this.background.do(read);
      this.counts?.reads.observe(performance.now() - begun);
      return reading;
    } catch (error) {
      if (this.counts) this.counts.failedReads += 1;
      throw error;
    }
  }

  private entryOf(entry: ReadEntry, Whole: typeof LazyEntry | typeof UnsharedEntry = LazyEntry): PageEntry {
    if (isPresence(entry)) return new RecentPresence(entry, this.expand);
    return isWhole(entry) ? new Whole(entry) : entry;
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

/** The entries at these positions, none of which the log has let go of. */
function recentPage(log: RecentLog, positions: readonly number[]): Page {
  const entries = positions.flatMap((position) => {
    const entry = log.next(position - 1);
    return entry?.position === position ? [entry] : [];
  });
  return { entries, upTo: positions.at(-1) ?? 0, oldest: log.oldest, oldestPresence: 0 };
}

function numberOf(position: number): number {
  return Math.floor((position - 1) / PAGE);
}

function after(cursor: number, page: Page): Page {
  return { ...page, entries: page.entries.filter(({ position }) => position > cursor) };
}

/** What a reading says is missing after `cursor`. */
function boundsOf({ upTo, oldest, oldestPresence }: Reading, cursor: number): Page {
  return {
    entries: [],
    upTo,
    oldest: oldest > cursor + 1 ? oldest : 0,
    oldestPresence: oldestPresence > cursor + 1 ? oldestPresence : 0,
  };
}

function withBoundsOf(page: Page, { oldest, oldestPresence }: Page): Page {
  return {
    ...page,
    oldest: Math.max(page.oldest, oldest),
    oldestPresence: Math.max(page.oldestPresence, oldestPresence),
  };
}

/** Bytes that an entry takes besides its update and its frame, which is about as large as its data. */
const OVERHEAD = 500;

function sizeOf({ entries }: Page): number {
  return entries.reduce((sum, entry) => sum + OVERHEAD + weightOfEntry(entry), OVERHEAD);
}

function weightOfEntry(entry: PageEntry): number {
  if (entry instanceof RecentPresence) return entry.weight;
  return isWhole(entry) ? weightOf(entry.update) + weightOfFrame(weightOfText(entry.update.data)) : 0;
}
