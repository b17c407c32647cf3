import { constants } from 'node:os';
import process from 'node:process';
import type { Logger } from 'pino';
import { logFatal } from '../logging/log-fatal.js';

/** What is opened at the start and closed at the end. */
export interface Closable {
  /** Lets go of clients, before it is closed. */
  leave?(): Promise<void>;
  /** Has {@link leave} take no time, also while it is under way: something has gone wrong. */
  hurry?(): void;
  close(): Promise<void>;
}

/**
 * A second signal within this many milliseconds counts as the first one: at a terminal, Ctrl-C reaches this process
 * directly and once more through npm.
 */
const SAME_SIGNAL = 100;

/** Milliseconds that the end may take, without the letting go: longer than the time-outs of its own steps. */
const DEADLINE = 20_000;

/** Node's timers fire at once above this many milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Uncaught errors that are logged at most: those after the first come while the process is already ending. */
const MOST_ERRORS = 10;

/**
 * Ends the process once and always in the same order, whatever the reason: a signal, a start that failed, or an
 * uncaught error. What was opened is closed first, within a bounded time. A second signal ends the process at once.
 */
export class OrderlyEnd {
  private readonly ending = new AbortController();
  private opened: Promise<Closable> | undefined;
  private signalledAt: number | undefined;
  private errors = 0;
  private status = 0;
  private allowed = DEADLINE;
  private closing: Closable | undefined;

  constructor(private readonly logger: Logger) {
    const onSignal = (signal: 'SIGTERM' | 'SIGINT'): void => this.onSignal(signal);
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
    // Unhandled rejections raise this event as well.
    process.on('uncaughtException', (error) => this.onUncaught(error));
  }

  /** Allows the end this many milliseconds more, for letting go of clients. */
  allow(milliseconds: number): void {
    this.allowed = DEADLINE + milliseconds;
  }

  /** Aborted when the end begins. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /**
   * Opens something that is closed at the end, even if the end begins while it is still being opened.
   * @throws what `open` throws; the signal's reason if the end has begun.
   */
  async open<T extends Closable>(open: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const opening = open(this.signal);
    this.opened = opening;
    const opened = await opening;
    this.signal.throwIfAborted();
    return opened;
  }

  /** Ends the process with `status`, unless an earlier call gave a status other than 0. */
  begin(status: number): void {
    this.status ||= status;
    if (this.status !== 0) this.closing?.hurry?.();
    if (this.signal.aborted) return;
    this.ending.abort();
    setTimeout(() => this.giveUp(), Math.min(this.allowed, LONGEST_TIMER));
    // In a later turn of the event loop, so that a start under way sees the aborted signal before anything is closed.
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
    if (this.errors <= MOST_ERRORS) logFatal(this.logger, 'the process ends because of an uncaught error', error);
    this.begin(1);
  }

  private async close(): Promise<void> {
    try {
      // If opening failed there is nothing to close, and the caller of `open` has got the error.
      this.closing = await this.opened?.catch(() => undefined);
      if (this.status !== 0) this.closing?.hurry?.();
      await this.closing?.leave?.();
      await this.closing?.close();
    } catch (error) {
      logFatal(this.logger, 'the process could not end in order', error);
      this.status ||= 1;
    }
  }

  private giveUp(): never {
    logFatal(this.logger, `the process has not ended within ${this.allowed} ms, and is ended now`);
    process.exit(this.status || 1);
  }
}
