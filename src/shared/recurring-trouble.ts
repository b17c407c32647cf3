import type { Logger } from '@nestjs/common';
import { messageOf } from './errors/message-of.js';

/** Logs failures of an operation that is retried all the time: once for the same message, and when it works again. */
export class RecurringTrouble {
  private current: string | undefined;

  /** @param what names the operation in the log. */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  get isOngoing(): boolean {
    return this.current !== undefined;
  }

  has(error: unknown): void {
    const message = messageOf(error);
    if (message === this.current) return;
    this.current = message;
    this.logger.error({ msg: `${this.what} has failed, and is tried again`, err: error });
  }

  isOver(): void {
    if (!this.isOngoing) return;
    this.current = undefined;
    this.logger.log(`${this.what} works again`);
  }
}
