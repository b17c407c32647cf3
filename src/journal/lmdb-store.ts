import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { open as openFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { JournalFullError, JournalOpenError, JournalUnavailableError } from './journal.js';
import { withWholeFile } from './lmdb-file.js';
import { decodeRecord } from './lmdb-record.js';

/** The number of the format that this version writes. One that is older must be read by every later version. */
const FORMAT = 1;

/** What is told about the files as a whole, as JSON. */
interface About {
  readonly format: number;
  /** Made at random with the files, and the same for as long as they live. */
  readonly id: string;
}

interface Tables {
  readonly root: RootDatabase<Buffer, string>;
  /** Position → record. */
  readonly entries: Database<Buffer, number>;
  /** Hash of an event id → the positions that have it, in order. */
  readonly ids: Database<number, Buffer>;
  /** Hash of an idempotency key → the newest position that has it. */
  readonly keys: Database<number, Buffer>;
}

export interface Placed {
  readonly position: number;
  readonly bytes: Buffer;
}

/** What is to go with an entry. */
interface Removal {
  readonly position: number;
  readonly id?: Buffer;
  readonly key?: Buffer;
}

/** A change of the files that is made as a whole or not at all. */
export interface Change {
  /** Right after the newest one that is stored. */
  readonly append: readonly (Placed & { readonly id: string; readonly idempotencyKey: string | undefined })[];
  /** Positions to remove. */
  readonly remove: Iterable<number>;
}

/**
 * The journal's files: records by position, and the two indexes, changed together. LMDB never writes over a page that
 * the last commit refers to, so the files are whole after a crash at any moment, and nothing has to be repaired or read
 * when they are opened. One `LmdbStore` has a path at a time, see `DirectoryLock`.
 */
export class LmdbStore {
  /** Made at random with the files: tells one journal from another that later had the same path. */
  readonly id: string;
  private tables: Tables | undefined;

  /** @throws {JournalOpenError} when the files can't be read, or a newer version of Herald has written them. */
  constructor(private readonly path: string) {
    this.tables = openTables(path);
    this.id = this.about().id;
  }

  /** False after a failed write, until it has been opened again. */
  get isOpen(): boolean {
    return this.tables !== undefined;
  }

  get first(): number | undefined {
    return [...this.opened.entries.getKeys({ limit: 1 })][0];
  }

  get last(): number | undefined {
    return [...this.opened.entries.getKeys({ limit: 1, reverse: true })][0];
  }

  /** Bytes that the files take. */
  get size(): number {
    const { root } = this.opened;
    const { lastPageNumber, pageSize } = root.getStats() as { lastPageNumber: number; pageSize: number };
    return (lastPageNumber + 1) * pageSize;
  }

  get(position: number): Buffer | undefined {
    return this.opened.entries.getBinary(position);
  }

  /** The records from `position` on, in order. To be gone through at once: what is written meanwhile may show or not. */
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
   * refers to it, before the commit returns. With it, which is the default, lmdb's promise is about the commit alone.
   *
   * @throws {JournalUnavailableError} when it could not be stored: nothing of it was then. Call {@link reopen} before
   * anything else.
   */
  async write(change: Change): Promise<void> {
    const { root } = this.opened;
    // Read before the batch begins: an error within would leave half of it in the queue.
    const removals = [...change.remove].map((position) => this.removalOf(position));
    const results: Promise<boolean>[] = [];
    const batch = root.batch(() => {
      for (const removal of removals) this.remove(removal);
      for (const placed of change.append) results.push(this.put(placed));
    });
    const outcomes = await Promise.all([batch, ...results]).catch(async (error: unknown) => {
      throw await this.explain(await causeOf(error), change);
    });
    // LMDB leaves a position that is taken as it is, and commits the rest.
    if (outcomes.includes(false)) throw new JournalUnavailableError('The journal is not as this process left it.');
  }

  /** What a failed write has left in memory is thrown away: LMDB does not go on after some failures, and hangs. */
  async reopen(): Promise<void> {
    const { tables } = this;
    this.tables = undefined;
    await tables?.root.close();
    this.tables = openTables(this.path);
    if (this.about().id === this.id) return;
    await this.close();
    throw new JournalUnavailableError(
      "The journal's files were exchanged while they were in use: restart the service.",
    );
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

  private put({ position, bytes, id, idempotencyKey }: Change['append'][number]): Promise<boolean> {
    const { entries, ids, keys } = this.opened;
    void ids.put(hashOf(id), position);
    if (idempotencyKey !== undefined) void keys.put(hashOf(idempotencyKey), position);
    // Pages are filled to the end, where those that are put in at random are left half empty.
    return (entries as Appendable).put(position, bytes, { append: true });
  }

  private removalOf(position: number): Removal {
    const bytes = this.opened.entries.getBinary(position);
    if (!bytes) return { position };
    try {
      const { update, idempotencyKey } = decodeRecord(bytes);
      return { position, id: hashOf(update.id), ...(idempotencyKey !== undefined && { key: hashOf(idempotencyKey) }) };
    } catch {
      // It goes all the same; whoever comes by its traces in the indexes finds nothing there.
      return { position };
    }
  }

  private remove({ position, id, key }: Removal): void {
    const { entries, ids, keys } = this.opened;
    void entries.remove(position);
    if (id) void ids.remove(id, position);
    // The key may have been used again since.
    if (key && keys.get(key) === position) void keys.remove(key);
  }

  private about(): About {
    const text = this.opened.root.get('about');
    return JSON.parse(text?.toString() ?? '{}') as About;
  }

  /** What is told to publishers: nothing of paths or errors of the system. Those are in `cause`. */
  private async explain(cause: unknown, { append }: Change): Promise<JournalUnavailableError> {
    const bytes = append.reduce((sum, placed) => sum + placed.bytes.length, 0);
    const isFull = isFullError(cause) || !(await hasRoom(this.path, bytes));
    if (isFull) return new JournalFullError('The disk of the journal is full: nothing was stored.', { cause });
    return new JournalUnavailableError('The journal could not be written: nothing was stored.', { cause });
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

/** Reads everything once, and closes it where a page is missing: then it throws. */
function readAll({ root, entries, ids, keys }: Tables): void {
  try {
    for (const { value } of entries.getRange({ start: 0 })) decodeRecord(value);
    for (const index of [ids, keys]) Array.from(index.getRange({}), () => undefined);
    // The free pages are looked for only by those who write.
    root.putSync('about', root.get('about') ?? Buffer.alloc(0));
  } catch (error) {
    void root.close();
    throw error;
  }
}

function openUnchecked(path: string): Tables {
  const root = open<Buffer, string>({
    path,
    // A path with a dot in it would be taken for a file.
    noSubdir: false,
    maxDbs: 4,
    encoding: 'binary',
    overlappingSync: false,
    // With it, a failed commit also rejects a promise that nobody holds, which ends the process.
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
  };
}

/** Files without a format are new. */
function checkFormat(path: string, root: RootDatabase<Buffer, string>): void {
  const text = root.get('about');
  if (!text) {
    const about: About = { format: FORMAT, id: randomUUID() };
    root.putSync('about', Buffer.from(JSON.stringify(about)));
    return;
  }
  const { format } = JSON.parse(text.toString()) as Partial<About>;
  if (format === FORMAT) return;
  void root.close();
  throw new JournalOpenError(
    `The journal at ${path} has format ${format}, and this version of Herald knows none above ${FORMAT}: ` +
      'start the version that wrote it, or take its entries over with `herald journal export` of that version.',
  );
}

/** Short, and of the same length for every text. */
function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, 16);
}

/** The promises of lmdb reject with an error that promises the real one. */
async function causeOf(failure: unknown): Promise<unknown> {
  if (!(failure instanceof Error) || !('commitError' in failure)) return failure;
  return Promise.resolve(failure.commitError).catch((cause: unknown) => cause);
}

/** ENOSPC, EDQUOT (Linux, macOS), EFBIG, and LMDB's own `MDB_MAP_FULL`. */
const FULL_CODES: ReadonlySet<unknown> = new Set([28, 122, 69, 27, -30792]);

function isFullError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL_CODES.has(error.code);
}

/** LMDB reports a write that a full disk has cut short as an I/O error, so the disk is asked itself. */
async function hasRoom(path: string, bytes: number): Promise<boolean> {
  const probe = join(path, `probe-${randomBytes(8).toString('hex')}`);
  try {
    const file = await openFile(probe, 'wx');
    try {
      await file.writeFile(Buffer.alloc(bytes + 64 * 1024, 1));
      await file.sync();
    } finally {
      await file.close();
    }
    return true;
  } catch {
    return false;
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
  }
}
