import type { ToRepeat } from './part.js';
import { REMEMBERED, Repeats } from './repeats.js';

/** The last messages of a history, to find where a stream that brings the newest of them as well goes on. */
export class Tail {
  readonly #ids: (string | undefined)[] = [];

  /** The last id; undefined if there is none. */
  get last(): string | undefined {
    return this.#ids.at(-1);
  }

  add(id: string | undefined): void {
    if (this.#ids.push(id) > REMEMBERED) this.#ids.shift();
  }

  has(id: string | undefined): boolean {
    return this.#ids.includes(id);
  }

  /**
   * How many of `ids`, which a stream has brought without a gap, are at the end of the history; and what of the history
   * that stream still has to bring again.
   */
  meet(ids: readonly (string | undefined)[]): { readonly count: number; readonly repeats: ToRepeat } {
    const known = this.#ids;
    const [first] = ids;
    if (ids.length === 0) return { count: 0, repeats: new Unplaced(this) };
    for (let start = known.indexOf(first); start >= 0; start = known.indexOf(first, start + 1)) {
      const count = Math.min(ids.length, known.length - start);
      const isSame = ids.slice(0, count).every((id, index) => id === known[start + index]);
      if (isSame) return { count, repeats: new Repeats(known.slice(start + count)) };
    }
    return { count: 0, repeats: new Repeats() };
  }

  /** What of the history comes again where the first of it has this id. */
  repeatsFrom(id: string | undefined): Repeats {
    const start = this.#ids.lastIndexOf(id);
    return new Repeats(start < 0 ? [] : this.#ids.slice(start));
  }
}

/** What a stream that has brought nothing yet may bring again. Where in the history it is, its first message tells. */
class Unplaced implements ToRepeat {
  readonly #history: Tail;
  #repeats: Repeats | undefined;

  constructor(history: Tail) {
    this.#history = history;
  }

  get last(): string | undefined {
    return (this.#repeats ?? this.#history).last;
  }

  has(id: string | undefined): boolean {
    this.#repeats ??= this.#history.repeatsFrom(id);
    return this.#repeats.has(id);
  }
}
