import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { JournalOpenError } from '../journal.js';
import { DirectoryLock, syncDirectories } from './lmdb-lock.js';
import { costOf, decodeRecord, headOf } from './lmdb-record.js';
import { LmdbStore, type Placed } from './lmdb-store.js';

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
export async function withStore<Result>(
  path: string,
  use: (store: LmdbStore) => Promise<Result>,
  { create = false }: OfflineOptions = {},
): Promise<Result> {
  if (!create) await mustExist(path);
  const lock = await DirectoryLock.take(path);
  try {
    const store = new LmdbStore(path);
    await syncDirectories(path);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  } finally {
    await lock.release();
  }
}

async function mustExist(path: string): Promise<void> {
  await access(join(path, 'data.mdb')).catch(() => {
    throw new JournalOpenError(`There is no journal at ${path}: give the path that HERALD_JOURNAL has after lmdb:.`);
  });
}

/** All records, in order. They are read page by page, so that the caller may take any time over each of them. */
export function* recordsOf(store: LmdbStore): Iterable<Placed> {
  for (let position = store.first ?? 0; ;) {
    const page = pageFrom(store, position);
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    position = last.position + 1;
  }
}

function pageFrom(store: LmdbStore, position: number): Placed[] {
  const page: Placed[] = [];
  for (const placed of store.from(position)) if (page.push(placed) === PAGE) break;
  return page;
}

/** Checks all records and both indexes, and gives one sentence for each fault. */
export function* faultsOf(store: LmdbStore): Iterable<string> {
  const sizes = store.indexSizes();
  let [ids, keys, isWhole] = [0, 0, true];
  let before: Placed | undefined;
  for (const placed of recordsOf(store)) {
    const found = inspect(store, placed);
    yield* found.faults;
    if (before && found.isWhole) yield* faultsBetween(before, placed);
    ids += found.ids;
    keys += found.keys;
    isWhole &&= found.isWhole;
    before = found.isWhole ? placed : undefined;
  }
  // The sizes of the indexes prove nothing then, because what a damaged entry had in them is not known.
  if (!isWhole) return;
  if (sizes.ids !== ids) yield surplus('ids', sizes.ids - ids);
  if (sizes.keys !== keys) yield surplus('keys', sizes.keys - keys);
}

/** What an index has too many of, or too few where `count` is negative. */
function surplus(index: string, count: number): string {
  return count > 0
    ? `The index of ${index} has ${count} place(s) for entries that are not there.`
    : `The index of ${index} lacks the place(s) of ${-count} entries.`;
}

/** The faults in how an entry continues the one before it. */
function* faultsBetween(before: Placed, { position, bytes }: Placed): Iterable<string> {
  const [earlier, later] = [headOf(before.bytes), headOf(bytes)];
  if (earlier.storedAt > later.storedAt) yield `Entry ${position} was stored before the one that it follows.`;
  if (before.position + 1 !== position) yield `Entries before ${position} are missing.`;
  else if (earlier.total + costOf(bytes.length) !== later.total) {
    yield `The running size of entry ${position} does not match the entry before it.`;
  }
}

interface Inspection {
  readonly isWhole: boolean;
  /** How many places of each index are for this entry. */
  readonly ids: number;
  readonly keys: number;
  readonly faults: readonly string[];
}

function inspect(store: LmdbStore, { position, bytes }: Placed): Inspection {
  try {
    const { update, idempotencyKey } = decodeRecord(bytes);
    const [indexed] = store.positionsOf(update.id, position);
    const newest = idempotencyKey === undefined ? position : (store.positionOfKey(idempotencyKey) ?? 0);
    const faults = [
      ...(indexed === position ? [] : [`Entry ${position} is not found by its id.`]),
      ...(newest >= position ? [] : [`Entry ${position} is not found by its idempotency key.`]),
    ];
    const keys = idempotencyKey !== undefined && newest === position ? 1 : 0;
    return { isWhole: true, ids: indexed === position ? 1 : 0, keys, faults };
  } catch {
    return { isWhole: false, ids: 0, keys: 0, faults: [`Entry ${position} is damaged.`] };
  }
}
