import { join } from 'node:path';
import { JournalUnavailableError } from '../../journal/journal.js';
import { MemoryState } from '../memory/memory-state.js';
import { RevocationFile } from './revocation-file.js';
import type { Revoked } from '../shared-state.js';

/** A {@link MemoryState} that also keeps revocations on the disk: a restart must not let revoked tokens in again. */
export class LmdbState extends MemoryState {
  private isTold = false;

  private constructor(
    grace: number,
    private readonly file: RevocationFile,
  ) {
    super(grace);
  }

  /** @param path the journal's directory, which is this process's alone while the journal is open. */
  static async open(path: string, grace: number): Promise<LmdbState> {
    return new LmdbState(grace, await RevocationFile.open(join(path, 'revocations.ndjson')));
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

  override close(): Promise<void> {
    return this.file.close();
  }
}
