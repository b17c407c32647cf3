import type { Retention } from '../../storage/journal/journal.js';

/**
 * A cohort gets a new cursor when the log has moved by this fraction of a limit of retention since its last id, so that
 * the id is still good when a reader comes back with it.
 */
const PART = 1 / 4;

/** Cohorts that get a cursor in one turn of the event loop, which takes some hundred microseconds. */
const PER_TURN = 32;

/** The longest delay that a timer takes. Milliseconds. */
const LONGEST = 2 ** 31 - 1;

/** The head of the log, and the bytes that had been appended, at some time. */
interface Mark {
  readonly position: number;
  readonly bytes: number;
  readonly time: number;
}

/**
 * Finds the cohorts that get nothing while the log moves on, and has them given a new cursor. Otherwise the last ids of
 * their readers would be trimmed one day, and such a reader could not tell that it has missed nothing. A silent cohort
 * costs one cursor for each quarter of any limit of retention.
 */
export class CursorRefresh<Cohort> {
  /** The mark of each cohort's last id, the oldest first. */
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

  /** Notes that the readers of this cohort get an id that stands for the current head of the log. */
  heard(cohort: Cohort): void {
    this.marks.delete(cohort);
    const { position, bytes } = this;
    this.marks.set(cohort, { position, bytes, time: this.clock() });
  }

  forget(cohort: Cohort): void {
    this.marks.delete(cohort);
  }

  /** Notes that the log has moved to `position` and grown by `bytes`. */
  moved(position: number, bytes: number): void {
    this.position = position;
    this.bytes += bytes;
  }

  close(): void {
    clearTimeout(this.timer);
    this.marks.clear();
  }

  /** Refreshes the cohorts whose last id has become too old. To be called when the log has moved. */
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

  /**
   * Milliseconds until the oldest mark is stale by its age, because entries are trimmed by age even when none follows;
   * Infinity when the log has not moved since that mark.
   */
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
