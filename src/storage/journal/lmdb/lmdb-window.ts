import type { Retention } from '../journal.js';
import { costOf, readHead, readRecord, type RecordHead } from './lmdb-record.js';
import type { LmdbStore } from './lmdb-store.js';

/**
 * The part of the log that is held. Trimming only moves `oldest`, in one step however many records it skips: times and
 * sums of bytes grow from record to record, so a binary search finds the first record within the limits. The records
 * before it are garbage, which is removed bit by bit. The newest record stays even when it is trimmed, because the next
 * one continues its position and its sum of bytes.
 */
export class LmdbWindow {
  private first: number;
  private held: number;
  private head = 0;
  private headRecord: RecordHead = { storedAt: 0, total: 0 };
  private headId: string | undefined;
  /** When the oldest record that is held was stored, and the `total` before it; nothing when none is held. */
  private bounds: { readonly storedAt: number; readonly totalBefore: number } | undefined;
  /** Positions after `head` at which a write that was reported as failed has stored records after all. */
  private ghosts: readonly number[] = [];

  constructor(
    private readonly store: LmdbStore,
    private readonly retention: Retention,
    private readonly now: () => number,
  ) {
    this.head = store.last ?? 0;
    this.first = store.first ?? 1;
    this.lookForHead();
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

  /** The id of the newest record that is not damaged. */
  get newestId(): string | undefined {
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

  /** To be called when the positions that {@link garbage} gave have been removed. */
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

  /**
   * To be called when the files have been opened again after a failed write. Records that this write has stored after
   * all become garbage.
   */
  recover(): void {
    const last = this.store.last ?? this.head;
    this.ghosts = Array.from({ length: Math.max(0, last - this.head) }, (_, index) => this.head + 1 + index);
    this.first = this.store.first ?? this.first;
  }

  /** Reads the newest record's head. A damaged record's head is derived from the last whole record before it. */
  private lookForHead(): void {
    let damaged = 0;
    for (let position = this.head; position >= this.first; position -= 1) {
      const bytes = this.store.get(position);
      const record = bytes && readRecord(bytes);
      if (record) {
        this.headRecord = { storedAt: record.storedAt, total: record.total + damaged };
        this.headId = record.update.id;
        return;
      }
      damaged += bytes ? costOf(bytes.length) : 0;
    }
    this.headRecord = { storedAt: 0, total: damaged };
  }

  private trim(): void {
    if (!this.store.isOpen || !this.bounds || this.isWithin(this.held, this.bounds)) return;
    this.held = this.firstWithin();
    this.bounds = this.boundsAt(this.held);
  }

  /** An exponential search, then a binary one: cheap for the usual step by one record, and for one over millions. */
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

  /**
   * The bounds of the record at `position`. Those of a damaged record are derived from the next whole one, because its
   * own values could be wrong and trim everything before it.
   */
  private boundsAt(position: number): LmdbWindow['bounds'] {
    let cost = 0;
    for (let at = position; at <= this.head; at += 1) {
      const bytes = this.store.get(at);
      if (!bytes) return undefined;
      cost += costOf(bytes.length);
      const head = at === this.head ? this.headRecord : readHead(bytes);
      if (head) return { storedAt: head.storedAt, totalBefore: head.total - cost };
    }
    return undefined;
  }
}
