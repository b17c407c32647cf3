import { constants } from 'node:os';
import process from 'node:process';
import type { Logger } from 'pino';
import { logFatal } from '../logging/log-fatal.js';

/** What is opened at the start and closed at the end. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Milliseconds within which a second signal is the same one: at a terminal, Ctrl-C reaches this process directly and
 * once more through npm.
 */
const SAME_SIGNAL = 100;

/** Milliseconds that the end may take. Longer than everything in it that waits for somebody with patience of its own. */
const DEADLINE = 20_000;

/** Errors that nobody catches while the process is ending already are logged, up to so many. */
const MOST_ERRORS = 10;

/**
 * The process ends once and in the same order, whatever the reason: a signal, a start that failed, or an error that
 * nobody caught. What was opened is closed first, within a bounded time. A second signal ends it at once.
 */
export class OrderlyEnd {
  private readonly ending = new AbortController();
  private opened: Promise<Closable> | undefined;
  private signalledAt: number | undefined;
  private errors = 0;
  private status = 0;

  constructor(private readonly logger: Logger) {
    const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => this.onSignal(signal);
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
    // A rejection that nobody handles comes here as well.
    process.on('uncaughtException', (error) => this.onUncaught(error));
  }

  /** Aborted when the end begins. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /**
   * Opens what is to be closed at the end, also when the end begins while it is being opened.
   * @throws what `open` throws, and when the end has begun.
   */
  async open<T extends Closable>(open: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const opening = open(this.signal);
    this.opened = opening;
    const opened = await opening;
    this.signal.throwIfAborted();
    return opened;
  }

  /** Ends the process with `status`, or with a worse one that it was told before. */
  begin(status: number): void {
    this.status ||= status;
    if (this.signal.aborted) return;
    this.ending.abort();
    setTimeout(() => this.giveUp(), DEADLINE);
    // In a turn of its own, so that the start sees that it is over before anything is closed under it.
    setImmediate(() => void this.close().then(() => process.exit(this.status)));
  }

  private onSignal(signal: 'SIGTERM' | 'SIGINT'): void {
    const now = performance.now();
    if (this.signalledAt !== undefined && now - this.signalledAt > SAME_SIGNAL) {
      process.exit(128 + constants.signals[signal]);
    }
    this.signalledAt ??= now;
    this.begin(0);
  }

  private onUncaught(error: unknown): void {
    this.errors += 1;
    if (this.errors <= MOST_ERRORS) logFatal(this.logger, 'an error that nobody caught ends the process', error);
    this.begin(1);
  }

  private async close(): Promise<void> {
    try {
      // Where opening has failed there is nothing to close, and who asked for it has been told why.
      const opened = await this.opened?.catch(() => undefined);
      await opened?.close();
    } catch (error) {
      logFatal(this.logger, 'the process could not end in order', error);
      this.status ||= 1;
    }
  }

  private giveUp(): never {
    logFatal(this.logger, `the process has not ended within ${DEADLINE} ms, and is ended now`);
    process.exit(this.status || 1);
  }
}
