import type { Retention } from '../../storage/journal/journal.js';

/** How far the log may move after a cohort's last id, as a part of what is kept of it: whoever comes back then is in time. */
const PART = 1 / 4;

/** Cohorts that get a cursor in one turn of the event loop, which takes some hundred microseconds. */
const PER_TURN = 32;

/** The longest delay that a timer takes. Milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** How far the log had come at some time. */
interface Mark {
  readonly position: number;
  readonly bytes: number;
  readonly time: number;
}

/**
 * Tells which cohorts hear nothing while the log moves on: their readers' last ids would be trimmed one day, and they
 * could not tell that they have missed nothing. A cohort costs a cursor for each quarter of any limit of retention.
 */
export class CursorRefresh<Cohort> {
  /** By the time of their last ids, the oldest first. */
  private readonly marks = new Map<Cohort, Mark>();
  private bytes = 0;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param position of the newest entry.
   * @param refresh gives a cohort a new cursor.
   */
  constructor(
    private readonly retention: Retention,
    private position: number,
    private readonly refresh: (cohort: Cohort) => void,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** The readers of this cohort get an id of the place where the log is now. */
  heard(cohort: Cohort): void {
    this.marks.delete(cohort);
    const { position, bytes } = this;
    this.marks.set(cohort, { position, bytes, time: this.clock() });
  }

  forget(cohort: Cohort): void {
    this.marks.delete(cohort);
  }

  /** The log has come to `position`, with so many bytes more. */
  moved(position: number, bytes: number): void {
    this.position = position;
    this.bytes += bytes;
  }

  close(): void {
    clearTimeout(this.timer);
    this.marks.clear();
  }

  /** Refreshes those that have heard nothing for too long. To be called when the log has moved. */
  look(): void {
    const time = this.clock();
    let left = PER_TURN;
    for (const [cohort, mark] of this.marks) {
      if (left === 0 || !this.isStale(mark, time)) break;
      left -= 1;
      this.heard(cohort);
      this.refresh(cohort);
    }
    this.watch(left === 0 ? 0 : this.untilNext(time));
  }

  private isStale({ position, bytes, time }: Mark, now: number): boolean {
    const { retention } = this;
    const moved = this.position - position;
    if (moved <= 0) return false;
    if (moved >= retention.events * PART || this.bytes - bytes >= retention.bytes * PART) return true;
    return now - time >= retention.age * PART;
  }

  /** What comes now and then is trimmed by its age, also when nothing follows it. */
  private untilNext(now: number): number {
    const [oldest] = this.marks.values();
    if (!oldest || oldest.position >= this.position) return Infinity;
    return oldest.time + this.retention.age * PART - now;
  }

  private watch(delay: number): void {
    if (delay > 0 && (this.timer || delay === Infinity)) return;
    clearTimeout(this.timer);
    const look = (): void => {
      this.timer = undefined;
      this.look();
    };
    this.timer = setTimeout(look, Math.min(LONGEST, Math.max(1, delay))).unref();
  }
}
