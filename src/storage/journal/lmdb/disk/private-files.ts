import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { getuid } from 'node:process';
import { Logger } from '@nestjs/common';
import { JournalOpenError } from '../../journal.js';

/** What LMDB makes, which would give everybody on the machine the right to read it. */
const FILES = ['data.mdb', 'lock.mdb'];

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Makes the directory and the files in it the owner's alone, because updates may be private, and creates the files
 * before LMDB would. A directory of another user is left as it is, and the log says so.
 * @throws {JournalOpenError} for a file that is a link: whoever placed it may read, or lose, what it leads to.
 */
export async function makePrivate(path: string, directory: FileHandle): Promise<void> {
  if (await isOwn(directory)) await directory.chmod(DIRECTORY_MODE);
  else new Logger('Journal').warn(`${path} belongs to another user, who says who may read the updates in it.`);
  // One after the other, so that the first that is refused is the one that is named.
  for (const name of FILES) {
    // oxlint-disable-next-line no-await-in-loop -- see above
    const file = await openPlain(join(path, name), constants.O_RDWR | constants.O_CREAT);
    try {
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (await isOwn(file)) await file.chmod(FILE_MODE);
    } finally {
      // oxlint-disable-next-line no-await-in-loop -- see above
      await file.close();
    }
  }
}

/**
 * Opens a file that is no link.
 * @throws {JournalOpenError} when it is one.
 */
export async function openPlain(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags | constants.O_NOFOLLOW, FILE_MODE);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'ELOOP') throw error;
    throw new JournalOpenError(`${path} is a symbolic link, which Herald does not follow: put the file itself there.`, {
      cause: error,
    });
  }
}

async function isOwn(file: FileHandle): Promise<boolean> {
  const { uid } = await file.stat();
  return uid === getuid?.();
}
