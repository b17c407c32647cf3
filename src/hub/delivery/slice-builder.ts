import { firstIndex } from '../../shared/first-index.js';
import type { DamagedEntry } from '../../storage/journal/journal.js';
import { PIECE } from '../../streams/connections/write-queue.js';
import type { WireBytes } from '../../streams/frames/wire-bytes.js';
import type { Cohort } from './cohort.js';
import { join, lengthOf } from './joint.js';
import type { Page, PageEntry } from './log/journal-pages.js';
import { idOf, type RecentEntry, RecentPresence, UnsharedEntry } from './log/recent-entry.js';
import type { Found } from './log/wanted-positions.js';

/** More bytes than making a chunk of a frame adds to it. */
const CHUNK = 16;

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
  /** How many updates it has. */
  readonly updates: number;
  /** How many of the entries are damaged: none, or all. */
  readonly damaged: number;
  /** The only updates that its readers are sent after it, up to a position; undefined where all are. */
  readonly plan?: Found | undefined;
}

type Missing = Pick<Page, 'oldest' | 'oldestPresence'>;

/** Puts a slice together, entry by entry. */
export class SliceBuilder {
  private readonly first: number;
  private readonly oldestPresence: number;
  private readonly wanted: (WireBytes | string)[] = [];
  private size = 0;
  private damaged = 0;
  private isBegun = false;
  private lastId: string | undefined;
  last: number;

  /**
   * @param missing what is no longer held after the cursor.
   * @param plan the only updates that are wanted; undefined where all are that the cohort wants.
   */
  constructor(
    cursor: number,
    private readonly cohort: Cohort,
    missing: Missing = { oldest: 0, oldestPresence: 0 },
    private readonly plan?: Found,
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
    const isWanted = this.isPlanned(entry) && this.cohort.wants(entry.update);
    return this.add(entry, isWanted ? this.cohort.view(entry) : undefined);
  }

  /** Adds an entry, or each event of one. Answers whether there is room for more. */
  *addInSteps(entry: RecentEntry | RecentPresence): Generator<void, boolean> {
    if (!(entry instanceof RecentPresence)) return this.add(entry, yield* this.viewOf(entry));
    for (const event of this.cohort.seesPresence ? entry.eventsAfter(this.last) : []) {
      if (!this.add(event, yield* this.viewOf(event))) return false;
      yield;
    }
    return this.pass(entry);
  }

  /** Notes that nothing else is held up to a position, where an event may have an id. */
  passTo(position: number, id?: string): void {
    if (position <= this.last) return;
    this.last = position;
    this.lastId = id;
  }

  build(): Slice {
    const { first, last, lastId, damaged, oldestPresence } = this;
    return {
      first,
      last,
      lastId,
      bytes: this.wanted.length > 0 ? join(this.wanted) : undefined,
      updates: this.wanted.length,
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
    const frame = view instanceof UnsharedEntry ? view.text : view.bytes;
    const length = lengthOf(frame) + CHUNK;
    if (this.size > 0 && this.size + length > PIECE) return false;
    this.pass(entry);
    this.wanted.push(frame);
    this.size += length;
    return this.size < PIECE;
  }

  /** An entry as the cohort gets it; undefined where it does not want it. In steps of one pattern each. */
  private *viewOf(entry: RecentEntry): Generator<void, RecentEntry | undefined> {
    const { cohort } = this;
    if (!this.isPlanned(entry) || !(yield* cohort.search(entry.update))) return undefined;
    return yield* cohort.viewInSteps(entry);
  }

  private isPlanned({ position }: RecentEntry): boolean {
    const positions = this.plan?.positions;
    return !positions || positions[firstIndex(positions.length, (at) => (positions[at] ?? 0) >= position)] === position;
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
