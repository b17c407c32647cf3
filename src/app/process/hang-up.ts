import process from 'node:process';
import { isatty } from 'node:tty';
import type { Logger } from 'pino';
import { logFatal } from '../logging/log-fatal.js';
import type { OrderlyEnd } from './orderly-end.js';

/** The files that a process has from the start: its input and both outputs. */
const STANDARD_FILES = [0, 1, 2];

/**
 * What SIGHUP does: it has the files read again that may change while the service runs. Sent because the terminal is gone,
 * it ends the process, as it always has. During the start it counts once the service has started; during the end, never.
 */
export class HangUp {
  private readonly terminals = STANDARD_FILES.filter((file) => isatty(file));
  private reload: (() => Promise<void>) | undefined;
  private isWanted = false;
  private isRunning = false;

  constructor(
    private readonly logger: Logger,
    private readonly end: OrderlyEnd,
  ) {
    process.on('SIGHUP', () => this.onSignal());
  }

  /** From now on, `reload` reads the files again: one call at a time, and once more for signals that came meanwhile. */
  use(reload: () => Promise<void>): void {
    this.reload = reload;
    if (this.isWanted) void this.run();
  }

  private onSignal(): void {
    if (this.terminals.some((file) => !isatty(file))) {
      this.logger.info('the terminal, in which the service was started, is gone');
      process.once('exit', dieOfHangUp);
      this.end.begin(0);
      return;
    }
    this.isWanted = true;
    void this.run();
  }

  private async run(): Promise<void> {
    if (this.isRunning || !this.reload) return;
    this.isRunning = true;
    while (this.isWanted && !this.end.signal.aborted) {
      this.isWanted = false;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await this.reload().catch((error: unknown) => logFatal(this.logger, 'the files could not be read again', error));
    }
    this.isRunning = false;
  }
}

/** Node aborts at its exit where it can't put back the settings of a terminal, which this forestalls. */
function dieOfHangUp(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}
