import { Logger } from '@nestjs/common';
import { Tally } from '../../shared/measures/tally.js';
import type { StreamEnd } from './stream-end.js';

/** Milliseconds between two lines. */
export const TALLY_PERIOD = 60_000;

/**
 * Counts what becomes of streams, and sums up in one line a minute what has become of them since the last one. It says nothing
 * where nothing has. What each one did is logged at `debug`.
 */
export class StreamTally {
  /** Streams that have ended, by reason. */
  readonly ended = new Tally<StreamEnd>();
  /** Requests for streams that were refused, by what their clients were told. */
  readonly refused = new Tally<string>();
  private readonly logger = new Logger('Streams');
  private all = 0;
  private timer: NodeJS.Timeout | undefined;
  /** What has been told. */
  private told = { opened: 0, ended: new Map<string, number>(), refused: new Map<string, number>() };

  /** @param countOpen tells how many streams are open. */
  constructor(private readonly countOpen: () => number) {}

  /** How many streams were opened. */
  get opened(): number {
    return this.all;
  }

  noteOpened(): void {
    this.all += 1;
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
    const { told } = this;
    const opened = this.all - told.opened;
    const ended = this.ended.since(told.ended);
    const refused = this.refused.since(told.refused);
    if (opened + ended.length + refused.length === 0) return;
    this.logger.log({
      msg: 'streams of the last minute',
      opened,
      ended: Object.fromEntries(ended),
      refused: Object.fromEntries(refused),
      open: this.countOpen(),
    });
    this.told = { opened: this.all, ended: new Map(this.ended.entries()), refused: new Map(this.refused.entries()) };
  }
}
