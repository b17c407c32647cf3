import { JournalUnavailableError } from '../../journal.js';
import type { LmdbEnvironment } from '../lmdb-environment.js';

/** Opens the files again after a failure within LMDB. */
export class LmdbReopening {
  private current: Promise<void> = Promise.resolve();

  /** @param kept what is remembered of the files, of which nothing may be right once they are open again. */
  constructor(
    private readonly environment: Pick<LmdbEnvironment, 'reopen'>,
    private readonly kept: readonly { recover(): void }[],
  ) {}

  /** Rejects while the files can't be opened again after a failure. */
  get done(): Promise<void> {
    return this.current;
  }

  begin(): void {
    this.current = this.openAgain();
    // Readers that await `done` see the error themselves; here it must not become an unhandled rejection.
    this.current.catch(() => undefined);
  }

  private async openAgain(): Promise<void> {
    try {
      await this.environment.reopen();
    } catch (cause) {
      throw new JournalUnavailableError('The journal could not be opened again after a failure.', { cause });
    }
    for (const one of this.kept) one.recover();
  }
}
