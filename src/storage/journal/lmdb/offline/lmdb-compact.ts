import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DirectoryLock, syncDirectories } from '../disk/lmdb-lock.js';
import { LmdbEnvironment } from '../lmdb-environment.js';
import { mustExist } from './lmdb-offline.js';

/** Bytes of the files of a journal. */
export interface Compaction {
  readonly before: number;
  readonly after: number;
}

/**
 * Writes the files of a journal anew, without the bytes of anything that was trimmed or taken out of it. The new file
 * takes the old one's place in one step, once it is on the disk, so there is a whole one at any moment.
 * @throws {JournalOpenError} when there is no journal at `path`, a process uses it, or it can't be read.
 */
export async function compact(path: string): Promise<Compaction> {
  await mustExist(path);
  const lock = await DirectoryLock.take(path);
  const copy = join(path, 'compacted');
  try {
    // One that did not come to its end has left its copy.
    await rm(copy, { recursive: true, force: true });
    await mkdir(copy, { mode: 0o700 });
    const before = await copyOf(path, copy);
    const after = await sync(join(copy, 'data.mdb'));
    await rename(join(copy, 'data.mdb'), join(path, 'data.mdb'));
    await syncDirectories(path);
    return { before, after };
  } finally {
    await rm(copy, { recursive: true, force: true });
    await lock.release();
  }
}

/** Answers with the bytes of what was copied. */
async function copyOf(path: string, copy: string): Promise<number> {
  const environment = new LmdbEnvironment(path);
  try {
    await environment.copyTo(copy);
    return environment.size;
  } finally {
    await environment.close();
  }
}

/** Has a file written to the disk, readable to its owner alone. Answers with its bytes. */
async function sync(path: string): Promise<number> {
  const file = await open(path, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
