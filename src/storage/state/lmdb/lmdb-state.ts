import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { messageOf } from '../../../shared/errors/message-of.js';
import { JournalUnavailableError } from '../../journal/journal.js';
import { MemoryState } from '../memory/memory-state.js';
import { LeaseFile } from './lease-file.js';
import { RevocationFile } from './revocation-file.js';
import type { Lease, Revoked } from '../shared-state.js';

const logger = new Logger('Presence');

/**
 * A {@link MemoryState} that also keeps on the disk what the next process has to know: revocations, because a restart must
 * not let revoked tokens in again, and who was subscribed at an orderly end, because they are about to come back.
 */
export class LmdbState extends MemoryState {
  private isTold = false;

  private constructor(
    grace: number,
    private readonly file: RevocationFile,
    private readonly leaseFile: LeaseFile,
  ) {
    super(grace);
  }

  /** @param path the journal's directory, which is this process's alone while the journal is open. */
  static async open(path: string, grace: number): Promise<LmdbState> {
    const leases = new LeaseFile(join(path, 'leases.ndjson'));
    const state = new LmdbState(grace, await RevocationFile.open(join(path, 'revocations.ndjson')), leases);
    state.restore(await leases.take());
    return state;
  }

  override async revoke(...revoked: readonly Revoked[]): Promise<void> {
    try {
      await this.file.add(revoked);
    } catch (cause) {
      throw new JournalUnavailableError('The revocation could not be written to the disk.', { cause });
    }
  }

  override revocations(_known: Iterable<Revoked>): Promise<readonly Revoked[]> {
    if (this.isTold) return Promise.resolve([]);
    this.isTold = true;
    return Promise.resolve([...this.file.revoked]);
  }

  /** Keeps the leases for the next process. Where the disk does not take them, they are over. */
  override async handOver(): Promise<readonly Lease[]> {
    try {
      await this.leaseFile.put(this.held());
      return [];
    } catch (error) {
      logger.warn(`who is subscribed could not be kept for the next start: ${messageOf(error)}`);
      return this.release();
    }
  }

  override close(): Promise<void> {
    return this.file.close();
  }
}
