import { Queue } from '../../shared/queue.js';

/**
 * Milliseconds of work in one turn of the event loop. They are few because a publication takes several turns from its
 * request to its readers, and each turn may be this much longer while there is work.
 */
const SHARE = 1;

/**
 * Work that gives way to live delivery and to requests: some of it in each turn of the event loop, in the order in which
 * it came.
 */
export class Background {
  private readonly jobs = new Queue<() => void>();
  private isScheduled = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  add(job: () => void): void {
    this.jobs.push(job);
    this.schedule();
  }

  /** Resolves with what `job` has given, once its turn has come. */
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

  private schedule(): void {
    if (this.isScheduled || this.jobs.length === 0) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.work();
      this.schedule();
    });
  }

  private work(): void {
    const end = this.now() + SHARE;
    do this.jobs.shift()?.();
    while (this.jobs.length > 0 && this.now() < end);
  }
}
