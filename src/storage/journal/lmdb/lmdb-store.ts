import type { DamageLog } from '../damage-log.js';
import type { ReadEntry, Retention, StoredEntry } from '../journal.js';
import type { Change } from './lmdb-environment.js';
import type { Identified, RecordKind } from './lmdb-kind.js';
import {
  encodeRecord,
  headOf,
  type JournalRecord,
  isTakenOut,
  type NewRecord,
  type Placed,
  readRecord,
  type RecordHead,
} from './lmdb-record.js';
import type { LmdbTable, Placement, TakenOut } from './lmdb-table.js';
import { LmdbWindow } from './lmdb-window.js';

/** Bytes after which one reading stops; the entry that reaches the limit is still given. */
const READ_BYTES = 256 * 1024;

/** What one reading of a store gives. */
export interface StoreReading {
  readonly entries: readonly ReadEntry[];
  /** The store holds no other entry up to this position. */
  readonly upTo: number;
  /** Everything from this position on was held. */
  readonly oldest: number;
}

/** The records of one kind with a retention of their own, and what the commit that is under way changes in them. */
export class LmdbStore<Content extends Identified> {
  readonly kind: RecordKind<Content>;
  private readonly window: LmdbWindow<Content>;
  private staged: Placement[] = [];
  /** The head of the newest record, staged ones included. */
  private last: RecordHead;
  private lastId = '';

  constructor(
    readonly table: LmdbTable<Content>,
    retention: Retention,
    private readonly now: () => number,
    private readonly damage: DamageLog,
  ) {
    this.kind = table.kind;
    this.window = new LmdbWindow(table, retention, now);
    this.last = this.window.newest;
  }

  /** The position of the newest record. */
  get newest(): number {
    return this.window.newest.position;
  }

  /** When the newest record was stored; 0 while there was never one. */
  get newestTime(): number {
    return this.window.newest.storedAt;
  }

  /** See {@link LmdbWindow.newestWhole}. */
  get newestWhole(): LmdbWindow<Content>['newestWhole'] {
    return this.window.newestWhole;
  }

  /** Every record from this position on is held. */
  get oldest(): number {
    return this.window.oldest;
  }

  /** See {@link LmdbWindow.usage}. */
  get usage(): LmdbWindow<Content>['usage'] {
    return this.window.usage;
  }

  /** See {@link LmdbWindow.swept}. */
  get swept(): number {
    return this.window.swept;
  }

  /** How many records wait to be removed. */
  get garbageCount(): number {
    return this.window.garbageCount;
  }

  /** The record that is held with this idempotency key. */
  withKey(idempotencyKey: string): JournalRecord<Content> | undefined {
    const position = this.table.positionOfKey(idempotencyKey);
    if (position === undefined || position < this.oldest || position > this.newest) return undefined;
    const bytes = this.table.get(position);
    // A damaged record does not hold its key any more, like a trimmed one.
    const record = bytes && readRecord(this.kind, { position, bytes });
    return record?.idempotencyKey === idempotencyKey ? record : undefined;
  }

  /** The position of the earliest held record with this id. */
  positionWithId(id: string): number | undefined {
    for (const position of this.table.positionsOf(id, this.oldest)) {
      const bytes = this.table.get(position);
      if (!bytes || position > this.newest) continue;
      if (isTakenOut(bytes)) continue;
      const content = this.contentOf({ position, bytes });
      // For a damaged record the index alone counts, because the record's own id can't be read any more.
      if (!content || content.id === id) return position;
    }
    return undefined;
  }

  /** At most `limit` entries after `after`, up to the position `end`. */
  read(after: number, limit: number, end: number): StoreReading {
    const { oldest } = this;
    const entries: ReadEntry[] = [];
    if (limit <= 0) return { entries, upTo: after, oldest };
    let read = 0;
    for (const placed of this.table.range(Math.max(after + 1, oldest), end + 1)) {
      const { position, bytes } = placed;
      if (isTakenOut(bytes)) continue;
      entries.push(this.entryOf(placed));
      read += bytes.length;
      if (entries.length >= limit || read >= READ_BYTES) return { entries, upTo: position, oldest };
    }
    return { entries, upTo: end, oldest };
  }

  /** The entries at these positions, which are in order: all of them, or the first ones where they are large. */
  readAt(positions: readonly number[]): StoreReading {
    const { oldest, newest } = this;
    const entries: ReadEntry[] = [];
    let read = 0;
    for (const position of positions) {
      const bytes = position < oldest || position > newest ? undefined : this.table.get(position);
      if (!bytes || isTakenOut(bytes)) continue;
      entries.push(this.entryOf({ position, bytes }));
      read += bytes.length;
      if (read >= READ_BYTES) return { entries, upTo: position, oldest };
    }
    return { entries, upTo: positions.at(-1) ?? 0, oldest };
  }

  /** What takes the content of a record out; undefined where there is none, or a damaged one. */
  takeoutOf(position: number): ReturnType<LmdbTable<Content>['takeoutOf']> {
    return position > this.newest ? undefined : this.table.takeoutOf(position);
  }

  /** To be called when contents have been taken out. */
  takenOut(records: readonly TakenOut[]): void {
    this.window.takenOut(records);
  }

  /** Makes a record part of the next {@link change}. */
  stage(position: number, record: Omit<NewRecord<Content>, 'storedAt'>): StoredEntry {
    const { content, idempotencyKey, fingerprint } = record;
    const storedAt = Math.max(this.now(), this.last.storedAt);
    const bytes = encodeRecord(this.kind, { content, storedAt, idempotencyKey, fingerprint }, position, this.last);
    const placement = { position, bytes, id: content.id, idempotencyKey };
    this.staged.push(placement);
    this.last = headOf(placement);
    this.lastId = this.kind.lastIdOf(content);
    return this.kind.entryOf(position, content, storedAt);
  }

  /** What is staged, and at most `limit` records that may be removed. Either {@link committed} or {@link discard} follows. */
  change(limit: number): Change {
    return { append: this.staged, remove: this.window.garbage(limit) };
  }

  /** The change is on the disk. */
  committed(): void {
    const { staged, last } = this;
    this.window.removed();
    if (staged.length > 0) this.window.appended(last, this.lastId);
    this.discard();
  }

  /** Takes back what is staged. */
  discard(): void {
    this.staged = [];
    this.last = this.window.newest;
  }

  /** See {@link LmdbWindow.recover}. */
  recover(): void {
    this.window.recover();
  }

  private entryOf(placed: Placed): ReadEntry {
    const { position } = placed;
    const content = this.contentOf(placed);
    return content ? this.kind.entryOf(position, content, headOf(placed).storedAt) : { position };
  }

  private contentOf(placed: Placed): Content | undefined {
    const record = readRecord(this.kind, placed);
    if (!record) this.damage.report(placed.position);
    return record?.content;
  }
}
