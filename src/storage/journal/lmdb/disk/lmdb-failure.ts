import { JournalFullError, JournalUnavailableError } from '../../journal.js';
import { hasOverrun } from './lmdb-room.js';

/** ENOSPC, EDQUOT (Linux, macOS), EFBIG, and LMDB's own `MDB_MAP_FULL`. */
const FULL_CODES: ReadonlySet<unknown> = new Set([28, 122, 69, 27, -30792]);

/**
 * The error that publishers see when LMDB has failed. It says nothing of paths or errors of the system, which are in its
 * `cause`.
 */
export async function explain(failure: unknown): Promise<JournalUnavailableError> {
  const cause = await causeOf(failure);
  endAfterOverrun(cause);
  const isFull = cause instanceof Error && 'code' in cause && FULL_CODES.has(cause.code);
  if (isFull) return new JournalFullError('The disk of the journal is full: nothing was stored.', { cause });
  return new JournalUnavailableError('The journal could not be written: nothing was stored.', { cause });
}

/** The promises of lmdb reject with an error that holds a promise of the real one. */
async function causeOf(failure: unknown): Promise<unknown> {
  if (!(failure instanceof Error) || !('commitError' in failure)) return failure;
  return Promise.resolve(failure.commitError).catch((cause: unknown) => cause);
}

/**
 * Ends the process by an uncaught error if LMDB has damaged the heap, after which nothing in the process is reliable.
 */
function endAfterOverrun(cause: unknown): void {
  if (!hasOverrun(cause)) return;
  setImmediate(() => {
    throw new Error('LMDB has damaged the memory of this process when its disk refused a write: restart it.', {
      cause,
    });
  });
}
