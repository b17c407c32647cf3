import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalOpenError } from '../../journal.js';
import { LmdbEnvironment } from '../lmdb-environment.js';
import type { Identified } from '../lmdb-kind.js';
import { DirectoryLock, syncDirectories } from '../disk/lmdb-lock.js';
import { topicFaults } from './topic-faults.js';
import { costOfRecord, headOf, isTakenOut, type Placed, readRecord } from '../lmdb-record.js';
import type { LmdbTable } from '../lmdb-table.js';

/** Records read in one go. */
const PAGE = 1_000;

export interface OfflineOptions {
  /** Make the journal when there is none. */
  readonly create?: boolean;
}

/**
 * Runs `use` on the files of a journal that no service has open, and keeps services from opening it meanwhile.
 * @throws {JournalOpenError} when there is no journal at `path`, a process uses it, or it can't be read.
 */
export async function withEnvironment<Result>(
  path: string,
  use: (environment: LmdbEnvironment) => Promise<Result>,
  options: OfflineOptions = {},
): Promise<Result> {
  const useOpened = async (): Promise<Result> => {
    const environment = new LmdbEnvironment(path);
    await syncDirectories(path);
    try {
      return await use(environment);
    } finally {
      await environment.close();
    }
  };
  return withLock(path, useOpened, options);
}

/**
 * Keeps services from opening a journal that none has open, until `use` is done.
 * @throws {JournalOpenError} when there is no journal at `path`, or a process uses it.
 */
export async function withLock<Result>(
  path: string,
  use: () => Promise<Result>,
  { create = false }: OfflineOptions = {},
): Promise<Result> {
  if (!create) await mustExist(path);
  const lock = await DirectoryLock.take(path);
  try {
    return await use();
  } finally {
    await lock.release();
  }
}

/** @throws {JournalOpenError} when there is no journal at `path`. */
export async function mustExist(path: string): Promise<void> {
  await access(join(path, 'data.mdb')).catch(() => {
    throw new JournalOpenError(`There is no journal at ${path}: give the path that HERALD_JOURNAL has after lmdb:.`);
  });
}

/** All records of a table, in order. They are read page by page, so that the caller may take any time over each of them. */
export function* recordsOf<Content extends Identified>(table: LmdbTable<Content>): Iterable<Placed> {
  for (let position = 0; ;) {
    const page = [...table.range(position, Infinity, PAGE)];
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    position = last.position + 1;
  }
}

/** Checks all records and all indexes, and gives one sentence for each fault. */
export function* faultsOf({ updates, presence, topics }: LmdbEnvironment): Iterable<string> {
  yield* faultsIn(updates, 'Entry');
  yield* topicFaults(topics, updates, recordsOf);
  yield* faultsIn(presence, 'Presence entry');
  for (const { position, bytes } of recordsOf(presence)) {
    const record = readRecord(presence.kind, { position, bytes })?.content;
    const [within] = record ? updates.range(position - record.events + 1, position + 1, 1) : [];
    if (within) yield `Entry ${within.position} has a position of presence entry ${position}.`;
  }
}

/** @param name what an entry of the table is called, at the beginning of a sentence. */
function* faultsIn<Content extends Identified>(table: LmdbTable<Content>, name: string): Iterable<string> {
  let [ids, keys, takenOut, isWhole] = [0, 0, 0, true];
  let before: Placed | undefined;
  for (const placed of recordsOf(table)) {
    const found = inspect(table, placed);
    yield* found.faults.map((fault) => `${name} ${placed.position} ${fault}.`);
    if (before && found.isWhole) {
      for (const fault of faultsBetween(before, placed)) yield `${name} ${placed.position} ${fault}.`;
    }
    ids += found.ids;
    keys += found.keys;
    takenOut += Number(isTakenOut(placed.bytes));
    isWhole &&= found.isWhole;
    before = found.isWhole ? placed : undefined;
  }
  // The sizes of the indexes prove nothing then, because what a damaged entry had in them is not known.
  if (isWhole) yield* sizeFaults(table, { ids, keys, takenOut });
}

/** The faults in how many places the indexes of a table have, which should have so many. */
function* sizeFaults<Content extends Identified>(
  table: LmdbTable<Content>,
  expected: ReturnType<LmdbTable<Content>['indexSizes']>,
): Iterable<string> {
  const [names, sizes] = [table.kind.tables, table.indexSizes()];
  for (const index of ['ids', 'keys', 'takenOut'] as const) {
    const name = names[index];
    if (name !== undefined && sizes[index] !== expected[index]) yield surplus(name, sizes[index] - expected[index]);
  }
}

/** What an index has too many of, or too few where `count` is negative. */
function surplus(index: string, count: number): string {
  return count > 0
    ? `The index of ${index} has ${count} place(s) for entries that are not there.`
    : `The index of ${index} lacks the place(s) of ${-count} entries.`;
}

/** The faults in how an entry continues the one before it. Their positions may have others between them. */
function* faultsBetween(before: Placed, placed: Placed): Iterable<string> {
  const [earlier, later] = [headOf(before), headOf(placed)];
  if (earlier.storedAt > later.storedAt) yield 'was stored before the one that it follows';
  if (earlier.count + 1 !== later.count || later.previous !== before.position) {
    yield 'does not follow the entry before it: entries between them are missing';
  } else if (earlier.total + costOfRecord(placed.bytes) !== later.total) {
    yield 'has a running size that does not match the entry before it';
  }
}

interface Inspection {
  readonly isWhole: boolean;
  /** How many places of each index are for this entry. */
  readonly ids: number;
  readonly keys: number;
  readonly faults: readonly string[];
}

function inspect<Content extends Identified>(table: LmdbTable<Content>, placed: Placed): Inspection {
  if (isTakenOut(placed.bytes)) return { isWhole: true, ids: 0, keys: 0, faults: [] };
  const record = readRecord(table.kind, placed);
  if (!record) return { isWhole: false, ids: 0, keys: 0, faults: ['is damaged'] };
  const { position } = placed;
  const { content, idempotencyKey } = record;
  const [indexed] = table.kind.tables.ids === undefined ? [position] : table.positionsOf(content.id, position);
  const newest = idempotencyKey === undefined ? position : (table.positionOfKey(idempotencyKey) ?? 0);
  const faults = [
    ...(indexed === position ? [] : ['is not found by its id']),
    ...(newest >= position ? [] : ['is not found by its idempotency key']),
  ];
  const keys = idempotencyKey !== undefined && newest === position ? 1 : 0;
  return { isWhole: true, ids: indexed === position ? 1 : 0, keys, faults };
}
