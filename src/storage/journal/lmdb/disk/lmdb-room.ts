import { type FileHandle, open, stat } from 'node:fs/promises';
import { JournalFullError, JournalUnavailableError } from '../../journal.js';
import { type FilePages, type PageChanges, pagesFor } from './lmdb-pages.js';

/** Bytes that are taken beyond what is needed, if the disk has them, so that the file grows in few steps. */
const STEP = 4 * 1024 ** 2;

const ZEROS = Buffer.alloc(256 * 1024);

/** The error codes of a full disk, of an exhausted quota, and of a file that has the largest size allowed. */
const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/**
 * Reserves room on the disk for an LMDB file, before LMDB writes to it, because LMDB must not find the disk full
 * itself: lmdb 3.5.6 (`mdb_page_flush`) formats its message about a refused write into 100 bytes, however long the
 * message is, which damages the heap as soon as the file has some ten megabytes.
 *
 * The room is filled with zeros and flushed, because a file that was only made longer has no room on the disk yet. LMDB
 * does not mind that its file is longer than its pages. On a file system that never writes in place (Btrfs, ZFS) no
 * room can be reserved.
 */
export class LmdbRoom {
  /** The length of the file in bytes; undefined before it is first needed. */
  private length: number | undefined;

  constructor(private readonly file: string) {}

  /**
   * Resolves once there is room for a change of the file's tables, whatever pages LMDB takes for it. Nothing else may
   * write to the file meanwhile.
   * @throws {JournalFullError} when the disk does not have the room, and {@link JournalUnavailableError} when the file
   * can't be made longer for another reason. The pages in the file are unchanged then.
   */
  async takeFor(pages: FilePages, changes: PageChanges): Promise<void> {
    const length = (pages.count + pagesFor(pages, changes)) * pages.size;
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
      // If truncating fails too, zeros stay behind the pages, which does no harm.
      await file.truncate(before).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
  }
}

/**
 * How LMDB's message about a refused write begins, and how long it may be without damage: 100 bytes are 104 in memory,
 * of which the last one holds the terminator.
 */
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
