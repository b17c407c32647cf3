import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { JournalUnavailableError } from '../../journal.js';
import { PATIENCE, type Saying, sayingSchema, SOCKET } from '../backup/backup-talk.js';
import type { FileHead } from '../disk/lmdb-file.js';
import { connectWithin } from '../disk/lmdb-lock.js';

/** Tells one who copies whether to go on. */
export interface Progress {
  /** To be called after each part. @throws {JournalUnavailableError} when the files are held no longer. */
  goesOn(): void;
}

/**
 * Asks the service that uses a journal to hold its files while `copy` runs.
 * @returns the head of what was copied; undefined where no service answers.
 * @throws {JournalUnavailableError} when the service refuses, or has let go of them before the copy was done.
 */
export async function borrow(
  path: string,
  copy: (head: FileHead, progress: Progress) => Promise<void>,
): Promise<FileHead | undefined> {
  const socket = await connectWithin(path, SOCKET);
  if (!socket) return undefined;
  try {
    return await copyHeld(socket, copy);
  } finally {
    socket.destroy();
  }
}

async function copyHeld(
  socket: Socket,
  copy: (head: FileHead, progress: Progress) => Promise<void>,
): Promise<FileHead> {
  socket.on('error', () => undefined).setTimeout(PATIENCE, () => socket.destroy());
  const sayings = createInterface({ input: socket })[Symbol.asyncIterator]();
  const first = await next(sayings);
  if (!('head' in first)) throw failureOf(first);
  const head = { pages: Buffer.from(first.head, 'base64'), length: first.length };
  let early: Saying | undefined;
  const last = next(sayings).then((saying) => (early = saying));
  const goesOn = (): void => {
    if (early) throw failureOf(early);
    socket.write('.');
  };
  await copy(head, { goesOn });
  socket.end();
  const saying = await last;
  if (!('isWhole' in saying)) throw failureOf(saying);
  return head;
}

/** What the service says next. A service that ends may say nothing, or breaks the connection off. */
async function next(sayings: AsyncIterator<string>): Promise<Saying> {
  try {
    const { value, done } = await sayings.next();
    if (!done) return sayingSchema.parse(JSON.parse(value));
  } catch {
    // It is all the same for whoever makes the copy.
  }
  return { failure: 'The service has ended.' };
}

function failureOf(saying: Saying): JournalUnavailableError {
  const why = 'failure' in saying ? saying.failure : 'The service has said something that this version does not know.';
  return new JournalUnavailableError(`${why} Nothing was kept of the copy: try again later.`);
}
