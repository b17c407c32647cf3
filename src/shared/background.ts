import { Queue } from './queue.js';

/**
 * Milliseconds of work in one turn of the event loop. They are few because a publication takes several turns from its
 * request to its readers, and each turn may be this much longer while there is work.
 */
const SHARE = 1;

/**
 * Milliseconds by which a turn may exceed its share. A step that took longer is followed by as long a time without any
 * work, so that others get through their own turns even while each step takes long.
 */
const TOLERANCE = 2;

/** Does all the steps of some work at once, for whoever needs its result now. */
export function allAtOnce<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** @param end of this turn's share, on the clock. */
type Job = (end: number) => void;

/**
 * Work that gives way to live delivery and to requests: some of it in each turn of the event loop, in the order in which
 * it came.
 */
export class Background {
  private readonly jobs = new Queue<Job>();
  private isScheduled = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Has a short job done. */
  add(job: () => void): void {
    this.jobs.push(job);
    this.schedule();
  }

  /** Resolves with what a short job has given, once its turn has come. */
  do<T>(job: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.add(() => {
        try {
          resolve(job());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /**
   * Resolves with what work of any length gives. It goes on for as long as there is time, is put behind the other work
   * then, and so holds nobody up for longer than one of its steps takes.
   * @param isOver whether nobody needs it any more. It then ends before its next step, and gives undefined.
   */
  run<T>(steps: Iterator<void, T>): Promise<T>;
  run<T>(steps: Iterator<void, T>, isOver: () => boolean): Promise<T | undefined>;
  run<T>(steps: Iterator<void, T>, isOver?: () => boolean): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      const goOn: Job = (end) => {
        try {
          do {
            if (isOver?.()) return resolve(undefined);
            const { done, value } = steps.next();
            if (done) return resolve(value);
          } while (this.now() < end);
        } catch (error) {
          return reject(error);
        }
        this.jobs.push(goOn);
      };
      this.jobs.push(goOn);
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.jobs.length === 0) return;
    this.isScheduled = true;
    setImmediate(() => this.work());
  }

  private work(): void {
    const end = this.now() + SHARE;
    do this.jobs.shift()?.(end);
    while (this.jobs.length > 0 && this.now() < end);
    const excess = this.now() - end;
    const rest = (): void => {
      this.isScheduled = false;
      this.schedule();
    };
    if (excess > TOLERANCE) setTimeout(rest, excess);
    else rest();
  }
}
