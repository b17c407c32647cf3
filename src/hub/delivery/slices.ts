import { isWhole } from '../../storage/journal/journal.js';
import { PIECE } from '../../streams/connections/write-queue.js';
import type { WireBytes } from '../../streams/frames/wire-bytes.js';
import type { Background } from '../../shared/background.js';
import type { Cohort } from './cohort.js';
import type { JournalPages, Page } from './journal-pages.js';
import { join } from './joint.js';
import type { RecentEntry, RecentLog } from './recent-log.js';

/** Entries looked at for one slice, so that a cohort which wants few of many does not hold up everybody. */
const SLICE_ENTRIES = 2_048;

/** Topics looked at for one slice, where nothing takes long to match. */
const SLICE_TOPICS = 16_384;

/** All remembered slices together. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/** A stretch of the log as one cohort sees it. */
export interface Slice {
  /** The position of the first entry looked at. */
  readonly first: number;
  /** The position of the last entry looked at: where the cursor stands after the slice. */
  readonly last: number;
  /** The id of that entry, unless it is damaged. */
  readonly lastId: string | undefined;
  /** Undefined when the cohort wants no entry. At most one piece, or a single larger entry, whose bytes are shared. */
  readonly bytes: WireBytes | undefined;
  /** How many of the entries are damaged: none, or all. */
  readonly damaged: number;
}

/** Where a slice begins: right after `cursor`, in a log that has had so many resets (`FanOut`). */
export interface SliceStart {
  readonly cursor: number;
  readonly history: number;
}

/**
 * Reads the log for readers that are behind: from the recent log, or from the journal where the entries are older. A
 * slice is read and joined once for all readers of a cohort that have the same cursor, such as all those that a restart
 * has cut off; the last few slices are remembered.
 */
export class Slices {
  /** In the order in which they were read: keeping them in the order of use would cost 4 % of a replay. */
  private readonly remembered = new Map<string, Slice>();
  private rememberedBytes = 0;
  private readonly reading = new Map<string, Promise<Slice>>();

  constructor(
    private readonly pages: JournalPages,
    private readonly log: RecentLog,
    private readonly background: Background,
  ) {}

  /** The slice that begins right after the cursor and ends at `limit`, or before; `limit` is beyond the cursor. */
  after({ cursor, history }: SliceStart, cohort: Cohort, limit: number): Slice | Promise<Slice> {
    const key = `${cursor} ${cohort.id} ${history}`;
    const known = this.remembered.get(key) ?? this.reading.get(key);
    if (known) return known;
    const isRecent = cursor + 1 >= this.log.oldest;
    if (isRecent && !cohort.interest.hasPatterns) {
      return this.remember(key, fromRecentLog(this.log, cursor, cohort, limit));
    }
    const steps = isRecent ? this.background.run(fromRecentLogInSteps(this.log, cursor, cohort, limit)) : undefined;
    const reading = (steps ?? this.fromJournal({ cursor, history }, cohort, limit))
      .then((slice) => this.remember(key, slice))
      .finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private async fromJournal({ cursor, history }: SliceStart, cohort: Cohort, limit: number): Promise<Slice> {
    let page = await this.pages.after(cursor, history);
    const builder = new SliceBuilder(page[0]?.position ?? cursor + 1, cohort);
    while (page.length > 0) {
      const entries = page;
      // oxlint-disable-next-line no-await-in-loop -- in order
      const isDone = await (cohort.interest.hasPatterns
        ? this.background.run(builder.addAllInSteps(entries, limit))
        : this.background.do(() => builder.addAll(entries, limit)));
      // Adjacent damaged entries make one slice, however many they are, so that a reader is told of them all at once.
      if (isDone || cohort.isEmpty || (!builder.isDamaged && builder.last - cursor >= SLICE_ENTRIES)) break;
      // oxlint-disable-next-line no-await-in-loop -- in order; most pages are there already
      page = await this.pages.after(builder.last, history);
    }
    return builder.build();
  }

  /** Remembers a slice, unless it covers no entry: the log ended there only for now, and later readers look again. */
  private remember(key: string, slice: Slice): Slice {
    if (slice.last < slice.first) return slice;
    this.remembered.set(key, slice);
    this.rememberedBytes += sizeOf(slice);
    for (const [oldest, old] of this.remembered) {
      if (this.rememberedBytes <= REMEMBERED_BYTES) break;
      this.remembered.delete(oldest);
      this.rememberedBytes -= sizeOf(old);
    }
    return slice;
  }
}

function sizeOf({ bytes }: Slice): number {
  return 500 + 2 * (bytes?.chunked.length ?? 0);
}

/** Where nothing takes long to match: at once, because a step for each entry would cost more than the matching. */
function fromRecentLog(log: RecentLog, cursor: number, cohort: Cohort, limit: number): Slice {
  const end = Math.min(limit, cursor + SLICE_ENTRIES);
  const builder = new SliceBuilder(cursor + 1, cohort);
  for (let position = cursor + 1, topics = 0; position <= end && topics < SLICE_TOPICS; position += 1) {
    const entry = log.at(position);
    if (!entry || !builder.add(entry, cohort.wants(entry.update) ? cohort.view(entry) : undefined)) break;
    topics += entry.update.topics.length;
  }
  return builder.build();
}

function* fromRecentLogInSteps(log: RecentLog, cursor: number, cohort: Cohort, limit: number): Generator<void, Slice> {
  const end = Math.min(limit, cursor + SLICE_ENTRIES);
  const builder = new SliceBuilder(cursor + 1, cohort);
  for (let position = cursor + 1; position <= end && !cohort.isEmpty; position += 1) {
    const entry = log.at(position);
    if (!entry || !builder.add(entry, yield* viewOf(entry, cohort))) break;
    yield;
  }
  return builder.build();
}

/** An entry as the cohort gets it; undefined where it does not want it. In steps of one pattern each. */
function* viewOf(entry: RecentEntry, cohort: Cohort): Generator<void, RecentEntry | undefined> {
  return (yield* cohort.search(entry.update)) ? yield* cohort.viewInSteps(entry) : undefined;
}

class SliceBuilder {
  private readonly wanted: RecentEntry[] = [];
  private size = 0;
  private damaged = 0;
  private lastId: string | undefined;
  last: number;

  constructor(
    private readonly first: number,
    private readonly cohort: Cohort,
  ) {
    this.last = first - 1;
  }

  get isDamaged(): boolean {
    return this.damaged > 0;
  }

  /**
   * Adds an entry, unless it does not fit and begins the next slice. Answers whether there is room for more.
   * @param view the entry as the cohort gets it; undefined where the cohort does not want it.
   */
  add(entry: RecentEntry, view: RecentEntry | undefined): boolean {
    if (!view) {
      this.moveTo(entry);
      return true;
    }
    const { length } = view.bytes.chunked;
    if (this.size > 0 && this.size + length > PIECE) return false;
    this.moveTo(entry);
    this.wanted.push(view);
    this.size += length;
    return this.size < PIECE;
  }

  /**
   * Adds entries. Answers whether the slice ends with them: it is full, or what follows is beyond the limit, after a
   * gap, or damaged where the slice is not (or the other way round).
   */
  addAll(entries: Page, limit: number): boolean {
    for (const entry of entries) {
      if (!this.takes(entry, limit)) return true;
      if (!isWhole(entry)) this.addDamaged(entry.position);
      else if (!this.add(entry, this.cohort.wants(entry.update) ? this.cohort.view(entry) : undefined)) return true;
    }
    return this.last >= limit;
  }

  /** The same in a step for each entry and each pattern. */
  *addAllInSteps(entries: Page, limit: number): Generator<void, boolean> {
    for (const entry of entries) {
      if (this.cohort.isEmpty || !this.takes(entry, limit)) return true;
      if (!isWhole(entry)) this.addDamaged(entry.position);
      else if (!this.add(entry, yield* viewOf(entry, this.cohort))) return true;
      yield;
    }
    return this.last >= limit;
  }

  /** Whether an entry can belong to this slice. */
  private takes(entry: Page[number], limit: number): boolean {
    // Entries that were trimmed while pages were read leave a gap, which the reader sees where the next slice begins.
    if (entry.position > limit || entry.position !== this.last + 1) return false;
    return this.last < this.first || isWhole(entry) !== this.isDamaged;
  }

  build(): Slice {
    const { first, last, lastId, damaged } = this;
    return { first, last, lastId, bytes: this.wanted.length > 0 ? join(this.wanted) : undefined, damaged };
  }

  private moveTo({ position, update }: RecentEntry): void {
    this.last = position;
    this.lastId = update.id;
  }

  private addDamaged(position: number): void {
    this.last = position;
    this.lastId = undefined;
    this.damaged += 1;
  }
}
