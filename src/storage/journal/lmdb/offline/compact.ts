import { chmod, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { JournalFullError } from '../../journal.js';
import { syncDirectories } from '../disk/lmdb-lock.js';
import { TOPICS } from '../index/topic-table.js';
import { openRoot } from '../lmdb-environment.js';
import { HEADER } from '../lmdb-header.js';
import { PRESENCE, type RecordKind, UPDATES } from '../lmdb-kind.js';
import type { Identified } from '../lmdb-kind.js';
import { withLock } from './lmdb-offline.js';

/** Where the new files are made, within the directory of the journal. What is left there of an earlier try is removed. */
const BESIDE = 'compacting';

const FILE = 'data.mdb';
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** Bytes of rows that one commit copies. */
const PART = 4 * 1024 ** 2;

/** The sizes of the files in bytes. */
export interface Compacted {
  readonly before: number;
  readonly after: number;
}

/**
 * Writes the files of a journal that no service has open anew, row by row, so that nothing is left in them of what was
 * taken out or trimmed. The new files take the place of the old ones at once when they are complete and on the disk.
 * @throws {JournalOpenError} when there is no journal at `path`, a process uses it, or it can't be read.
 */
export function compact(path: string): Promise<Compacted> {
  return withLock(path, async () => {
    const file = join(path, FILE);
    const beside = join(path, BESIDE);
    const before = (await stat(file)).size;
    await rm(beside, { recursive: true, force: true });
    await refuseIfFull(path, before);
    await mkdir(beside, { mode: DIRECTORY_MODE });
    await copyFiles(path, beside);
    await chmod(join(beside, FILE), FILE_MODE);
    await sync(join(beside, FILE));
    const after = (await stat(join(beside, FILE))).size;
    await rename(join(beside, FILE), file);
    await syncDirectories(path);
    await rm(beside, { recursive: true });
    return { before, after };
  });
}

/** LMDB must not find the disk full itself: see `LmdbRoom`. */
async function refuseIfFull(path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize > needed) return;
  throw new JournalFullError(`There is no room for a copy of the journal at ${path}, which has ${needed} bytes.`);
}

async function copyFiles(from: string, to: string): Promise<void> {
  const source = openRoot(from);
  try {
    const target = openRoot(to);
    try {
      await target.put(HEADER, source.get(HEADER) ?? Buffer.alloc(0));
      for (const table of tablesOf(source)) {
        // One after the other, so that little is in memory at a time.
        // oxlint-disable-next-line no-await-in-loop
        await copyRows(openTable(source, table), openTable(target, table));
      }
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface Table {
  readonly name: string;
  /** Whether a key may have several values. */
  readonly dupSort: boolean;
}

function tablesOf(root: RootDatabase<Buffer, string>): readonly Table[] {
  const names = new Set(root.getKeys());
  const all = [...namesOf(UPDATES), ...namesOf(PRESENCE), { name: TOPICS, dupSort: false }];
  return all.filter(({ name }) => names.has(name));
}

function namesOf<Content extends Identified>({ tables }: RecordKind<Content>): readonly Table[] {
  const { records, ids, keys, takenOut } = tables;
  const others = [records, keys, takenOut].flatMap((name) => (name === undefined ? [] : [{ name, dupSort: false }]));
  return ids === undefined ? others : [...others, { name: ids, dupSort: true }];
}

function openTable(root: RootDatabase<Buffer, string>, { name, dupSort }: Table): Database<Buffer, Buffer> {
  return root.openDB<Buffer, Buffer>({ name, dupSort, encoding: 'binary', keyEncoding: 'binary' });
}

async function copyRows(from: Database<Buffer, Buffer>, to: Database<Buffer, Buffer>): Promise<void> {
  let rows: { readonly key: Buffer; readonly value: Buffer }[] = [];
  let size = 0;
  const write = async (): Promise<void> => {
    const done = rows;
    [rows, size] = [[], 0];
    await to.batch(() => {
      for (const { key, value } of done) void to.put(key, value);
    });
  };
  for (const row of from.getRange({})) {
    rows.push(row);
    size += row.key.length + row.value.length;
    // One part after the other, so that little is in memory at a time.
    // oxlint-disable-next-line no-await-in-loop
    if (size >= PART) await write();
  }
  await write();
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
