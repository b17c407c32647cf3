import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** What a meta page says, behind the header of the page (`struct MDB_meta` of the LMDB in `lmdb` 3.x, 64-bit). */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_LENGTH = 160;

/** What LMDB takes for the size of a page. */
const PAGE_SIZES = { least: 256, most: 65_536 };

/**
 * Opens the LMDB files in the directory `path` after a look at what LMDB takes on trust: it crashes on a file of another
 * kind, and on one that was cut off (SIGBUS) as soon as a page is wanted that is not there.
 *
 * A file may well be shorter than its header says, as free pages at its end need not have been written. So a short one
 * is brought to its full length, with zeros that take no room, and then everything is read once: LMDB knows that a page
 * of zeros is none. If that fails, the file is as it was.
 *
 * @throws {Error} when they can't be used; the message says what is wrong.
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

/** Bytes that the file has, and that it must have for all its pages; nothing when it is empty, which is a new one. */
function lengthsOf(file: string): { actual: number; needed: number } | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const actual = fstatSync(descriptor).size;
    if (actual === 0) return undefined;
    const first = metaAt(descriptor, 0);
    const second = first && metaAt(descriptor, first.pageSize);
    if (!first || !second) throw new Error('data.mdb is no LMDB database, or its header is damaged.');
    // A crash may leave the older one of the two; LMDB goes by the newer one.
    const { pageSize, lastPage } = second.transaction > first.transaction ? second : first;
    return { actual, needed: (lastPage + 1) * pageSize };
  } finally {
    closeSync(descriptor);
  }
}

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: number;
}

/** One of the two meta pages; nothing when there is none at this place. */
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
