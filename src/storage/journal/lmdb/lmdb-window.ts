import type { Retention } from '../journal.js';
import type { Identified } from './lmdb-kind.js';
import { costOfRecord, type Placed, readHead, readRecord, type RecordHead } from './lmdb-record.js';
import type { LmdbTable, TakenOut } from './lmdb-table.js';
import { Gaps } from './lmdb-gaps.js';

/** What trimming must know of a record. */
interface Bounds {
  readonly position: number;
  /** The position of the record before it, also when that has been removed. */
  readonly previous: number;
  readonly storedAt: number;
  readonly totalBefore: number;
  readonly countBefore: number;
}

/**
 * The part of a table that is held. Trimming only moves `oldest`, in one step however many records it skips: times and
 * sums grow from record to record, so a binary search over the positions finds the first record within the limits. The
 * records before it are garbage, which is removed bit by bit. The newest record stays even when it is trimmed, because
 * the next one continues its sums.
 */
export class LmdbWindow<Content extends Identified> {
  private head: RecordHead = { position: 0, storedAt: 0, total: 0, count: 0, previous: 0 };
  private whole: { readonly position: number; readonly lastId: string } | undefined;
  /** The oldest record that is held; undefined when none is. */
  private first: Bounds | undefined;
  /** How many records were ever removed. */
  private removedCount: number;
  /** Nothing from this position on has been removed, so that the garbage is looked for from here. */
  private garbageFrom: number;
  /** What is being removed: how many records, and the position after the last of them. */
  private sweep: { count: number; end: number };
  /** Records after `head` that a write has stored which was reported as failed. */
  private ghosts: readonly Placed[] = [];
  /** The records that were taken out. */
  private readonly gaps = new Gaps();

  constructor(
    private readonly table: LmdbTable<Content>,
    private readonly retention: Retention,
    private readonly now: () => number,
  ) {
    this.gaps.add([...table.takenOut()]);
    if (table.last !== undefined) this.head = this.headOfNewest(table.last);
    this.whole = this.wholeUpTo(this.head.position);
    this.first = this.boundsOfFirst();
    this.removedCount = this.first?.countBefore ?? 0;
    this.garbageFrom = this.first?.position ?? 0;
    this.sweep = { count: 0, end: this.garbageFrom };
  }

  /** The head of the newest record; its position is 0 while there was never one. */
  get newest(): RecordHead {
    return this.head;
  }

  /** The newest record that is held and not damaged, with the id of its last event. */
  get newestWhole(): { readonly position: number; readonly lastId: string } | undefined {
    return this.whole && this.whole.position >= this.oldest ? this.whole : undefined;
  }

  /** Every record from this position on is held. */
  get oldest(): number {
    this.trim();
    return this.first ? this.first.previous + 1 : this.head.position + 1;
  }

  /** How many records are held, and their bytes. */
  get usage(): { readonly updates: number; readonly bytes: number } {
    this.trim();
    if (!this.first) return { updates: 0, bytes: 0 };
    return { updates: this.head.count - this.first.countBefore, bytes: this.head.total - this.first.totalBefore };
  }

  /** No record is left before this position, unless one was removed that should not be there. */
  get swept(): number {
    return this.garbageFrom;
  }

  /** How many records wait to be removed. */
  get garbageCount(): number {
    this.trim();
    return this.trimmedCount + this.ghosts.length;
  }

  /**
   * At most `limit` trimmed records, the oldest first, and those that should not be there, all of which may be removed.
   * To be iterated to the end, and once before each call of {@link removed}.
   */
  *garbage(limit: number): Iterable<Placed> {
    this.trim();
    const sweep = { count: 0, end: this.garbageFrom };
    this.sweep = sweep;
    const count = Math.min(limit, this.trimmedCount);
    for (const placed of this.table.each(this.garbageFrom, this.first?.position ?? this.head.position, count)) {
      sweep.count += 1;
      sweep.end = placed.position + 1;
      yield placed;
    }
    // Those that are not there any more are not waited for.
    this.removedCount += count - sweep.count;
    yield* this.ghosts;
  }

  /** To be called when the records that {@link garbage} gave have been removed. */
  removed(): void {
    this.removedCount += this.sweep.count;
    this.garbageFrom = this.sweep.end;
    this.sweep = { count: 0, end: this.garbageFrom };
    this.ghosts = [];
    this.gaps.forget(this.garbageFrom);
  }

  /** To be called when the contents of records have been taken out. */
  takenOut(records: readonly TakenOut[]): void {
    this.gaps.add(records);
    if (this.whole && this.gaps.has(this.whole.position)) this.whole = this.wholeUpTo(this.whole.position);
  }

  /**
   * To be called when records have been stored.
   * @param head that of the last one, and `lastId` the id of its last event.
   */
  appended(head: RecordHead, lastId: string): void {
    const before = this.head.position;
    this.head = head;
    this.whole = { position: head.position, lastId };
    this.first ??= this.boundsFrom(before + 1);
  }

  /**
   * To be called when the files have been opened again after a failed write. Records that this write has stored after
   * all become garbage.
   */
  recover(): void {
    this.ghosts = [...this.table.range(this.head.position + 1)];
    this.removedCount = this.boundsOfFirst()?.countBefore ?? this.removedCount;
    this.gaps.clear();
    this.takenOut([...this.table.takenOut()]);
  }

  private get trimmedCount(): number {
    const end = this.first?.countBefore ?? this.head.count - 1;
    return Math.max(0, end - this.removedCount);
  }

  /** Reads the newest record's head. A damaged record's head is derived from the last whole record before it. */
  private headOfNewest(position: number): RecordHead {
    let [damaged, cost] = [0, 0];
    for (const placed of this.table.backwardsFrom(position)) {
      const head = readHead(placed);
      if (head) {
        const previous = damaged === 0 ? head.previous : this.beforeDamaged(position);
        return { ...head, position, total: head.total + cost, count: head.count + damaged, previous };
      }
      damaged += 1;
      cost += costOfRecord(placed.bytes);
    }
    return { position, storedAt: 0, total: cost, count: position, previous: this.beforeDamaged(position) };
  }

  /** The newest record up to `position` that can be read. */
  private wholeUpTo(position: number): LmdbWindow<Content>['newestWhole'] {
    for (const placed of this.table.backwardsFrom(position)) {
      const record = readRecord(this.table.kind, placed);
      if (record) return { position: placed.position, lastId: this.table.kind.lastIdOf(record.content) };
    }
    return undefined;
  }

  private trim(): void {
    if (!this.table.isOpen || !this.first || this.isWithin(this.first)) return;
    this.first = this.firstWithin(this.first.position);
  }

  /**
   * The first record within the limits after the one at `outside`, which is not. An exponential search, then a binary
   * one: cheap for the usual step by one record, and for one over millions.
   */
  private firstWithin(outside: number): Bounds | undefined {
    let found: Bounds | undefined;
    let end = this.head.position + 1;
    for (let step = 1; outside + step < end; step *= 2) {
      const start = outside + step;
      const bounds = this.boundsFrom(start);
      if (bounds && this.isWithin(bounds)) [found, end] = [bounds, start];
      else outside = bounds?.position ?? start;
    }
    while (end - outside > 1) {
      const middle = Math.floor((outside + end) / 2);
      const bounds = this.boundsFrom(middle);
      if (bounds && this.isWithin(bounds)) [found, end] = [bounds, middle];
      else outside = bounds?.position ?? middle;
    }
    return found;
  }

  private isWithin({ position, storedAt, totalBefore, countBefore }: Bounds): boolean {
    const { events, bytes, age } = this.retention;
    const { total, count } = this.head;
    const gone = this.gaps.from(position);
    const isWithin = count - countBefore - gone.count <= events && total - totalBefore - gone.cost <= bytes;
    return isWithin && storedAt >= this.now() - age;
  }

  private boundsOfFirst(): Bounds | undefined {
    return this.boundsFrom(this.table.first ?? 0);
  }

  /** The bounds of the first record from `position` on. */
  private boundsFrom(position: number): Bounds | undefined {
    if (position > this.head.position) return undefined;
    const bytes = this.table.get(position);
    const head = bytes && this.headAt({ position, bytes });
    return head ? boundsOf(head, costOfRecord(bytes)) : this.derivedBounds(position);
  }

  /**
   * The same where there is no record at `position` itself, or a damaged one, whose own values could be wrong and trim
   * everything before it: its bounds are derived from the next whole record.
   */
  private derivedBounds(start: number): Bounds | undefined {
    let [first, count, cost] = [0, 0, 0];
    for (const placed of this.table.range(start, this.head.position + 1)) {
      first ||= placed.position;
      count += 1;
      cost += costOfRecord(placed.bytes);
      const head = this.headAt(placed);
      if (!head) continue;
      if (count === 1) return boundsOf(head, cost);
      const previous = this.beforeDamaged(first);
      const { storedAt } = head;
      return { position: first, previous, storedAt, totalBefore: head.total - cost, countBefore: head.count - count };
    }
    return undefined;
  }

  private headAt(placed: Placed): RecordHead | undefined {
    return placed.position === this.head.position ? this.head : readHead(placed);
  }

  /** The position of the record before a damaged one. If that has been removed, the nearest place that it can have had. */
  private beforeDamaged(position: number): number {
    return this.table.before(position) ?? position - 1;
  }
}

function boundsOf({ position, storedAt, previous, total, count }: RecordHead, cost: number): Bounds {
  return { position, previous, storedAt, totalBefore: total - cost, countBefore: count - 1 };
}
