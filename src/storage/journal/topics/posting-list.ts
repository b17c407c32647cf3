import { firstIndex } from '../../../shared/first-index.js';

/** Positions that may lie unused in front of a list: few, because there may be a list for each of a million topics. */
const UNUSED = 16;

/** The positions of the updates that have one topic, in order. New ones come at the end, and old ones leave in front. */
export class PostingList {
  private positions: number[] = [];
  private start = 0;

  /** @param alias what the topic's address is listed as; undefined where that is the topic itself, or there is none. */
  constructor(
    readonly topic: string,
    readonly alias: string | undefined,
  ) {}

  get count(): number {
    return this.positions.length - this.start;
  }

  get newest(): number {
    return this.positions.at(-1) ?? 0;
  }

  /** Adds a position beyond all others. */
  push(position: number): void {
    this.positions.push(position);
  }

  delete(position: number): void {
    // Trimming takes the oldest, and searching would read the whole list from memory.
    if (this.positions[this.start] === position) return this.dropFirst();
    const index = this.indexAfter(position - 1);
    if (this.positions[index] === position) this.positions.splice(index, 1);
  }

  after(position: number, limit: number): readonly number[] {
    const index = this.indexAfter(position);
    return this.positions.slice(index, index + limit);
  }

  /** The newest first. */
  before(position: number, limit: number): readonly number[] {
    const end = this.indexAfter(position - 1);
    return this.positions.slice(Math.max(this.start, end - limit), end).toReversed();
  }

  private dropFirst(): void {
    this.start += 1;
    if (this.start <= UNUSED || this.start * 2 <= this.positions.length) return;
    this.positions = this.positions.slice(this.start);
    this.start = 0;
  }

  private indexAfter(position: number): number {
    const { positions, start } = this;
    return start + firstIndex(this.count, (index) => (positions[start + index] ?? 0) > position);
  }
}
