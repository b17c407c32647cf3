import { Logger } from '@nestjs/common';
import type { StreamEnd } from './stream-end.js';

/** Milliseconds between two lines. */
export const TALLY_PERIOD = 60_000;

/** The most reasons for refusals that are told apart. They are codes of the hub's own, and this only makes sure of it. */
const MOST_REASONS = 100;

/**
 * Sums up in one line a minute what has become of streams, and says nothing where nothing has. What each one did is logged at
 * `debug`.
 */
export class StreamTally {
  private readonly logger = new Logger('Streams');
  private opened = 0;
  private readonly ended = new Map<StreamEnd, number>();
  private readonly refused = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  /** @param countOpen tells how many streams are open. */
  constructor(private readonly countOpen: () => number) {}

  noteOpened(): void {
    this.opened += 1;
  }

  noteEnded(reason: StreamEnd): void {
    this.ended.set(reason, (this.ended.get(reason) ?? 0) + 1);
  }

  /** @param code why somebody who asked for a stream got none. */
  noteRefused(code: string): void {
    const count = this.refused.get(code);
    if (count === undefined && this.refused.size >= MOST_REASONS) return;
    this.refused.set(code, (count ?? 0) + 1);
  }

  start(): void {
    this.timer ??= setInterval(() => this.tell(), TALLY_PERIOD).unref();
  }

  /** Tells the rest. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.tell();
  }

  private tell(): void {
    const { opened, ended, refused } = this;
    if (opened + ended.size + refused.size === 0) return;
    this.logger.log({
      msg: 'streams of the last minute',
      opened,
      ended: Object.fromEntries(ended),
      refused: Object.fromEntries(refused),
      open: this.countOpen(),
    });
    this.opened = 0;
    ended.clear();
    refused.clear();
  }
}
