import { type LoggerService } from '@nestjs/common';

/** What a line of the log says. */
type LogFields = Readonly<Record<string, unknown>>;

/** A logger for Nest that keeps what went wrong in this process, for the test to look at. */
export class CapturedLog implements LoggerService {
  readonly errors: LogFields[] = [];

  log(_message: unknown): void {
    // Only what went wrong is kept.
  }

  warn(): void {
    // As above.
  }

  error(message: unknown): void {
    this.errors.push(typeof message === 'object' && message !== null ? { ...message } : { msg: message });
  }
}
