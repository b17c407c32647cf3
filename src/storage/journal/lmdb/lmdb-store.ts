import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { JournalFullError, JournalOpenError, JournalUnavailableError } from '../journal.js';
import { withWholeFile } from './lmdb-file.js';
import { decodeRecord } from './lmdb-record.js';
import { type Amounts, type FilePages, freedPages, type Tree } from './lmdb-pages.js';
import { hasOverrun, LmdbRoom } from './lmdb-room.js';

/** The number of the format that this version writes. Every later version must read it. */
const FORMAT = 1;

/** The key of the {@link LogHeader}. */
const HEADER = 'about';

/** Facts about the files as a whole, stored as JSON. */
interface LogHeader {
  readonly format: number;
  /** Made at random when the files are created, and never changed. */
  readonly id: string;
  /** In base64. Files of earlier versions get one when they are opened. */
  readonly secret?: string;
}

/** What LMDB tells of a table and of the file; lmdb has no type for it. */
interface Stats extends Tree {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  /** The tree of the tables. */
  readonly root: Tree;
  /** The tree of the free pages. */
  readonly free: Tree;
}

interface Tables {
  readonly root: RootDatabase<Buffer, string>;
  /** Position → record. */
  readonly entries: Database<Buffer, number>;
  /** Hash of an event id → the positions that have it, in order. */
  readonly ids: Database<number, Buffer>;
  /** Hash of an idempotency key → the newest position that has it. */
  readonly keys: Database<number, Buffer>;
  readonly room: LmdbRoom;
}

export interface Placed {
  readonly position: number;
  readonly bytes: Buffer;
}

/** What has to be removed with an entry: its record, and its places in the indexes. */
interface Removal {
  readonly position: number;
  /** Bytes of its record. */
  readonly size: number;
  readonly id?: Buffer;
  readonly key?: Buffer;
}

/** A change of the files that is made as a whole or not at all. */
export interface Change {
  /** Records whose positions follow the newest one that is stored. */
  readonly append: readonly (Placed & { readonly id: string; readonly idempotencyKey: string | undefined })[];
  /** Positions to remove. */
  readonly remove: Iterable<number>;
}

/**
 * The journal's files: records by position, and the two indexes, changed together. LMDB never writes over a page that
 * the last commit refers to, so the files are whole after a crash at any moment, and nothing has to be repaired or read
 * when they are opened. Only one `LmdbStore` may have a path open at a time: see `DirectoryLock`.
 */
export class LmdbStore {
  /**
   * Made at random when the files are created, so that a journal can be told from another that later has the same path.
   */
  readonly id: string;
  /** See {@link Journal.secret}. */
  readonly secret: Buffer;
  private tables: Tables | undefined;
  private hasFailed = false;
  /** How many pages each of the last two changes has freed. */
  private freed: readonly number[] = [];

  /** @throws {JournalOpenError} when the files can't be read, or a newer version of Herald has written them. */
  constructor(private readonly path: string) {
    this.tables = openTables(path);
    const header = this.header();
    this.id = header.id;
    this.secret = Buffer.from(header.secret ?? this.addSecret(header), 'base64');
  }

  get isOpen(): boolean {
    return this.tables !== undefined;
  }

  /** Whether a write has failed within LMDB, after which nothing may be done but {@link reopen} and {@link close}. */
  get mustReopen(): boolean {
    return this.hasFailed;
  }

  get first(): number | undefined {
    return [...this.opened.entries.getKeys({ limit: 1 })][0];
  }

  get last(): number | undefined {
    return [...this.opened.entries.getKeys({ limit: 1, reverse: true })][0];
  }

  /** Bytes that the files take. */
  get size(): number {
    const { lastPageNumber, pageSize } = this.opened.root.getStats() as Stats;
    return (lastPageNumber + 1) * pageSize;
  }

  get(position: number): Buffer | undefined {
    return this.opened.entries.getBinary(position);
  }

  /**
   * The records from `position` on, in order. To be iterated without a pause, because records that are written
   * meanwhile may be included or not.
   */
  *from(position: number): Iterable<Placed> {
    for (const { key, value } of this.opened.entries.getRange({ start: position })) {
      yield { position: key, bytes: value };
    }
  }

  /** The positions from `from` on that the index has for an event id. Two ids may have the same hash. */
  positionsOf(id: string, from: number): Iterable<number> {
    return this.opened.ids.getValues(hashOf(id), { start: from });
  }

  /** The newest position that the index has for an idempotency key. */
  positionOfKey(idempotencyKey: string): number | undefined {
    return this.opened.keys.get(hashOf(idempotencyKey));
  }

  /** How many entries each index has. Walks over them. */
  indexSizes(): { readonly ids: number; readonly keys: number } {
    return { ids: this.opened.ids.getCount(), keys: this.opened.keys.getKeysCount() };
  }

  /**
   * Resolves once the change is committed and flushed to the disk.
   *
   * The environment is opened without `overlappingSync`, so that LMDB flushes the data, and after that the page that
   * refers to it, before the commit returns. With `overlappingSync`, which is the default, lmdb's promise covers the
   * commit alone.
   *
   * @throws {JournalUnavailableError} when the change could not be stored: nothing of it was. See {@link mustReopen}.
   */
  async write({ append, remove }: Change): Promise<void> {
    // Read before the batch begins, because an error within the batch would leave half of it in the queue.
    const removals = [...remove].map((position) => this.removalOf(position));
    await this.takeRoom({ append: append.map(({ bytes }) => bytes.length), remove: removals.map(({ size }) => size) });
    await this.commit(() => {
      for (const removal of removals) this.remove(removal);
      return append.map((placed) => this.put(placed));
    });
  }

  /**
   * Closes the files and opens them again, which discards what a failed write has left in memory: after some failures
   * LMDB does not go on, and hangs.
   */
  async reopen(): Promise<void> {
    await this.close();
    this.tables = openTables(this.path);
    this.hasFailed = false;
    if (this.header().id === this.id) return;
    await this.close();
    throw new JournalUnavailableError("The journal's files were replaced while they were in use: restart the service.");
  }

  async close(): Promise<void> {
    const { tables } = this;
    this.tables = undefined;
    await tables?.root.close();
  }

  private get opened(): Tables {
    if (this.tables) return this.tables;
    throw new JournalUnavailableError('The journal is closed.');
  }

  private async takeRoom(amounts: Amounts): Promise<void> {
    try {
      await this.takeRoomNow(amounts);
    } catch (error) {
      const isSettled = this.freed.every((count) => count === 0);
      if (isSettled || !(error instanceof JournalFullError)) throw error;
      await this.settle();
      await this.takeRoomNow(amounts);
    }
  }

  private async takeRoomNow(amounts: Amounts): Promise<void> {
    const pages = this.pages();
    await this.opened.room.takeFor(pages, amounts);
    this.freed = [...this.freed.slice(-1), freedPages(pages, amounts)];
  }

  /** Two commits of next to nothing, after which LMDB can use every page that is free. */
  private async settle(): Promise<void> {
    const { root } = this.opened;
    const header = root.get(HEADER) ?? Buffer.alloc(0);
    for (let times = 0; times < 2; times += 1) {
      // One after the other, because only separate commits make the freed pages usable.
      // oxlint-disable-next-line no-await-in-loop
      await this.takeRoomNow({ append: [], remove: [] });
      // oxlint-disable-next-line no-await-in-loop
      await this.commit(() => [root.put(HEADER, header)]);
    }
  }

  private pages(): FilePages {
    const { entries, ids, keys } = this.opened;
    const [records, ...indexes] = [entries.getStats(), ids.getStats(), keys.getStats()] as [Stats, Stats, Stats];
    const { pageSize: size, lastPageNumber, root, free } = records;
    const resting = this.freed.reduce((sum, count) => sum + count, 0);
    return { size, count: lastPageNumber + 1, records, indexes, others: [root, free], resting };
  }

  /** Commits all writes of `change` together; the promises that it returns tell whether the writes were done. */
  private async commit(change: () => readonly Promise<boolean>[]): Promise<void> {
    let results: readonly Promise<boolean>[] = [];
    const batch = this.opened.root.batch(() => {
      results = change();
    });
    const outcomes = await Promise.all([batch, ...results]).catch(async (error: unknown) => {
      this.hasFailed = true;
      throw explain(await causeOf(error));
    });
    if (!outcomes.includes(false)) return;
    // A write is not done when its position is already taken: LMDB leaves that record as it is, and commits the rest.
    this.hasFailed = true;
    throw new JournalUnavailableError(
      'Another process has written to the files of the journal, so the update may not be stored: try again later.',
    );
  }

  private put({ position, bytes, id, idempotencyKey }: Change['append'][number]): Promise<boolean> {
    const { entries, ids, keys } = this.opened;
    void ids.put(hashOf(id), position);
    if (idempotencyKey !== undefined) void keys.put(hashOf(idempotencyKey), position);
    // With `append`, LMDB fills its pages to the end; records inserted at random leave pages half empty.
    return (entries as Appendable).put(position, bytes, { append: true });
  }

  private removalOf(position: number): Removal {
    const bytes = this.opened.entries.getBinary(position);
    if (!bytes) return { position, size: 0 };
    try {
      const { update, idempotencyKey } = decodeRecord(bytes);
      const key = idempotencyKey === undefined ? undefined : hashOf(idempotencyKey);
      return { position, size: bytes.length, id: hashOf(update.id), ...(key && { key }) };
    } catch {
      // A damaged record is removed all the same. Its places in the indexes stay, and lead to no record.
      return { position, size: bytes.length };
    }
  }

  private remove({ position, id, key }: Removal): void {
    const { entries, ids, keys } = this.opened;
    void entries.remove(position);
    if (id) void ids.remove(id, position);
    // The key may have been used again since.
    if (key && keys.get(key) === position) void keys.remove(key);
  }

  private addSecret(header: LogHeader): string {
    const secret = newSecret();
    this.opened.root.putSync(HEADER, Buffer.from(JSON.stringify({ ...header, secret })));
    return secret;
  }

  private header(): LogHeader {
    const text = this.opened.root.get(HEADER);
    return JSON.parse(text?.toString() ?? '{}') as LogHeader;
  }
}

/** `append` is in lmdb's documentation and code, but its type wants a version too. */
interface Appendable {
  put(key: number, value: Buffer, options: { append: true }): Promise<boolean>;
}

function openTables(path: string): Tables {
  try {
    return withWholeFile(path, () => openUnchecked(path), readAll);
  } catch (error) {
    if (error instanceof JournalOpenError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new JournalOpenError(`The journal at ${path} can't be opened: ${reason}`, { cause: error });
  }
}

/** Reads all tables once. If a page is missing, closes the files and throws. */
function readAll({ root, entries, ids, keys }: Tables): void {
  try {
    for (const { value } of entries.getRange({ start: 0 })) decodeRecord(value);
    for (const index of [ids, keys]) Array.from(index.getRange({}), () => undefined);
    // Only a write makes LMDB read the list of free pages.
    root.putSync(HEADER, root.get(HEADER) ?? Buffer.alloc(0));
  } catch (error) {
    void root.close();
    throw error;
  }
}

function openUnchecked(path: string): Tables {
  const root = open<Buffer, string>({
    path,
    // By default, lmdb takes a path with a dot in it for a file.
    noSubdir: false,
    maxDbs: 4,
    encoding: 'binary',
    overlappingSync: false,
    // With this turned on, a failed commit also rejects a promise that nobody holds, which ends the process.
    eventTurnBatching: false,
  });
  checkFormat(path, root);
  return {
    root,
    entries: root.openDB<Buffer, number>({ name: 'entries', encoding: 'binary' }),
    ids: root.openDB<number, Buffer>({
      name: 'ids',
      keyEncoding: 'binary',
      encoding: 'ordered-binary',
      dupSort: true,
    }),
    keys: root.openDB<number, Buffer>({ name: 'keys', keyEncoding: 'binary', encoding: 'ordered-binary' }),
    room: new LmdbRoom(join(path, 'data.mdb')),
  };
}

/**
 * Gives new files, which have no header, their header; checks the format of all others.
 * @throws {JournalOpenError} when this version does not know the format.
 */
function checkFormat(path: string, root: RootDatabase<Buffer, string>): void {
  const text = root.get(HEADER);
  if (!text) {
    const header: LogHeader = { format: FORMAT, id: randomUUID(), secret: newSecret() };
    root.putSync(HEADER, Buffer.from(JSON.stringify(header)));
    return;
  }
  const { format } = JSON.parse(text.toString()) as Partial<LogHeader>;
  if (format === FORMAT) return;
  void root.close();
  throw new JournalOpenError(
    `The journal at ${path} has format ${format}, and this version of Herald reads formats up to ${FORMAT}: ` +
      'start the version that wrote it, or take its entries over with `herald journal export` of that version.',
  );
}

function newSecret(): string {
  return randomBytes(32).toString('base64');
}

/** Short, and of the same length for every text. */
function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

/** The promises of lmdb reject with an error that holds a promise of the real one. */
async function causeOf(failure: unknown): Promise<unknown> {
  if (!(failure instanceof Error) || !('commitError' in failure)) return failure;
  return Promise.resolve(failure.commitError).catch((cause: unknown) => cause);
}

/** ENOSPC, EDQUOT (Linux, macOS), EFBIG, and LMDB's own `MDB_MAP_FULL`. */
const FULL_CODES: ReadonlySet<unknown> = new Set([28, 122, 69, 27, -30792]);

/** The error that publishers see. It says nothing of paths or errors of the system, which are in its `cause`. */
function explain(cause: unknown): JournalUnavailableError {
  endAfterOverrun(cause);
  const isFull = cause instanceof Error && 'code' in cause && FULL_CODES.has(cause.code);
  if (isFull) return new JournalFullError('The disk of the journal is full: nothing was stored.', { cause });
  return new JournalUnavailableError('The journal could not be written: nothing was stored.', { cause });
}

/**
 * Ends the process by an uncaught error if LMDB has damaged the heap, after which nothing in the process is reliable.
 */
function endAfterOverrun(cause: unknown): void {
  if (!hasOverrun(cause)) return;
  setImmediate(() => {
    throw new Error('LMDB has damaged the memory of this process when its disk refused a write: restart it.', {
      cause,
    });
  });
}
