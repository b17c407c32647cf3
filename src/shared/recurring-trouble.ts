import type { Logger } from '@nestjs/common';

/** Trouble of something that is tried again and again: it is said once, and once more when it is over. */
export class RecurringTrouble {
  private current: string | undefined;

  /** @param what fails, as the log names it. */
  constructor(
    private readonly logger: Logger,
    private readonly what: string,
  ) {}

  get isOngoing(): boolean {
    return this.current !== undefined;
  }

  has(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
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
