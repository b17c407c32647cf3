import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { open, type RootDatabase } from 'lmdb';
import { messageOf } from '../../../shared/errors/message-of.js';
import { JournalFullError, JournalOpenError, JournalUnavailableError } from '../journal.js';
import type { PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';
import { Hold } from './backup/hold.js';
import { explain } from './disk/lmdb-failure.js';
import { headOfFile, withWholeFile } from './disk/lmdb-file.js';
import { type ChangedTable, type FilePages, freedPages, type PageChanges } from './disk/lmdb-pages.js';
import { LmdbRoom } from './disk/lmdb-room.js';
import { decodeHeader, encodeHeader, formatOf, FORMATS, HEADER, type LogHeader, newSecret } from './lmdb-header.js';
import { PRESENCE, UPDATES } from './lmdb-kind.js';
import type { Placed } from './lmdb-record.js';
import { type Edit, TopicTable } from './index/topic-table.js';
import { LmdbTable, type Placement, type Removal, type Stats, type Takeout } from './lmdb-table.js';

interface Files {
  readonly root: RootDatabase<Buffer, string>;
  readonly room: LmdbRoom;
}

/** A change of a table. */
export interface Change {
  /** Records whose positions follow the newest one that is stored. */
  readonly append: readonly Placement[];
  readonly remove: Iterable<Placed>;
  readonly takeOut?: readonly Takeout[];
}

/** A change of the index of topics. */
export interface TopicChange {
  readonly edits: readonly Edit[];
  /** Whether the rest is stored without it where the disk has no room for it. */
  readonly isOptional: boolean;
}

const NOTHING: Change = { append: [], remove: [] };
const NO_TOPICS: TopicChange = { edits: [], isOptional: true };

/** A change of the files that is made as a whole or not at all. */
export interface Changes {
  readonly updates?: Change;
  readonly presence?: Change;
  readonly topics?: TopicChange;
}

interface TableChange {
  readonly table: LmdbTable<Update> | LmdbTable<PresenceRecord>;
  readonly append: readonly Placement[];
  readonly remove: readonly Removal[];
  readonly takeOut: readonly Takeout[];
}

/** What is stored in one commit. */
interface Drawn {
  readonly tables: readonly TableChange[];
  readonly edits: readonly Edit[];
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
  readonly topics = new TopicTable();
  /**
   * Made at random when the files are created, so that a journal can be told from another that later has the same path.
   */
  readonly id: string;
  /** See {@link Journal.secret}. */
  readonly secret: Buffer;
  private files: Files | undefined;
  private format: number = FORMATS.updatesOnly;
  private hasFailed = false;
  /** How many pages each of the last two changes has freed. */
  private freed: readonly number[] = [];
  private held: Hold | undefined;

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
   * @returns whether the change of the index was stored too: see {@link TopicChange.isOptional}.
   * @throws {JournalUnavailableError} when the change could not be stored: nothing of it was. See {@link mustReopen}.
   */
  async write({ updates = NOTHING, presence = NOTHING, topics = NO_TOPICS }: Changes): Promise<boolean> {
    const format = formatFor(updates, presence, this.format);
    const isNewFormat = format > this.format;
    if (isNewFormat) await this.createFor(format);
    // Read before the batch begins, because an error within the batch would leave half of it in the queue.
    const tables: TableChange[] = [changeOf(this.updates, updates)];
    if (this.presence.isCreated) tables.push(changeOf(this.presence, presence));
    const header = isNewFormat ? { ...this.header(), format } : undefined;
    const edits = await this.takeRoomWith(tables, topics);
    await this.commit(() => {
      for (const { table, remove } of tables) for (const removal of remove) table.remove(removal);
      const done = tables.flatMap(({ table, append }) => append.map((placement) => table.put(placement)));
      for (const { table, takeOut } of tables) done.push(...takeOut.map((takeout) => table.takeOut(takeout)));
      for (const edit of edits) this.topics.edit(edit);
      if (header) done.push(this.opened.root.put(HEADER, encodeHeader(header)));
      return done;
    });
    if (isNewFormat) this.tellOfFormat(format);
    return edits.length === topics.edits.length;
  }

  /**
   * Resolves once an update of so many bytes would have room, without storing anything. Nothing else may be under way.
   * @throws {JournalUnavailableError} when the disk does not have the room.
   */
  async roomFor(bytes: number): Promise<void> {
    const changes = (): PageChanges => {
      const { trees } = this.updates;
      const { tree } = this.topics;
      return {
        tables: trees ? [{ ...trees, append: [bytes], remove: [] }] : [],
        topics: tree && { tree, put: [], remove: [] },
        leavesRoom: true,
      };
    };
    await this.settled(() => this.opened.room.takeFor(this.pages(), changes()));
  }

  /**
   * Keeps what is stored now where it is in the files, so that it can be copied. Nothing else may be under way.
   * @throws {JournalUnavailableError} when it is held already, or the journal is closed.
   */
  hold(): Hold {
    if (this.held?.ended.aborted === false) throw new JournalUnavailableError('Another backup is under way already.');
    this.held = Hold.of(this.opened.root, headOfFile(this.path), this.size);
    return this.held;
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
    this.held?.end('the service has closed it');
    this.files = undefined;
    this.closeTables();
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
      this.closeTables();
      if (error instanceof JournalOpenError) throw error;
      const reason = messageOf(error);
      throw new JournalOpenError(`The journal at ${this.path} can't be opened: ${reason}`, { cause: error });
    }
  }

  private closeTables(): void {
    for (const table of [this.updates, this.presence, this.topics]) table.close();
  }

  private openTables(): Files {
    const root = openRoot(this.path);
    this.format = formatOf(this.path, root);
    this.updates.create(root);
    if (this.format >= FORMATS.takenOut) this.updates.createTakenOut(root);
    if (this.format >= FORMATS.presence) this.presence.create(root);
    else this.presence.leaveOut();
    this.topics.open(root);
    return { root, room: new LmdbRoom(join(this.path, 'data.mdb')) };
  }

  /** Reads all tables once. If a page is missing, closes the files and throws. */
  private readAll({ root }: Files): void {
    try {
      this.updates.readAll();
      this.presence.readAll();
      this.topics.readAll();
      // Only a write makes LMDB read the list of free pages.
      root.putSync(HEADER, root.get(HEADER) ?? Buffer.alloc(0));
    } catch (error) {
      void root.close();
      throw error;
    }
  }

  /**
   * Makes the tables that a format has besides. As long as they are empty, earlier versions go on with the files.
   */
  private async createFor(format: number): Promise<void> {
    if (!this.presence.isCreated) await this.create((root) => this.presence.create(root));
    if (format >= FORMATS.takenOut) await this.create((root) => this.updates.createTakenOut(root));
  }

  /** Makes a table, for which the files have to be made longer first. */
  private async create(make: (root: Files['root']) => void): Promise<void> {
    await this.takeRoom({ tables: [], edits: [] });
    try {
      make(this.opened.root);
    } catch (error) {
      this.hasFailed = true;
      throw await explain(error);
    }
  }

  private tellOfFormat(format: number): void {
    this.format = format;
    const what = format === FORMATS.presence ? 'keeps comings and goings of streams' : 'has had updates taken out';
    new Logger('Journal').log(
      `The journal at ${this.path} now ${what}, and so has format ${format}, which earlier ` +
        'versions of Herald cannot open: to go back to one, take the updates over with `herald journal export` and ' +
        '`herald journal import`.',
    );
  }

  /** @returns the edits of the index for which there is room. */
  private async takeRoomWith(tables: readonly TableChange[], topics: TopicChange): Promise<readonly Edit[]> {
    const { edits, isOptional } = topics;
    if (edits.length > 0) {
      try {
        if (!this.topics.isCreated) await this.create((root) => this.topics.create(root));
        await this.takeRoom({ tables, edits });
        return edits;
      } catch (error) {
        if (!isOptional || this.hasFailed || !(error instanceof JournalFullError)) throw error;
      }
    }
    await this.takeRoom({ tables, edits: [] });
    return [];
  }

  private takeRoom(drawn: Drawn): Promise<void> {
    return this.settled(() => this.takeRoomNow(drawn));
  }

  /** What `take` takes, also where there is only room once LMDB uses every free page. */
  private async settled(take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      const isSettled = this.pages().resting === 0;
      if (isSettled || !(error instanceof JournalFullError)) throw error;
      // Publications go before a backup that takes their room.
      if (this.held?.freed) this.held.end('its disk is full');
      await this.settle();
      await take();
    }
  }

  private async takeRoomNow(drawn: Drawn): Promise<void> {
    const pages = this.pages();
    const changes = this.pageChanges(drawn);
    await this.opened.room.takeFor(pages, changes);
    const freed = freedPages(pages, changes);
    this.freed = [...this.freed.slice(-1), freed];
    this.held?.grows(freed, this.size);
  }

  private pageChanges({ tables, edits }: Drawn): PageChanges {
    const { tree } = this.topics;
    const put = edits.flatMap(({ key, value }) => (value ? [key.length + value.length] : []));
    const remove = edits.flatMap(({ value, size }) => (value ? [] : [size]));
    const isAppend = edits.length > 0 || tables.some(({ append }) => append.length > 0);
    return {
      tables: tables.flatMap(changedTable),
      topics: tree && { tree, put, remove },
      // What takes updates out makes room itself.
      leavesRoom: isAppend && tables.every(({ takeOut }) => takeOut.length === 0),
    };
  }

  /** Two commits of next to nothing, after which LMDB can use every page that is free. */
  private async settle(): Promise<void> {
    const { root } = this.opened;
    const header = root.get(HEADER) ?? Buffer.alloc(0);
    for (let times = 0; times < 2; times += 1) {
      // One after the other, because only separate commits make the freed pages usable.
      // oxlint-disable-next-line no-await-in-loop
      await this.takeRoomNow({ tables: [], edits: [] });
      // oxlint-disable-next-line no-await-in-loop
      await this.commit(() => [root.put(HEADER, header)]);
    }
  }

  private pages(): FilePages {
    const { pageSize, lastPageNumber, root, free } = this.opened.root.getStats() as Stats;
    const resting = this.freed.reduce((sum, count) => sum + count, this.held?.freed ?? 0);
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

/** The format of files that have had these changes. */
function formatFor(updates: Change, presence: Change, format: number): number {
  if (updates.takeOut && updates.takeOut.length > 0) return FORMATS.takenOut;
  return presence.append.length > 0 ? Math.max(format, FORMATS.presence) : format;
}

function changeOf(table: TableChange['table'], { append, remove, takeOut = [] }: Change): TableChange {
  return { table, append, remove: Array.from(remove, (placed) => table.removalOf(placed)), takeOut };
}

function changedTable({ table, append, remove, takeOut }: TableChange): ChangedTable[] {
  const { trees } = table;
  if (!trees) return [];
  const put = [...append, ...takeOut].map(({ bytes }) => bytes.length);
  const removed = [...remove, ...takeOut.map(({ removal }) => removal)].map(({ size }) => size);
  return [{ ...trees, append: put, remove: removed }];
}

/** Opens the LMDB files in a directory, and makes them where there are none. */
export function openRoot(path: string): RootDatabase<Buffer, string> {
  return open<Buffer, string>({
    path,
    // By default, lmdb takes a path with a dot in it for a file.
    noSubdir: false,
    maxDbs: 12,
    encoding: 'binary',
    overlappingSync: false,
    // With this turned on, a failed commit also rejects a promise that nobody holds, which ends the process.
    eventTurnBatching: false,
  });
}
