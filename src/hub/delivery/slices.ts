import type { DamagedEntry } from '../../storage/journal/journal.js';
import { PIECE } from '../../streams/connections/write-queue.js';
import type { WireBytes } from '../../streams/frames/wire-bytes.js';
import type { Background } from '../../shared/background.js';
import type { Cohort } from './cohort.js';
import type { JournalPages, Page, PageEntry } from './log/journal-pages.js';
import { join } from './joint.js';
import { idOf, type RecentEntry, RecentPresence } from './log/recent-entry.js';
import type { RecentLog } from './log/recent-log.js';

/** Entries looked at for one slice, so that a cohort which wants few of many does not hold up everybody. */
const SLICE_ENTRIES = 2_048;

/** Topics looked at for one slice, where nothing takes long to match. */
const SLICE_TOPICS = 16_384;

/** All remembered slices together. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/** A stretch of the log as one cohort sees it. */
export interface Slice {
  /** The position where it begins: right after the cursor, or further on where updates have been trimmed. */
  readonly first: number;
  /** Where the cursor stands after the slice: nothing else is held up to this position. */
  readonly last: number;
  /** The id of the event there, unless none is held or it is damaged. */
  readonly lastId: string | undefined;
  /** Comings and goings before this position have been trimmed; 0 where the cohort can miss none. */
  readonly oldestPresence: number;
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
    if (isRecent && !cohort.takesLong) return this.remember(key, fromRecentLog(this.log, cursor, cohort, limit));
    const steps = isRecent ? this.background.run(fromRecentLogInSteps(this.log, cursor, cohort, limit)) : undefined;
    const reading = (steps ?? this.fromJournal({ cursor, history }, cohort, limit))
      .then((slice) => this.remember(key, slice))
      .finally(() => this.reading.delete(key));
    this.reading.set(key, reading);
    return reading;
  }

  private async fromJournal({ cursor, history }: SliceStart, cohort: Cohort, limit: number): Promise<Slice> {
    let page = await this.pages.after(cursor, history);
    const builder = new SliceBuilder(cursor, cohort, page);
    while (page.entries.length > 0) {
      const { entries } = page;
      // oxlint-disable-next-line no-await-in-loop -- in order
      const isDone = await (cohort.takesLong
        ? this.background.run(builder.addAllInSteps(entries, limit))
        : this.background.do(() => builder.addAll(entries, limit)));
      // Adjacent damaged entries make one slice, however many they are, so that a reader is told of them all at once.
      if (isDone || cohort.isEmpty || (!builder.isDamaged && builder.last - cursor >= SLICE_ENTRIES)) break;
      // oxlint-disable-next-line no-await-in-loop -- in order; most pages are there already
      page = await this.pages.after(builder.last, history);
      // What was trimmed meanwhile is missing between this slice and the next one.
      if (builder.misses(page)) break;
    }
    if (page.entries.length === 0 && !builder.misses(page)) builder.passTo(Math.min(limit, page.upTo));
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
  const builder = new SliceBuilder(cursor, cohort);
  const entries = log.between(cursor, limit, SLICE_ENTRIES);
  let topics = 0;
  for (const entry of entries) {
    if (topics >= SLICE_TOPICS || !builder.addOrPass(entry)) return builder.build();
    if (!(entry instanceof RecentPresence)) topics += entry.update.topics.length;
  }
  if (entries.length < SLICE_ENTRIES) builder.passTo(limit);
  return builder.build();
}

function* fromRecentLogInSteps(log: RecentLog, cursor: number, cohort: Cohort, limit: number): Generator<void, Slice> {
  // What the log has let go of since the reader came, the journal may still hold.
  const oldestPresence = log.oldest > cursor + 1 ? 0 : log.oldestPresence;
  const builder = new SliceBuilder(cursor, cohort, { oldest: 0, oldestPresence });
  for (let looked = 0; looked < SLICE_ENTRIES && !cohort.isEmpty; looked += 1) {
    // The log may have let go of entries since the last step.
    if (builder.misses(log)) break;
    const entry = log.next(builder.last);
    if (!entry || entry.position > limit) {
      builder.passTo(limit);
      break;
    }
    if (!(yield* builder.addInSteps(entry))) break;
    yield;
  }
  return builder.build();
}

/** An entry as the cohort gets it; undefined where it does not want it. In steps of one pattern each. */
function* viewOf(entry: RecentEntry, cohort: Cohort): Generator<void, RecentEntry | undefined> {
  return (yield* cohort.search(entry.update)) ? yield* cohort.viewInSteps(entry) : undefined;
}

type Missing = Pick<Page, 'oldest' | 'oldestPresence'>;

class SliceBuilder {
  private readonly first: number;
  private readonly oldestPresence: number;
  private readonly wanted: RecentEntry[] = [];
  private size = 0;
  private damaged = 0;
  private isBegun = false;
  private lastId: string | undefined;
  last: number;

  /** @param missing what is no longer held after the cursor. */
  constructor(
    cursor: number,
    private readonly cohort: Cohort,
    missing: Missing = { oldest: 0, oldestPresence: 0 },
  ) {
    const { oldest, oldestPresence } = missing;
    this.first = Math.max(cursor + 1, oldest);
    this.last = this.first - 1;
    this.oldestPresence = cohort.seesPresence && oldestPresence > cursor + 1 ? oldestPresence : 0;
  }

  get isDamaged(): boolean {
    return this.damaged > 0;
  }

  /** Whether something that the cohort may want is missing between the slice and what comes next from this source. */
  misses({ oldest, oldestPresence }: Missing): boolean {
    if (oldest > this.last + 1) return true;
    return this.cohort.seesPresence && oldestPresence > Math.max(this.last + 1, this.oldestPresence);
  }

  /** Adds entries. Answers whether the slice ends with them. */
  addAll(entries: readonly PageEntry[], limit: number): boolean {
    for (const entry of entries) {
      if (!this.takes(entry, limit)) return true;
      if (isDamaged(entry)) this.addDamaged(entry.position);
      else if (!this.addOrPass(entry)) return true;
    }
    return this.last >= limit;
  }

  /** The same in a step for each event and each pattern. */
  *addAllInSteps(entries: readonly PageEntry[], limit: number): Generator<void, boolean> {
    for (const entry of entries) {
      if (this.cohort.isEmpty || !this.takes(entry, limit)) return true;
      if (isDamaged(entry)) this.addDamaged(entry.position);
      else if (!(yield* this.addInSteps(entry))) return true;
      yield;
    }
    return this.last >= limit;
  }

  /** Adds an entry for a cohort that sees no presence. Answers whether there is room for more. */
  addOrPass(entry: RecentEntry | RecentPresence): boolean {
    if (entry instanceof RecentPresence) return this.pass(entry);
    return this.add(entry, this.cohort.wants(entry.update) ? this.cohort.view(entry) : undefined);
  }

  /** Adds an entry, or each event of one. Answers whether there is room for more. */
  *addInSteps(entry: RecentEntry | RecentPresence): Generator<void, boolean> {
    if (!(entry instanceof RecentPresence)) return this.add(entry, yield* viewOf(entry, this.cohort));
    for (const event of this.cohort.seesPresence ? entry.eventsAfter(this.last) : []) {
      if (!this.add(event, yield* viewOf(event, this.cohort))) return false;
      yield;
    }
    return this.pass(entry);
  }

  /** Notes that nothing else is held up to a position. */
  passTo(position: number): void {
    if (position <= this.last) return;
    this.last = position;
    this.lastId = undefined;
  }

  build(): Slice {
    const { first, last, lastId, damaged, oldestPresence } = this;
    return {
      first,
      last,
      lastId,
      bytes: this.wanted.length > 0 ? join(this.wanted) : undefined,
      damaged,
      oldestPresence,
    };
  }

  /** Whether an entry can belong to this slice: damaged ones make slices of their own. */
  private takes(entry: PageEntry, limit: number): boolean {
    return entry.position <= limit && (!this.isBegun || isDamaged(entry) === this.isDamaged);
  }

  /**
   * Adds an entry, unless it does not fit and begins the next slice. Answers whether there is room for more.
   * @param view the entry as the cohort gets it; undefined where the cohort does not want it.
   */
  private add(entry: RecentEntry, view: RecentEntry | undefined): boolean {
    if (!view) return this.pass(entry);
    const { length } = view.bytes.chunked;
    if (this.size > 0 && this.size + length > PIECE) return false;
    this.pass(entry);
    this.wanted.push(view);
    this.size += length;
    return this.size < PIECE;
  }

  private pass(entry: RecentEntry | RecentPresence): true {
    this.isBegun = true;
    this.last = entry.position;
    this.lastId = idOf(entry);
    return true;
  }

  private addDamaged(position: number): void {
    this.isBegun = true;
    this.last = position;
    this.lastId = undefined;
    this.damaged += 1;
  }
}

function isDamaged(entry: PageEntry): entry is DamagedEntry {
  return !(entry instanceof RecentPresence) && entry.update === undefined;
}
