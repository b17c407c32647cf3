import { constants } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { openPlain } from '../../journal/lmdb/disk/private-files.js';
import type { HeldLease } from '../memory/memory-state.js';
import { readLines } from './line-file.js';

const leaseSchema = z.strictObject({
  subscriber: z.string(),
  key: z.string(),
  details: z.string(),
  matchers: z.array(z.string()),
});

/** What the file keeps of a lease. */
export type KeptLease = Omit<HeldLease, 'serial'>;

/** Leases that are written in one go. */
const AT_ONCE = 256;

/**
 * The leases that a process had at its end, a line of JSON for each, so that the next one knows who is subscribed. The file
 * is there only while there is no process. Only its owner may read it.
 */
export class LeaseFile {
  constructor(private readonly path: string) {}

  /** Takes the leases out of the file, in their order; none where the last process has not ended in order. */
  async take(): Promise<readonly KeptLease[]> {
    const leases = await readLines(this.path, leaseSchema);
    await rm(this.path, { force: true });
    return leases;
  }

  /** Resolves once they are in the file, as a whole. */
  async put(leases: Iterable<HeldLease>): Promise<void> {
    const fresh = `${this.path}.new`;
    await rm(fresh, { force: true });
    const file = await openPlain(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
    try {
      let lines: string[] = [];
      for (const lease of leases) {
        lines.push(lineOf(lease));
        if (lines.length < AT_ONCE) continue;
        // oxlint-disable-next-line no-await-in-loop -- in their order
        await file.appendFile(lines.join(''));
        lines = [];
      }
      await file.appendFile(lines.join(''));
    } finally {
      await file.close();
    }
    await rename(fresh, this.path);
  }
}

function lineOf({ subscriber, key, details, matchers }: HeldLease): string {
  return `${JSON.stringify({ subscriber, key, details, matchers })}\n`;
}
