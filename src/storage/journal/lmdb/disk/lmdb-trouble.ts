import { Logger } from '@nestjs/common';
import { RecurringTrouble } from '../../../../shared/recurring-trouble.js';
import { JournalFullError, type Obstacle } from '../../journal.js';

/** Milliseconds for which nothing is tried after a failure. */
const REST = 1_000;

/**
 * What keeps the journal from writing: from a failure on until it is seen that writing works again, which is tried although
 * nobody publishes.
 */
export class LmdbTrouble {
  private readonly log = new RecurringTrouble(new Logger('Journal'), 'writing to the journal');
  private failure: unknown;
  private restsUntil = -Infinity;
  /** Bytes for which there was no room. */
  private missed = 0;

  get isOngoing(): boolean {
    return this.failure !== undefined;
  }

  /** For a moment after a failure, all appends are refused for the same reason. */
  get isResting(): boolean {
    return performance.now() < this.restsUntil;
  }

  get error(): unknown {
    return this.failure;
  }

  get obstacle(): Obstacle | undefined {
    if (!this.isOngoing) return undefined;
    return this.failure instanceof JournalFullError ? 'full' : 'refusing';
  }

  /** Bytes for which there must be room before the trouble is over. */
  get needed(): number {
    return this.missed;
  }

  /** @param bytes how large what could not be written is. */
  has(error: unknown, bytes = 0): void {
    this.isSeen(error);
    this.missed = Math.max(this.missed, bytes);
    this.restsUntil = performance.now() + REST;
  }

  /** Writing can't be expected to work, which was found out without a publication: the next one is tried all the same. */
  isSeen(error: unknown): void {
    this.failure = error;
    this.log.has(error);
  }

  isOver(): void {
    this.failure = undefined;
    this.missed = 0;
    this.restsUntil = -Infinity;
    this.log.isOver();
  }
}
