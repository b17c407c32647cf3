import { constants } from 'node:fs';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { syncDirectories } from '../../journal/lmdb/lmdb-lock.js';
import type { Revoked } from '../shared-state.js';

/** A line of the file. The limit is in milliseconds since the epoch; without one it is `Infinity`, which JSON lacks. */
const lineSchema = z.strictObject({ name: z.string(), limit: z.number().optional() });

/** Only the owner may read the file, because nobody else needs to know who is kept out. */
const MODE = 0o600;

/** What was revoked, a line of JSON for each, in a file that only grows while it is open. */
export class RevocationFile {
  /** The last write may have ended within a line. */
  private isTorn = false;
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly file: FileHandle,
    /** What the file had when it was opened. */
    readonly revoked: ReadonlyMap<string, number>,
  ) {}

  /** Opens or creates the file, and writes it anew without repeated names and unfinished lines. */
  static async open(path: string): Promise<RevocationFile> {
    const revoked = read(await readFile(path, 'utf8').catch(emptyIfMissing));
    const fresh = await open(`${path}.new`, 'w', MODE);
    try {
      await fresh.writeFile([...revoked].map(lineOf).join(''));
      await fresh.sync();
    } finally {
      await fresh.close();
    }
    await rename(`${path}.new`, path);
    await syncDirectories(dirname(path));
    return new RevocationFile(await open(path, constants.O_WRONLY | constants.O_APPEND), revoked);
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

function read(text: string): Map<string, number> {
  const revoked = new Map<string, number>();
  for (const line of text.split('\n')) {
    const parsed = lineSchema.safeParse(parse(line));
    // An invalid line was being written when the process ended, so nobody was told that it is stored.
    if (!parsed.success) continue;
    const { name, limit = Infinity } = parsed.data;
    revoked.set(name, Math.max(limit, revoked.get(name) ?? -Infinity));
  }
  return revoked;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function lineOf([name, limit]: Revoked): string {
  return `${JSON.stringify({ name, ...(limit !== Infinity && { limit }) })}\n`;
}

function emptyIfMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
