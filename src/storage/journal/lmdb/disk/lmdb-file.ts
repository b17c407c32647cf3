import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../../../shared/errors/message-of.js';

/** Offsets and values in a meta page, from its first byte on (`struct MDB_meta` of the LMDB in `lmdb` 3.x, 64-bit). */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_LENGTH = 160;
const META_PAGES = 2;

/** The page sizes that LMDB accepts, in bytes. */
const PAGE_SIZES = { least: 256, most: 65_536 };

/**
 * Opens the LMDB files in the directory `path`, after checking what LMDB takes on trust: it crashes on a file of
 * another kind, and on a file that was cut off (SIGBUS) as soon as it reads a page that is missing.
 *
 * A file may validly be shorter than its header says, because free pages at its end need not have been written. So a
 * short file is extended to its full length with zeros, which take no room on the disk, and then everything is read
 * once: LMDB recognises that a page of zeros is invalid. If that fails, the file gets its old length back.
 *
 * @throws {Error} when the files can't be used; the message says what is wrong.
 */
export function withWholeFile<T>(path: string, open: () => T, readAll: (opened: T) => void): T {
  const file = join(path, 'data.mdb');
  const lengths = existsSync(file) ? lengthsOf(file) : undefined;
  if (!lengths || lengths.actual >= lengths.needed) return open();
  resize(file, lengths.needed);
  try {
    const opened = open();
    readAll(opened);
    return opened;
  } catch (cause) {
    const missing = `data.mdb was cut off: it has ${lengths.actual} bytes of ${lengths.needed}.`;
    resize(file, lengths.actual);
    throw new Error(`${missing} Bring it back from a copy, or move it away to begin anew.`, { cause });
  }
}

/**
 * What is wrong with the head of a `data.mdb` as it lies there; undefined where nothing is, or there is no such file. The
 * file is only read.
 */
export function faultOfFile(path: string): string | undefined {
  const file = join(path, 'data.mdb');
  if (!existsSync(file)) return undefined;
  try {
    lengthsOf(file);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The pages at the beginning of a `data.mdb`, which say where all others are, and the bytes that those take. */
export interface FileHead {
  readonly pages: Buffer;
  /** Those of the head included. */
  readonly length: number;
}

/**
 * Reads the head of the `data.mdb` in the directory `path`. Nobody may be writing to it.
 * @throws {Error} when it is none; the message says what is wrong.
 */
export function headOfFile(path: string): FileHead {
  const descriptor = openSync(join(path, 'data.mdb'), 'r');
  try {
    const { pageSize, lastPage } = newestMeta(descriptor);
    const pages = Buffer.alloc(META_PAGES * pageSize);
    readSync(descriptor, pages, 0, pages.length, 0);
    return { pages, length: Math.min(fstatSync(descriptor).size, (lastPage + 1) * pageSize) };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The bytes that the file has, and those that it needs for all its pages; undefined when it is empty, and so a new one.
 */
function lengthsOf(file: string): { actual: number; needed: number } | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const actual = fstatSync(descriptor).size;
    if (actual === 0) return undefined;
    const { pageSize, lastPage } = newestMeta(descriptor);
    return { actual, needed: (lastPage + 1) * pageSize };
  } finally {
    closeSync(descriptor);
  }
}

/** The meta pages are written in turn, so a crash may leave either one the older; LMDB goes by the newer one. */
function newestMeta(descriptor: number): Meta {
  const first = metaAt(descriptor, 0);
  const second = first && metaAt(descriptor, first.pageSize);
  if (!first || !second) throw new Error('data.mdb is no LMDB database, or its header is damaged.');
  return second.transaction > first.transaction ? second : first;
}

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

/** The meta page at `offset`; undefined when there is none. */
function metaAt(descriptor: number, offset: number): Meta | undefined {
  const page = Buffer.alloc(META_LENGTH);
  if (readSync(descriptor, page, 0, META_LENGTH, offset) < META_LENGTH) return undefined;
  const pageSize = page.readUInt32LE(PAGE_SIZE_AT);
  if (page.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  if (pageSize < PAGE_SIZES.least || pageSize > PAGE_SIZES.most) return undefined;
  return {
    pageSize,
    lastPage: Number(page.readBigUInt64LE(LAST_PAGE_AT)),
    transaction: Number(page.readBigUInt64LE(TRANSACTION_AT)),
  };
}

function resize(file: string, length: number): void {
  const descriptor = openSync(file, 'r+');
  try {
    ftruncateSync(descriptor, length);
  } finally {
    closeSync(descriptor);
  }
}
