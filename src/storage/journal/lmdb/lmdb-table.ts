import type { Database, RootDatabase } from 'lmdb';
import { JournalUnavailableError } from '../journal.js';
import { digestOf } from './disk/digest.js';
import type { TableTrees, Tree } from './disk/lmdb-pages.js';
import type { Identified, RecordKind } from './lmdb-kind.js';
import { checkRecord, costOfRecord, type Placed, readRecord, takenOut } from './lmdb-record.js';

/** What LMDB tells of a table and of the file; lmdb has no type for it. */
export interface Stats extends Tree {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  /** The tree of the tables. */
  readonly root: Tree;
  /** The tree of the free pages. */
  readonly free: Tree;
}

interface Handles {
  /** Position → record. */
  readonly records: Database<Buffer, number>;
  /** Hash of an id → the positions that have it, in order. */
  readonly ids: Database<number, Buffer> | undefined;
  /** Hash of an idempotency key → the newest position that has it. */
  readonly keys: Database<number, Buffer>;
  /** The position of a record that was taken out → what it had cost. */
  readonly takenOut: Database<number, number> | undefined;
}

/** A record that is appended, with what its indexes need. */
export interface Placement extends Placed {
  readonly id: string;
  readonly idempotencyKey: string | undefined;
}

/** What has to be removed with a record: its places in the indexes. */
export interface Removal {
  readonly position: number;
  /** Bytes of the record. */
  readonly size: number;
  readonly id: Buffer | undefined;
  readonly key: Buffer | undefined;
  /** Whether its content may have been taken out before. */
  readonly isTakenOut: boolean;
}

/** A record whose content is taken out, while its place in the log stays. */
export interface Takeout {
  readonly removal: Removal;
  /** What takes its place. */
  readonly bytes: Buffer;
  readonly cost: number;
}

/** A record that was taken out, and what it had cost. */
export interface TakenOut {
  readonly position: number;
  readonly cost: number;
}

/** The records of one kind by position, and their indexes. It reads as empty until it is {@link create created}. */
export class LmdbTable<Content extends Identified> {
  /** Undefined while the files are closed, and null while there is no such table in them. */
  private handles: Handles | null | undefined;

  constructor(readonly kind: RecordKind<Content>) {}

  /** Opens the table, and makes it where there is none. */
  create(root: RootDatabase<Buffer, string>): void {
    const { records, ids, keys } = this.kind.tables;
    const index = { keyEncoding: 'binary', encoding: 'ordered-binary' } as const;
    this.handles = {
      records: root.openDB<Buffer, number>({ name: records, encoding: 'binary' }),
      ids: ids === undefined ? undefined : root.openDB<number, Buffer>({ name: ids, ...index, dupSort: true }),
      keys: root.openDB<number, Buffer>({ name: keys, ...index }),
      takenOut: undefined,
    };
  }

  /** Opens the list of what was taken out of the table, and makes it where there is none. */
  createTakenOut(root: RootDatabase<Buffer, string>): void {
    const { takenOut: name } = this.kind.tables;
    if (name === undefined) return;
    const list = root.openDB<number, number>({ name, encoding: 'ordered-binary' });
    this.handles = { ...this.created, takenOut: list };
  }

  /** To be called when the files are open, and have no such table. */
  leaveOut(): void {
    this.handles = null;
  }

  close(): void {
    this.handles = undefined;
  }

  get isOpen(): boolean {
    return this.handles !== undefined;
  }

  /** Whether there is such a table. */
  get isCreated(): boolean {
    return this.opened !== null;
  }

  get first(): number | undefined {
    return this.edge({});
  }

  get last(): number | undefined {
    return this.edge({ reverse: true });
  }

  /** The newest position before `position`. */
  before(position: number): number | undefined {
    return this.edge({ start: position - 1, reverse: true });
  }

  /** How many records there are, without those that were taken out. */
  get count(): number {
    const { records, takenOut: list } = this.opened ?? {};
    return entriesOf(records) - entriesOf(list);
  }

  get trees(): TableTrees | undefined {
    if (!this.opened) return undefined;
    const { records } = this.opened;
    return {
      records: records.getStats() as Stats,
      indexes: indexesOf(this.opened).map((one) => one.getStats() as Stats),
    };
  }

  get(position: number): Buffer | undefined {
    return this.opened?.records.getBinary(position);
  }

  /**
   * The records from position `start` on, up to the one before `end`, in order. To be iterated without a pause, because
   * records that are written meanwhile may be included or not.
   */
  *range(start: number, end = Infinity, limit = Infinity): Iterable<Placed> {
    if (!this.opened || start >= end) return;
    const options = { start, ...(end < Infinity && { end }), ...(limit < Infinity && { limit }) };
    for (const { key, value } of this.opened.records.getRange(options)) yield { position: key, bytes: value };
  }

  /**
   * The same, at most `limit` of them, looked up one by one: lmdb gives them faster than those of a range where they lie
   * close together, as updates do.
   */
  *each(start: number, end: number, limit: number): Iterable<Placed> {
    let position: number | undefined = start;
    for (let count = 0; count < limit && position < end; count += 1) {
      let bytes = this.get(position);
      if (!bytes) {
        position = this.edge({ start: position });
        bytes = position === undefined || position >= end ? undefined : this.get(position);
      }
      if (position === undefined || !bytes) return;
      yield { position, bytes };
      position += 1;
    }
  }

  /** The records up to the one at `position`, the newest first. */
  *backwardsFrom(position: number): Iterable<Placed> {
    if (!this.opened) return;
    const options = { start: position, reverse: true };
    for (const { key, value } of this.opened.records.getRange(options)) yield { position: key, bytes: value };
  }

  /** The positions from `from` on that the index has for an id. Two ids may have the same hash. */
  positionsOf(id: string, from: number): Iterable<number> {
    return this.opened?.ids?.getValues(hashOf(id), { start: from }) ?? [];
  }

  /** The newest position that the index has for an idempotency key. */
  positionOfKey(idempotencyKey: string): number | undefined {
    return this.opened?.keys.get(hashOf(idempotencyKey));
  }

  /** The records that were taken out, in order. */
  *takenOut(): Iterable<TakenOut> {
    for (const { key, value } of this.opened?.takenOut?.getRange({}) ?? []) yield { position: key, cost: value };
  }

  /** How many places each index has. Walks over them. */
  indexSizes(): { readonly ids: number; readonly keys: number; readonly takenOut: number } {
    if (!this.opened) return { ids: 0, keys: 0, takenOut: 0 };
    const { ids, keys, takenOut: list } = this.opened;
    return { ids: ids?.getCount() ?? 0, keys: keys.getKeysCount(), takenOut: entriesOf(list) };
  }

  /** Reads everything once. @throws {Error} when a record is damaged or a page is missing. */
  readAll(): void {
    if (!this.opened) return;
    for (const placed of this.range(0)) checkRecord(placed);
    for (const index of indexesOf(this.opened)) Array.from(index.getRange({}), () => undefined);
  }

  /** To be called in a batch. The promise tells whether it was done. */
  put({ position, bytes, id, idempotencyKey }: Placement): Promise<boolean> {
    const { records, ids, keys } = this.created;
    void ids?.put(hashOf(id), position);
    if (idempotencyKey !== undefined) void keys.put(hashOf(idempotencyKey), position);
    // With `append`, LMDB fills its pages to the end; records inserted at random leave pages half empty.
    return (records as Appendable).put(position, bytes, { append: true });
  }

  removalOf(placed: Placed): Removal {
    const { position, bytes } = placed;
    const size = bytes.length;
    const record = readRecord(this.kind, placed);
    // A damaged record is removed all the same. Its places in the indexes stay, and lead to no record.
    if (!record) return { position, size, id: undefined, key: undefined, isTakenOut: true };
    const { content, idempotencyKey } = record;
    const key = idempotencyKey === undefined ? undefined : hashOf(idempotencyKey);
    return { position, size, id: hashOf(content.id), key, isTakenOut: false };
  }

  /** What takes the content of a record out; undefined where none is left, or a damaged one. */
  takeoutOf(position: number): (Takeout & { readonly content: Content }) | undefined {
    const bytes = this.get(position);
    const placed = bytes && { position, bytes };
    const record = placed && readRecord(this.kind, placed);
    if (!record) return undefined;
    const { content } = record;
    return { removal: this.removalOf(placed), bytes: takenOut(placed), cost: costOfRecord(bytes), content };
  }

  /** To be called in a batch. */
  remove(removal: Removal): void {
    const { records, takenOut: list } = this.created;
    void records.remove(removal.position);
    if (removal.isTakenOut) void list?.remove(removal.position);
    this.removePlaces(removal);
  }

  /** To be called in a batch. */
  takeOut({ removal, bytes, cost }: Takeout): Promise<boolean> {
    const { records, takenOut: list } = this.created;
    this.removePlaces(removal);
    void list?.put(removal.position, cost);
    return records.put(removal.position, bytes);
  }

  private removePlaces({ position, id, key }: Removal): void {
    const { ids, keys } = this.created;
    if (id) void ids?.remove(id, position);
    // The key may have been used again since.
    if (key && keys.get(key) === position) void keys.remove(key);
  }

  private edge(options: { readonly start?: number; readonly reverse?: true }): number | undefined {
    return this.opened ? [...this.opened.records.getKeys({ ...options, limit: 1 })][0] : undefined;
  }

  private get created(): Handles {
    if (this.opened) return this.opened;
    throw new Error(`There is no table ${this.kind.tables.records}.`);
  }

  private get opened(): Handles | null {
    if (this.handles !== undefined) return this.handles;
    throw new JournalUnavailableError('The journal is closed.');
  }
}

function entriesOf(table: Database<Buffer | number, number> | undefined): number {
  return (table?.getStats() as Stats | undefined)?.entryCount ?? 0;
}

function indexesOf({ ids, keys, takenOut: list }: Handles): readonly Database<number, Buffer | number>[] {
  const all: readonly (Database<number, Buffer | number> | undefined)[] = [ids, keys, list];
  return all.filter((one) => one !== undefined);
}

/** `append` is in lmdb's documentation and code, but its type wants a version too. */
interface Appendable {
  put(key: number, value: Buffer, options: { append: true }): Promise<boolean>;
}

/** Short, and of the same length for every text. */
function hashOf(text: string): Buffer {
  return digestOf(text).subarray(0, 16);
}
