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

/**
 * When a cohort got its last id: the head of the log, and the updates and bytes that had been appended, at that time. The marks are a
 * linked list in the order of time, because each offer moves one to the end: a Map in the order of insertion keeps what
 * was deleted at its front, and with 10,000 cohorts going past that took 35 us for each publication.
 */
interface Mark<Cohort> {
  readonly cohort: Cohort | undefined;
  position: number;
  updates: number;
  bytes: number;
  time: number;
  earlier: Mark<Cohort>;
  later: Mark<Cohort>;
}

/**
 * Finds the cohorts that get nothing while the log moves on, and has them given a new cursor. Otherwise the last ids of
 * their readers would be trimmed one day, and such a reader could not tell that it has missed nothing. A silent cohort
 * costs one cursor for each quarter of any limit of retention.
 */
export class CursorRefresh<Cohort> {
  private readonly marks = new Map<Cohort, Mark<Cohort>>();
  /** Stands before the oldest mark and after the newest one. */
  private readonly ends = markOf<Cohort>(undefined);
  private updates = 0;
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
    const mark = this.marks.get(cohort) ?? this.begin(cohort);
    mark.position = this.position;
    mark.updates = this.updates;
    mark.bytes = this.bytes;
    mark.time = this.clock();
    takeOut(mark);
    putBefore(this.ends, mark);
  }

  forget(cohort: Cohort): void {
    const mark = this.marks.get(cohort);
    if (!mark) return;
    takeOut(mark);
    this.marks.delete(cohort);
  }

  /** Notes that the log has moved to `position` by an update of so many bytes. */
  moved(position: number, bytes: number): void {
    this.position = position;
    this.updates += 1;
    this.bytes += bytes;
  }

  /** Notes that the log has moved to `position` by a coming or going, which evicts no update. */
  passed(position: number): void {
    this.position = position;
  }

  close(): void {
    clearTimeout(this.timer);
    this.marks.clear();
    this.ends.earlier = this.ends;
    this.ends.later = this.ends;
  }

  /** Refreshes the cohorts whose last id has become too old. To be called when the log has moved. */
  look(): void {
    if (this.marks.size === 0) return;
    const time = this.clock();
    let left = PER_TURN;
    for (let oldest = this.ends.later; left > 0; left -= 1) {
      if (oldest.cohort === undefined || !this.isStale(oldest, time)) break;
      this.heard(oldest.cohort);
      this.refresh(oldest.cohort);
      oldest = this.ends.later;
    }
    this.watch(left === 0 ? 0 : this.untilNext(time));
  }

  private begin(cohort: Cohort): Mark<Cohort> {
    const mark = markOf(cohort);
    this.marks.set(cohort, mark);
    return mark;
  }

  private isStale({ position, updates, bytes, time }: Mark<Cohort>, now: number): boolean {
    const { retention } = this;
    if (this.position <= position) return false;
    if (this.updates - updates >= retention.events * PART || this.bytes - bytes >= retention.bytes * PART) return true;
    return now - time >= retention.age * PART;
  }

  /**
   * Milliseconds until the oldest mark is stale by its age, because entries are trimmed by age even when none follows;
   * Infinity when the log has not moved since that mark.
   */
  private untilNext(now: number): number {
    const oldest = this.ends.later;
    if (oldest.cohort === undefined || oldest.position >= this.position) return Infinity;
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

/** A mark in a list of its own. */
function markOf<Cohort>(cohort: Cohort | undefined): Mark<Cohort> {
  const mark = { cohort, position: 0, updates: 0, bytes: 0, time: 0 } as Mark<Cohort>;
  mark.earlier = mark;
  mark.later = mark;
  return mark;
}

function takeOut<Cohort>(mark: Mark<Cohort>): void {
  mark.earlier.later = mark.later;
  mark.later.earlier = mark.earlier;
}

function putBefore<Cohort>(next: Mark<Cohort>, mark: Mark<Cohort>): void {
  mark.earlier = next.earlier;
  mark.later = next;
  next.earlier.later = mark;
  next.earlier = mark;
}
