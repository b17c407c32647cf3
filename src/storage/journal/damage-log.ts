import { Logger } from '@nestjs/common';

/** How many damaged entries are logged one by one; after those, one message says that there are more. */
const MAX_LOGGED = 1_000;

/** Logs each damaged entry once, however often it is read. */
export class DamageLog {
  private readonly logger = new Logger('Journal');
  private readonly logged = new Set<number>();

  /** @param advice what the operator can do. */
  constructor(private readonly advice: string) {}

  /** Logs a damaged entry, unless that has been done. */
  report(position: number): void {
    if (this.logged.has(position) || this.logged.size > MAX_LOGGED) return;
    this.logged.add(position);
    if (this.logged.size <= MAX_LOGGED) this.logger.error({ msg: `an entry is damaged: ${this.advice}`, position });
    else
      this.logger.error({ msg: `more than ${MAX_LOGGED} entries are damaged: no more of them are logged`, position });
  }
}
