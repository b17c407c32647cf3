import type { Database, RootDatabase } from 'lmdb';
import { JournalUnavailableError } from '../../journal.js';
import type { Tree } from '../disk/lmdb-pages.js';

/** Earlier versions know nothing of this database, and leave it as it is. */
export const TOPICS = 'topics';

export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** A change of one row. */
export interface Edit {
  readonly key: Buffer;
  /** Undefined where the row is removed. */
  readonly value: Buffer | undefined;
  /** Bytes of the row that is removed, where it may be large. */
  readonly size: number;
}

/** The database of the index, with keys in the order of their bytes. It reads as empty until it is made. */
export class TopicTable {
  /** Undefined while the files are closed, and null while there is no such database in them. */
  private handle: Database<Buffer, Buffer> | null | undefined;

  /** To be called with files that have been opened. */
  open(root: RootDatabase<Buffer, string>): void {
    this.handle = null;
    // Opening a database that is not there would make it, for which there may be no room on the disk.
    for (const name of root.getKeys()) if (name === TOPICS) this.create(root);
  }

  create(root: RootDatabase<Buffer, string>): void {
    this.handle = root.openDB<Buffer, Buffer>({ name: TOPICS, encoding: 'binary', keyEncoding: 'binary' });
  }

  close(): void {
    this.handle = undefined;
  }

  get isOpen(): boolean {
    return this.handle !== undefined;
  }

  get isCreated(): boolean {
    return this.opened !== null;
  }

  get tree(): Tree | undefined {
    return this.opened?.getStats() as Tree | undefined;
  }

  /** The value of a key. It has to be read before the next call: the memory is used again. */
  get(key: Buffer): Buffer | undefined {
    const bytes = this.opened?.getBinaryFast(key);
    // The buffer is longer than the value; what it says of its length is not known to all of its methods.
    return bytes?.subarray(0, bytes.length);
  }

  /** The rows from `start` on whose keys begin with `prefix`, in order. To be iterated without a pause. */
  *range(start: Buffer, prefix: Buffer = NOTHING): Iterable<Row> {
    if (!this.opened) return;
    for (const { key, value } of this.opened.getRange({ start })) {
      if (!beginsWith(key, prefix)) return;
      yield { key, value };
    }
  }

  /** The same from `start` back. */
  *backwards(start: Buffer, prefix: Buffer): Iterable<Row> {
    if (!this.opened) return;
    for (const { key, value } of this.opened.getRange({ start, reverse: true })) {
      if (!beginsWith(key, prefix)) return;
      yield { key, value };
    }
  }

  /** Reads everything once. */
  readAll(): void {
    if (this.opened) Array.from(this.opened.getRange({}), () => undefined);
  }

  /** To be called in a batch. */
  edit({ key, value }: Edit): void {
    if (value) void this.opened?.put(key, value);
    else void this.opened?.remove(key);
  }

  private get opened(): Database<Buffer, Buffer> | null {
    if (this.handle !== undefined) return this.handle;
    throw new JournalUnavailableError('The journal is closed.');
  }
}

const NOTHING = Buffer.alloc(0);

function beginsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && key.compare(prefix, 0, prefix.length, 0, prefix.length) === 0;
}
