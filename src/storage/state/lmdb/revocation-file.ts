import { constants } from 'node:fs';
import { type FileHandle, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { believedNow } from '../../../shared/time/steady-clock.js';
import { syncDirectories } from '../../journal/lmdb/disk/lmdb-lock.js';
import { openPlain } from '../../journal/lmdb/disk/private-files.js';
import { readLines } from './line-file.js';
import { partsOf } from '../revocation-name.js';
import type { Revoked } from '../shared-state.js';

/** A line of the file. The limit is in milliseconds since the epoch; without one it is `Infinity`, which JSON lacks. */
const lineSchema = z.strictObject({ name: z.string(), limit: z.number().optional() });

/**
 * What was revoked, a line of JSON for each, in a file that only grows while it is open. Only its owner may read it,
 * because nobody else needs to know who is kept out.
 */
export class RevocationFile {
  /** The last write may have ended within a line. */
  private isTorn = false;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    /** What the file had when it was opened. */
    readonly revoked: ReadonlyMap<string, number>,
  ) {}

  /** Opens or creates the file, and writes it anew without repeated names, unfinished lines, and what is over. */
  static async open(path: string): Promise<RevocationFile> {
    const revoked = validIn(await readLines(path, lineSchema));
    // What lies there under this name was left by a process that died, or put there by somebody else.
    await rm(`${path}.new`, { force: true });
    const fresh = await openPlain(`${path}.new`, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      await fresh.writeFile([...revoked].map(lineOf).join(''));
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${path}.new`, path);
    await syncDirectories(dirname(path));
    return new RevocationFile(await openPlain(path, constants.O_WRONLY | constants.O_APPEND), revoked);
  }

  /** Resolves once it is on the disk. */
  add(revoked: readonly Revoked[]): Promise<void> {
    const writing = this.writing.then(() => this.write(revoked.map(lineOf).join('')));
    this.writing = writing.catch(() => undefined);
    return writing;
  }

  async close(): Promise<void> {
    await this.writing;
    await this.file.close();
  }

  private async write(lines: string): Promise<void> {
    const text = this.isTorn ? `\n${lines}` : lines;
    this.isTorn = true;
    await this.file.appendFile(text);
    await this.file.datasync();
    this.isTorn = false;
  }
}

/** What still counts. A line that is left out was being written when the process ended, so nobody was told that it is stored. */
function validIn(lines: readonly z.output<typeof lineSchema>[]): Map<string, number> {
  const revoked = new Map<string, number>();
  for (const { name, limit = Infinity } of lines) {
    if (partsOf(name).until <= believedNow()) continue;
    revoked.set(name, Math.max(limit, revoked.get(name) ?? -Infinity));
  }
  return revoked;
}

function lineOf([name, limit]: Revoked): string {
  return `${JSON.stringify({ name, ...(limit !== Infinity && { limit }) })}\n`;
}
