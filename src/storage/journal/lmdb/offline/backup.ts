import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { messageOf } from '../../../../shared/errors/message-of.js';
import { JournalFullError, JournalOpenError } from '../../journal.js';
import { type FileHead, headOfFile } from '../disk/lmdb-file.js';
import { syncDirectories } from '../disk/lmdb-lock.js';
import { openPlain } from '../disk/private-files.js';
import { LmdbEnvironment, openRoot } from '../lmdb-environment.js';
import { HEADER } from '../lmdb-header.js';
import { borrow, type Progress } from './borrow.js';
import { mustExist, withLock } from './lmdb-offline.js';

const FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
const REVOCATIONS = 'revocations.ndjson';
const FILE_MODE = 0o600;

/** Bytes that are copied in one go. */
const PART = 1024 ** 2;

/** Bytes that wait for the disk at most, so that a service on the same disk does not wait for all of them. */
const UNSYNCED = 8 * 1024 ** 2;

/** The error codes of a full disk, of an exhausted quota, and of a file that has the largest size allowed. */
const FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The place for a backup can't be used. */
export class BackupPlaceError extends Error {
  override readonly name = 'BackupPlaceError';
}

/** What a copy holds. */
export interface BackedUp {
  readonly updates: number;
  /** Position of the newest update; undefined where there is none. */
  readonly last: number | undefined;
  readonly bytes: number;
}

/**
 * Copies the journal in the directory `from` to a new directory `to`, whether a service uses it or not. The copy has all
 * that was stored before, and of what is stored meanwhile the beginning or nothing. It gets its name when it is complete
 * and on the disk; until then it lies beside, under another name, without the pages that make it a database.
 * @throws {JournalOpenError} when there is no journal at `from`, or it can't be read.
 * @throws {JournalUnavailableError} when the service has let go of the files before the copy was done.
 * @throws {JournalFullError} when there is no room for the copy.
 * @throws {BackupPlaceError} when there is something at `to`, or it lies within `from`.
 */
export async function backup(from: string, to: string): Promise<BackedUp> {
  await mustExist(from);
  const target = await placeFor(from, to);
  const beside = `${target}.unfinished`;
  try {
    const done = await withLock(beside, () => copyAll(from, beside), { create: true });
    await syncDirectories(beside);
    await rename(beside, target);
    await syncDirectories(dirname(target));
    return done;
  } catch (error) {
    if (!(error instanceof BackupPlaceError)) await rm(beside, { recursive: true, force: true });
    throw isFull(error) ? new JournalFullError('There is no room for the copy: nothing of it was kept.') : error;
  }
}

/** The path of the copy, at which nothing is any more. */
async function placeFor(from: string, to: string): Promise<string> {
  const [source, target] = [await realpath(from), await realPathOf(resolve(to))];
  if (`${target}${sep}`.startsWith(`${source}${sep}`)) {
    throw new BackupPlaceError('The copy has to lie outside of the directory of the journal: choose another place.');
  }
  try {
    await rmdir(target);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ENOENT') {
      throw new BackupPlaceError(
        `There is something at ${to} already, or it can't be replaced: name a new directory, or an empty one.`,
        { cause: error },
      );
    }
  }
  await mkdir(dirname(target), { recursive: true });
  return target;
}

/** The real path of what may not be there yet. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (path === dirname(path)) throw error;
    return join(await realPathOf(dirname(path)), basename(path));
  }
}

async function copyAll(from: string, to: string): Promise<BackedUp> {
  // What an earlier try has left, and the empty files that the lock has made.
  await Promise.all([FILE, LOCK_FILE, REVOCATIONS].map((name) => rm(join(to, name), { force: true })));
  const target = await openPlain(join(to, FILE), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
  try {
    const { pages } = await whileHeld(from, (head, progress) => copyPages(join(from, FILE), target, head, progress));
    // What is stored from here on is not in the copy, and revocations that are younger do no harm.
    await copyRevocations(join(from, REVOCATIONS), join(to, REVOCATIONS));
    await target.write(pages, 0, pages.length, 0);
    await target.sync();
  } finally {
    await target.close();
  }
  return look(to);
}

/** Runs `copy` while nobody writes over the pages of the files, and returns their head once they are copied. */
async function whileHeld(from: string, copy: (head: FileHead, progress: Progress) => Promise<void>): Promise<FileHead> {
  const head = await borrow(from, copy);
  if (head) return head;
  return withLock(from, async () => {
    const own = headOf(from);
    await copy(own, { goesOn: () => undefined });
    return own;
  });
}

function headOf(from: string): FileHead {
  try {
    return headOfFile(from);
  } catch (cause) {
    throw new JournalOpenError(`The journal at ${from} can't be copied: ${messageOf(cause)}`, { cause });
  }
}

/** Copies all pages but those of the head. */
async function copyPages(file: string, target: FileHandle, head: FileHead, progress: Progress): Promise<void> {
  const buffer = Buffer.alloc(PART);
  const source = await open(file, 'r');
  try {
    for (let at = head.pages.length, synced = at; at < head.length;) {
      // One part after the other, so that little is in memory and on its way to the disk at a time.
      /* oxlint-disable no-await-in-loop */
      const { bytesRead } = await source.read(buffer, 0, Math.min(PART, head.length - at), at);
      if (bytesRead === 0) throw new JournalOpenError('The journal was cut off while it was copied.');
      await writeAll(target, buffer.subarray(0, bytesRead), at);
      at += bytesRead;
      if (at - synced >= UNSYNCED) {
        await target.datasync();
        synced = at;
      }
      /* oxlint-enable no-await-in-loop */
      progress.goesOn();
    }
    await target.datasync();
  } finally {
    await source.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    // oxlint-disable-next-line no-await-in-loop -- the next place is where this one has ended, which may be early
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}

/** A line that is being written at this moment may be cut off; such a one is left out when it is read. */
async function copyRevocations(from: string, to: string): Promise<void> {
  const source = await openPlain(from, constants.O_RDONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (!source) return;
  try {
    const target = await open(to, 'wx', FILE_MODE);
    try {
      await target.writeFile(await source.readFile());
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Opens the copy as a service would do it, which refuses what is no journal of this version. */
async function look(path: string): Promise<BackedUp> {
  const root = openRoot(path);
  const isJournal = root.get(HEADER) !== undefined;
  await root.close();
  if (!isJournal) throw new JournalOpenError("What is to be copied is no journal of Herald's: nothing of it was kept.");
  const environment = new LmdbEnvironment(path);
  try {
    const { updates, size } = environment;
    return { updates: updates.count, last: updates.last, bytes: size };
  } finally {
    await environment.close();
    await rm(join(path, LOCK_FILE));
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL_CODES.has(error.code);
}
