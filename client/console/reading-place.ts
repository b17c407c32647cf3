import type { LogEntry } from './message-log.js';
import { firstAfter } from './visible-entries.js';

/** The first row that a reader sees, followed while rows come or go above it. */
export class ReadingPlace {
  private drawn: readonly LogEntry[] = [];
  private firstDrawn = 0;
  private serial = 0;
  private index = 0;

  /** Takes note of the rows that are in the document, from the one at `first` on. */
  draw(first: number, entries: readonly LogEntry[]): void {
    this.firstDrawn = first;
    this.drawn = entries;
  }

  /** The reader has scrolled to the row at `index`. The entries may have changed since the rows were drawn. */
  look(index: number, entries: readonly LogEntry[]): void {
    const seen = this.drawn[index - this.firstDrawn] ?? entries[index];
    this.serial = seen?.serial ?? 0;
    this.index = index;
  }

  /** By how many rows the place has moved since it was asked for last: upwards if rows have gone above it. */
  movedIn(entries: readonly LogEntry[]): number {
    const index = firstAfter(entries, this.serial - 1);
    const moved = index - this.index;
    this.index = index;
    return moved;
  }
}
