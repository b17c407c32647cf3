import { firstIndex } from '../../../shared/first-index.js';

/** Marks that are kept: with one for each 100 ms, of the last fifty seconds at least. */
const MARKS = 1_024;

/** Milliseconds that one mark stands for. */
const APART = 100;

interface Mark {
  position: number;
  at: number;
  readonly since: number;
}

/**
 * When live readers had been offered the log up to which position: a mark now and then for all of them together, because
 * a time for each update and reader would cost more than the update. Times are milliseconds on the monotonic clock.
 */
export class OfferTimes {
  private readonly marks: Mark[] = [];

  /** Everybody live has been offered everything up to `position`. */
  note(position: number, now: number): void {
    const last = this.marks.at(-1);
    if (last && position <= last.position) return;
    if (last && now - last.since < APART) {
      last.position = position;
      last.at = now;
      return;
    }
    this.marks.push({ position, at: now, since: now });
    if (this.marks.length > MARKS) this.marks.splice(0, MARKS / 2);
  }

  /**
   * By when those who were live, and whose matchers need not be evaluated, had been offered the entry at `position`;
   * undefined where that is not known (any more).
   */
  of(position: number): number | undefined {
    const { marks } = this;
    // The oldest mark stands for all that came before it as well.
    if (position < (marks[0]?.position ?? Infinity)) return undefined;
    return marks[firstIndex(marks.length, (index) => (marks[index]?.position ?? 0) >= position)]?.at;
  }

  /** The log has lost entries, and positions come again. */
  clear(): void {
    this.marks.length = 0;
  }
}
