import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { open, type RootDatabase } from 'lmdb';
import { JournalFullError, JournalOpenError, JournalUnavailableError } from '../journal.js';
import type { PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';
import { explain } from './disk/lmdb-failure.js';
import { withWholeFile } from './disk/lmdb-file.js';
import { type ChangedTable, type FilePages, freedPages } from './disk/lmdb-pages.js';
import { LmdbRoom } from './disk/lmdb-room.js';
import { PRESENCE, UPDATES } from './lmdb-kind.js';
import type { Placed } from './lmdb-record.js';
import { LmdbTable, type Placement, type Removal, type Stats } from './lmdb-table.js';

/** The format of files that never had comings and goings, which earlier versions read too. */
const UPDATES_ONLY = 1;

/** The newest format that this version reads, and the one of files with comings and goings. Later versions read both. */
const FORMAT = 2;

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

interface Files {
  readonly root: RootDatabase<Buffer, string>;
  readonly room: LmdbRoom;
}

/** A change of a table. */
export interface Change {
  /** Records whose positions follow the newest one that is stored. */
  readonly append: readonly Placement[];
  readonly remove: Iterable<Placed>;
}

const NOTHING: Change = { append: [], remove: [] };

/** A change of the files that is made as a whole or not at all. */
export interface Changes {
  readonly updates?: Change;
  readonly presence?: Change;
}

interface TableChange {
  readonly table: LmdbTable<Update> | LmdbTable<PresenceRecord>;
  readonly append: readonly Placement[];
  readonly remove: readonly Removal[];
}

/**
 * The journal's files: updates, and comings and goings, in tables of their own that are changed together. LMDB never
 * writes over a page that the last commit refers to, so the files are whole after a crash at any moment, and nothing has
 * to be repaired or read when they are opened. Only one `LmdbEnvironment` may have a path open at a time: see
 * `DirectoryLock`.
 */
export class LmdbEnvironment {
  readonly updates = new LmdbTable(UPDATES);
  readonly presence = new LmdbTable(PRESENCE);
  /**
   * Made at random when the files are created, so that a journal can be told from another that later has the same path.
   */
  readonly id: string;
  /** See {@link Journal.secret}. */
  readonly secret: Buffer;
  private files: Files | undefined;
  private format = UPDATES_ONLY;
  private hasFailed = false;
  /** How many pages each of the last two changes has freed. */
  private freed: readonly number[] = [];

  /** @throws {JournalOpenError} when the files can't be read, or a newer version of Herald has written them. */
  constructor(private readonly path: string) {
    this.open();
    const header = this.header();
    this.id = header.id;
    this.secret = Buffer.from(header.secret ?? this.addSecret(header), 'base64');
  }

  get isOpen(): boolean {
    return this.files !== undefined;
  }

  /** Whether a write has failed within LMDB, after which nothing may be done but {@link reopen} and {@link close}. */
  get mustReopen(): boolean {
    return this.hasFailed;
  }

  /** Bytes that the files take. */
  get size(): number {
    const { size, count } = this.pages();
    return size * count;
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
  async write({ updates = NOTHING, presence = NOTHING }: Changes): Promise<void> {
    const isFirstPresence = this.format === UPDATES_ONLY && presence.append.length > 0;
    if (isFirstPresence) await this.createPresence();
    // Read before the batch begins, because an error within the batch would leave half of it in the queue.
    const changes: TableChange[] = [changeOf(this.updates, updates)];
    if (this.presence.isCreated) changes.push(changeOf(this.presence, presence));
    const header = isFirstPresence ? { ...this.header(), format: FORMAT } : undefined;
    await this.takeRoom(changes);
    await this.commit(() => {
      for (const { table, remove } of changes) for (const removal of remove) table.remove(removal);
      const done = changes.flatMap(({ table, append }) => append.map((placement) => table.put(placement)));
      if (header) done.push(this.opened.root.put(HEADER, encodeHeader(header)));
      return done;
    });
    if (isFirstPresence) this.tellOfFormat();
  }

  /**
   * Closes the files and opens them again, which discards what a failed write has left in memory: after some failures
   * LMDB does not go on, and hangs.
   */
  async reopen(): Promise<void> {
    await this.close();
    this.open();
    this.hasFailed = false;
    if (this.header().id === this.id) return;
    await this.close();
    throw new JournalUnavailableError("The journal's files were replaced while they were in use: restart the service.");
  }

  async close(): Promise<void> {
    const { files } = this;
    this.files = undefined;
    this.updates.close();
    this.presence.close();
    await files?.root.close();
  }

  private get opened(): Files {
    if (this.files) return this.files;
    throw new JournalUnavailableError('The journal is closed.');
  }

  private open(): void {
    try {
      this.files = withWholeFile(
        this.path,
        () => this.openTables(),
        (files) => this.readAll(files),
      );
    } catch (error) {
      this.updates.close();
      this.presence.close();
      if (error instanceof JournalOpenError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new JournalOpenError(`The journal at ${this.path} can't be opened: ${reason}`, { cause: error });
    }
  }

  private openTables(): Files {
    const root = openRoot(this.path);
    this.format = formatOf(this.path, root);
    this.updates.create(root);
    if (this.format === UPDATES_ONLY) this.presence.leaveOut();
    else this.presence.create(root);
    return { root, room: new LmdbRoom(join(this.path, 'data.mdb')) };
  }

  /** Reads all tables once. If a page is missing, closes the files and throws. */
  private readAll({ root }: Files): void {
    try {
      this.updates.readAll();
      this.presence.readAll();
      // Only a write makes LMDB read the list of free pages.
      root.putSync(HEADER, root.get(HEADER) ?? Buffer.alloc(0));
    } catch (error) {
      void root.close();
      throw error;
    }
  }

  /**
   * Makes the tables of comings and goings, for which the files have to be made longer first. As long as the tables are
   * empty, earlier versions go on with the files.
   */
  private async createPresence(): Promise<void> {
    if (this.presence.isCreated) return;
    await this.takeRoom([]);
    try {
      this.presence.create(this.opened.root);
    } catch (error) {
      this.hasFailed = true;
      throw await explain(error);
    }
  }

  private tellOfFormat(): void {
    this.format = FORMAT;
    new Logger('Journal').log(
      `The journal at ${this.path} now keeps comings and goings of streams, and so has format ${FORMAT}, which earlier ` +
        'versions of Herald cannot open: to go back to one, take the updates over with `herald journal export` and ' +
        '`herald journal import`.',
    );
  }

  private async takeRoom(changes: readonly TableChange[]): Promise<void> {
    try {
      await this.takeRoomNow(changes);
    } catch (error) {
      const isSettled = this.freed.every((count) => count === 0);
      if (isSettled || !(error instanceof JournalFullError)) throw error;
      await this.settle();
      await this.takeRoomNow(changes);
    }
  }

  private async takeRoomNow(changes: readonly TableChange[]): Promise<void> {
    const pages = this.pages();
    const tables = changes.flatMap(changedTable);
    await this.opened.room.takeFor(pages, tables);
    this.freed = [...this.freed.slice(-1), freedPages(pages, tables)];
  }

  /** Two commits of next to nothing, after which LMDB can use every page that is free. */
  private async settle(): Promise<void> {
    const { root } = this.opened;
    const header = root.get(HEADER) ?? Buffer.alloc(0);
    for (let times = 0; times < 2; times += 1) {
      // One after the other, because only separate commits make the freed pages usable.
      // oxlint-disable-next-line no-await-in-loop
      await this.takeRoomNow([]);
      // oxlint-disable-next-line no-await-in-loop
      await this.commit(() => [root.put(HEADER, header)]);
    }
  }

  private pages(): FilePages {
    const { pageSize, lastPageNumber, root, free } = this.opened.root.getStats() as Stats;
    const resting = this.freed.reduce((sum, count) => sum + count, 0);
    return { size: pageSize, count: lastPageNumber + 1, others: [root, free], resting };
  }

  /** Commits all writes of `change` together; the promises that it returns tell whether the writes were done. */
  private async commit(change: () => readonly Promise<boolean>[]): Promise<void> {
    let results: readonly Promise<boolean>[] = [];
    const batch = this.opened.root.batch(() => {
      results = change();
    });
    const outcomes = await Promise.all([batch, ...results]).catch(async (error: unknown) => {
      this.hasFailed = true;
      throw await explain(error);
    });
    if (!outcomes.includes(false)) return;
    // A write is not done when its position is already taken: LMDB leaves that record as it is, and commits the rest.
    this.hasFailed = true;
    throw new JournalUnavailableError(
      'Another process has written to the files of the journal, so the update may not be stored: try again later.',
    );
  }

  private addSecret(header: LogHeader): string {
    const secret = newSecret();
    this.opened.root.putSync(HEADER, encodeHeader({ ...header, secret }));
    return secret;
  }

  private header(): LogHeader {
    return decodeHeader(this.opened.root.get(HEADER));
  }
}

function changeOf(table: TableChange['table'], { append, remove }: Change): TableChange {
  return { table, append, remove: Array.from(remove, (placed) => table.removalOf(placed)) };
}

function changedTable({ table, append, remove }: TableChange): ChangedTable[] {
  const { trees } = table;
  if (!trees) return [];
  return [{ ...trees, append: append.map(({ bytes }) => bytes.length), remove: remove.map(({ size }) => size) }];
}

function openRoot(path: string): RootDatabase<Buffer, string> {
  return open<Buffer, string>({
    path,
    // By default, lmdb takes a path with a dot in it for a file.
    noSubdir: false,
    maxDbs: 6,
    encoding: 'binary',
    overlappingSync: false,
    // With this turned on, a failed commit also rejects a promise that nobody holds, which ends the process.
    eventTurnBatching: false,
  });
}

/**
 * Gives new files, which have no header, their header; checks the format of all others.
 * @throws {JournalOpenError} when this version does not know the format.
 */
function formatOf(path: string, root: RootDatabase<Buffer, string>): number {
  const text = root.get(HEADER);
  const header = text ? decodeHeader(text) : { format: UPDATES_ONLY, id: randomUUID(), secret: newSecret() };
  if (!text) root.putSync(HEADER, encodeHeader(header));
  const { format } = header;
  if (format === UPDATES_ONLY || format === FORMAT) return format;
  void root.close();
  throw new JournalOpenError(
    `The journal at ${path} has format ${format}, and this version of Herald reads formats up to ${FORMAT}: ` +
      'start the version that wrote it, or take its entries over with `herald journal export` of that version.',
  );
}

function encodeHeader(header: LogHeader): Buffer {
  return Buffer.from(JSON.stringify(header));
}

function decodeHeader(text: Buffer | undefined): LogHeader {
  return JSON.parse(text?.toString() ?? '{}') as LogHeader;
}

function newSecret(): string {
  return randomBytes(32).toString('base64');
}
