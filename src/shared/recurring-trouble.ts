import type { Logger } from '@nestjs/common';
import { messageOf } from './errors/message-of.js';
import { QUIET } from './log/repeated-lines.js';

/** How the log tells of a trouble and of its end. */
export interface TroubleWords {
  readonly level: 'error' | 'warn';
  readonly failed: (reason: string) => string;
  /** A sentence that goes on with "after 9 s". */
  readonly over: string;
}

/**
 * Logs that something which goes on all the time has begun to fail, and that it works again and after how long. What fails
 * again within a minute, or for another reason, is counted first and told at the end of the minute.
 */
export class RecurringTrouble {
  /** When it began to fail; undefined while it works. */
  private since: number | undefined;
  private newest: unknown;
  /** The reason that the log names; undefined where the log's last word is that it works. */
  private told: string | undefined;
  private toldAt = -Infinity;
  /** How often it has begun to fail without a word. */
  private untold = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly words: TroubleWords;

  /** @param what names the operation, where there are no words for it. */
  constructor(
    private readonly logger: Logger,
    what: string,
    words: Partial<TroubleWords> = {},
  ) {
    const failed = (): string => `${what} has failed, and is tried again`;
    this.words = { level: 'error', failed, over: `${what} works again`, ...words };
  }

  get isOngoing(): boolean {
    return this.since !== undefined;
  }

  /** @param error why it fails: an error, or the reason in a few words. */
  has(error: unknown): void {
    const now = performance.now();
    if (this.since === undefined) this.untold += 1;
    this.since ??= now;
    if (this.told !== undefined && messageOf(error) === this.told) return;
    this.newest = error;
    const rest = this.toldAt + QUIET - now;
    if (rest <= 0) this.tell();
    else this.timer ??= setTimeout(() => this.tellLate(), rest).unref();
  }

  isOver(): void {
    if (this.since === undefined) return;
    const lasted = Math.round(performance.now() - this.since);
    this.since = undefined;
    if (this.told === undefined) return;
    this.told = undefined;
    this.logger.log({ msg: `${this.words.over} after ${inSeconds(lasted)} s`, lasted });
  }

  private tell(repeated = 0): void {
    const { level, failed } = this.words;
    const error = this.newest;
    this.told = messageOf(error);
    this.forgetUntold();
    this.logger[level]({
      msg: failed(this.told),
      ...(error instanceof Error && { err: error }),
      ...(repeated > 0 && { repeated }),
    });
  }

  /** The end of the minute: what was not told is told, be it over or not. */
  private tellLate(): void {
    this.timer = undefined;
    if (this.since !== undefined) {
      if (this.told !== messageOf(this.newest)) this.tell(this.untold);
      return;
    }
    if (this.untold === 0) return;
    this.logger.log({ msg: `${this.words.over}, and has failed again in between`, repeated: this.untold });
    this.forgetUntold();
  }

  private forgetUntold(): void {
    this.toldAt = performance.now();
    this.untold = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

function inSeconds(milliseconds: number): number {
  const seconds = milliseconds / 1_000;
  return seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds);
}
