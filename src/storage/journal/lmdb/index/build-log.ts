import type { Logger } from '@nestjs/common';
import { LIMITS } from './index-limits.js';

/** Milliseconds between two lines on the log. */
const INTERVAL = 5_000;

/** Tells on the log how far the index is while it is made in the background. */
export class BuildLog {
  private began: number | undefined;
  private told = 0;

  constructor(private readonly logger: Logger) {}

  /** To be called again and again until it is at its {@link end}. */
  progress(upTo: number, { oldest, newest }: { readonly oldest: number; readonly newest: number }): void {
    const now = performance.now();
    if (this.began === undefined && newest - upTo < LIMITS.few) return;
    if (this.began === undefined) {
      this.began = now;
      this.told = now;
      this.logger.log(
        'The index of topics is made in the background, because it lacks a part of the journal: ' +
          'until then, readers of topics read the journal through.',
      );
    }
    if (now - this.told < INTERVAL) return;
    this.told = now;
    const share = Math.max(0, upTo - oldest) / Math.max(1, newest - oldest);
    this.logger.log(`The index of topics is made: ${Math.floor(100 * share)}%, up to position ${upTo} of ${newest}.`);
  }

  end(newest: number): void {
    if (this.began === undefined) return;
    const seconds = ((performance.now() - this.began) / 1_000).toFixed(1);
    this.began = undefined;
    this.logger.log(`The index of topics is complete up to position ${newest}, after ${seconds} seconds.`);
  }
}
