import { getHeapStatistics } from 'node:v8';
import { Logger } from '@nestjs/common';

/** Milliseconds between two looks. */
const PERIOD = 50;

/** Milliseconds by which the event loop may be late. */
export const LATE = 250;

/** The part of the heap's limit that may be in use. */
export const FULL = 0.85;

/** Milliseconds for which all looks must have said the same before anything changes. */
export const SUSTAINED = 1_000;

/** What is refused, in the order in which it is given up. */
const SHED = ['nothing', 'streams', 'publications'] as const;

/** What one look saw. */
export interface Load {
  /** Milliseconds by which the event loop was late. */
  readonly late: number;
  /** The part of the heap's limit that was in use. */
  readonly heap: number;
}

/**
 * Whether this process has more to do, or to hold, than it can: then it refuses what is new, so that what is there goes
 * on. New streams go first, publications second, and they come back in the reverse order.
 *
 *     nothing --too much--> streams --too much--> publications (and streams)
 *     nothing <--enough---- streams <--enough---- publications
 *
 * Each step takes a second in which every look has seen too much, or none has: a single long task refuses nobody.
 */
export class Pressure {
  private readonly logger = new Logger('Pressure');
  private level = 0;
  private isOver = false;
  /** When the looks began to say the same, or the last step was taken. */
  private since = 0;
  private timer: NodeJS.Timeout | undefined;

  get shedsStreams(): boolean {
    return this.level > 0;
  }

  get shedsPublications(): boolean {
    return this.level > 1;
  }

  start(): void {
    let expected = performance.now() + PERIOD;
    this.timer ??= setInterval(() => {
      const now = performance.now();
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      this.look(now, { late: now - expected, heap: used / limit });
      expected = now + PERIOD;
    }, PERIOD).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** @param now milliseconds on the monotonic clock. */
  look(now: number, load: Load): void {
    const isOver = load.late > LATE || load.heap > FULL;
    if (isOver !== this.isOver) {
      this.isOver = isOver;
      this.since = now;
    } else if (now - this.since >= SUSTAINED) {
      this.since = now;
      if (isOver) this.shedMore(load);
      else this.shedLess();
    }
  }

  private shedMore({ late, heap }: Load): void {
    if (this.level === SHED.length - 1) return;
    this.level += 1;
    const seen = { late: Math.round(late), heapInUse: Math.round(heap * 100) };
    this.logger.warn({ msg: `too much to do: new ${SHED[this.level]} are refused`, ...seen });
  }

  private shedLess(): void {
    if (this.level === 0) return;
    this.logger.log(`new ${SHED[this.level]} are taken again`);
    this.level -= 1;
  }
}
