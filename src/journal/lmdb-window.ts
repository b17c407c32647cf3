import type { Retention } from './journal.js';
import { costOf, decodeRecord, headOf, type RecordHead } from './lmdb-record.js';
import type { LmdbStore } from './lmdb-store.js';

/**
 * Which part of the log is held. Trimming moves `oldest`, at once and however much there is: times and sums of bytes grow
 * from record to record, so the first one that is within the limits is found by halving. What lies before it is garbage,
 * which is removed bit by bit. The newest record stays, also when it is trimmed: it is where the log goes on.
 */
export class LmdbWindow {
  private first: number;
  private held: number;
  private head = 0;
  private headRecord: RecordHead = { storedAt: 0, total: 0 };
  private headId = '';
  /** When the oldest record that is held was stored, and the `total` before it; nothing when none is held. */
  private bounds: { readonly storedAt: number; readonly totalBefore: number } | undefined;
  /** After `head`, when a write that failed was done after all. */
  private ghosts: readonly number[] = [];

  constructor(
    private readonly store: LmdbStore,
    private readonly retention: Retention,
    private readonly now: () => number,
  ) {
    this.head = store.last ?? 0;
    this.first = store.first ?? 1;
    const bytes = store.get(this.head);
    if (bytes) {
      const { update, storedAt, total } = decodeRecord(bytes);
      this.headRecord = { storedAt, total };
      this.headId = update.id;
    }
    this.held = this.first;
    this.bounds = this.boundsAt(this.held);
  }

  /** The position of the newest record. */
  get newest(): number {
    return this.head;
  }

  get newestHead(): RecordHead {
    return this.headRecord;
  }

  get newestId(): string {
    return this.headId;
  }

  /** The position of the oldest record that is held; `newest + 1` when none is. */
  get oldest(): number {
    this.trim();
    return this.held;
  }

  get isEmpty(): boolean {
    return this.oldest > this.head;
  }

  /** How many records wait to be removed. */
  get garbageCount(): number {
    return Math.max(0, Math.min(this.oldest, this.head) - this.first) + this.ghosts.length;
  }

  /** At most `limit` positions to remove, the oldest first. */
  garbage(limit: number): readonly number[] {
    const count = Math.min(limit, this.garbageCount - this.ghosts.length);
    return [...this.ghosts, ...Array.from({ length: count }, (_, index) => this.first + index)];
  }

  /** What `garbage` gave is gone. */
  removed(positions: readonly number[]): void {
    this.first += positions.length - this.ghosts.length;
    this.ghosts = [];
  }

  appended(position: number, head: RecordHead, id: string): void {
    const wasEmpty = this.held > this.head;
    this.head = position;
    this.headRecord = head;
    this.headId = id;
    if (wasEmpty) this.bounds = this.boundsAt(this.held);
  }

  /** The files have been opened again after a failed write, which may have been done nevertheless. */
  recover(): void {
    const last = this.store.last ?? this.head;
    this.ghosts = Array.from({ length: Math.max(0, last - this.head) }, (_, index) => this.head + 1 + index);
    this.first = this.store.first ?? this.first;
  }

  private trim(): void {
    if (!this.store.isOpen || !this.bounds || this.isWithin(this.held, this.bounds)) return;
    this.held = this.firstWithin();
    this.bounds = this.boundsAt(this.held);
  }

  /** Looks further and further ahead, then halves: cheap for the usual step by one, and for a step over millions. */
  private firstWithin(): number {
    let outside = this.held;
    let step = 1;
    while (outside + step <= this.head && !this.isWithin(outside + step)) {
      outside += step;
      step *= 2;
    }
    let within = Math.min(outside + step, this.head + 1);
    while (within - outside > 1) {
      const middle = Math.floor((outside + within) / 2);
      if (this.isWithin(middle)) within = middle;
      else outside = middle;
    }
    return within;
  }

  private isWithin(position: number, bounds = this.boundsAt(position)): boolean {
    const { events, bytes, age } = this.retention;
    if (!bounds) return false;
    if (this.head - position >= events) return false;
    return this.headRecord.total - bounds.totalBefore <= bytes && bounds.storedAt >= this.now() - age;
  }

  private boundsAt(position: number): LmdbWindow['bounds'] {
    const bytes = position <= this.head ? this.store.get(position) : undefined;
    if (!bytes) return undefined;
    const { storedAt, total } = headOf(bytes);
    return { storedAt, totalBefore: total - costOf(bytes.length) };
  }
}
