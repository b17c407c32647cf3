import { type FileHandle, open, stat } from 'node:fs/promises';
import { JournalFullError, JournalUnavailableError } from '../journal.js';
import { type Amounts, type FilePages, pagesFor } from './lmdb-pages.js';

/** Taken at once beyond what is needed, where there is that much. Bytes. */
const STEP = 4 * 1024 ** 2;

const ZEROS = Buffer.alloc(256 * 1024);

/** Of a disk, of a quota, and of the size that a file may have. */
const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * The room that an LMDB file has on its disk. It is taken before LMDB writes, because LMDB must not find the disk full
 * itself: lmdb 3.5.6 (`mdb_page_flush`) formats its message about a refused write into 100 bytes, however long it is,
 * which damages the heap as soon as the file has some ten megabytes.
 *
 * The room is filled with zeros and flushed, as a file that was only made longer has none yet. LMDB does not mind that its
 * file is longer than its pages. On a file system that never writes in place (Btrfs, ZFS) no room can be taken ahead.
 */
export class LmdbRoom {
  /** Bytes that the file has; nothing before the first look. */
  private length: number | undefined;

  constructor(private readonly file: string) {}

  /**
   * Resolves once there is room for a change of the file, whatever pages LMDB takes for it. Nothing else may write to the
   * file meanwhile.
   * @throws {JournalFullError} when the disk does not have it, and {@link JournalUnavailableError} when the file can't be
   * made longer for another reason. The pages in it are as they were then.
   */
  async takeFor(pages: FilePages, change: Amounts): Promise<void> {
    const length = (pages.count + pagesFor(pages, change)) * pages.size;
    try {
      const before = (this.length ??= (await stat(this.file)).size);
      if (length > before) await this.grow(before, length + STEP).catch(() => this.grow(before, length));
    } catch (cause) {
      if (isFull(cause)) throw new JournalFullError('The disk of the journal is full: nothing was stored.', { cause });
      throw new JournalUnavailableError('The journal could not be written: nothing was stored.', { cause });
    }
  }

  private async grow(before: number, length: number): Promise<void> {
    const file = await open(this.file, 'r+');
    try {
      await fill(file, before, length);
      await file.datasync();
      this.length = length;
    } catch (error) {
      // Where that fails too, zeros stay behind the pages, which is no harm.
      await file.truncate(before).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
  }
}

/** How that message begins, and how long it may be: 100 bytes are 104 in memory, and the last one ends it. */
const REFUSED_WRITE = 'Attempting to write page';
const REFUSED_WRITE_LENGTH = 103;

/** Whether LMDB has written past the end of its message about a refused write. */
export function hasOverrun(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const start = error.message.indexOf(REFUSED_WRITE);
  return start >= 0 && error.message.length - start > REFUSED_WRITE_LENGTH;
}

async function fill(file: FileHandle, from: number, to: number): Promise<void> {
  for (let at = from; at < to;) {
    // One after the other: the next place is where this one has ended, which may be early.
    // oxlint-disable-next-line no-await-in-loop
    const { bytesWritten } = await file.write(ZEROS, 0, Math.min(ZEROS.length, to - at), at);
    at += bytesWritten;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL_CODES.has(error.code);
}
