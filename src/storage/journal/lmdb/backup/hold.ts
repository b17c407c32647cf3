import type { RootDatabase } from 'lmdb';
import { JournalUnavailableError } from '../../journal.js';
import type { FileHead } from '../disk/lmdb-file.js';

/** Bytes by which the files may grow during a hold, however small they are. Larger ones may become twice as large. */
const GROWTH = 256 * 1024 ** 2;

/** Pages of LMDB's own lists that a commit frees besides those of the tables. */
const LISTS = 16;

/**
 * The files of a journal as they are at one moment. Until it ends, LMDB writes over no page that is in use then, so
 * another process can copy the pages one by one. LMDB takes new pages meanwhile, so the files grow.
 */
export class Hold {
  private readonly ending = new AbortController();
  private freedPages = 0;

  /**
   * To be called while no commit is under way, so that `head` is that of the pages that are held.
   * @param size bytes of the files.
   */
  static of(root: RootDatabase<Buffer, string>, head: FileHead, size: number): Hold {
    // The transaction of this turn may have begun before the last commit.
    root.resetReadTxn();
    const transaction = root.useReadTransaction();
    const hold = new Hold(head, size);
    hold.ended.addEventListener('abort', () => transaction.done());
    return hold;
  }

  private constructor(
    readonly head: FileHead,
    private readonly size: number,
  ) {}

  /** Aborted with an error that says why, for an operator. */
  get ended(): AbortSignal {
    return this.ending.signal;
  }

  /** How many pages have been freed at most that LMDB can't use because of it. */
  get freed(): number {
    return this.ended.aborted ? 0 : this.freedPages;
  }

  /** To be called before each commit. @param size bytes of the files. */
  grows(freedPages: number, size: number): void {
    if (freedPages > 0) this.freedPages += freedPages + LISTS;
    if (size - this.size > Math.max(this.size, GROWTH)) this.end('its files have grown too much meanwhile');
  }

  /** @param why the end of a sentence about the journal. */
  end(why: string): void {
    if (this.ended.aborted) return;
    this.ending.abort(new JournalUnavailableError(`The journal was held no longer, because ${why}.`));
  }
}
