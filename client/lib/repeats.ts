/** The most ids that are remembered: two streams of a client overlap by half as many messages at most. */
export const REMEMBERED = 2_048;

/**
 * Messages that one stream has brought and another will bring again, in the same order, where the second takes over from
 * the first. Each is left out once and no more, because two publications may have the same id.
 */
export class Repeats {
  readonly #ids: (string | undefined)[] = [];
  /** How many of these have come again. */
  #again = 0;

  constructor(ids: Iterable<string | undefined> = []) {
    for (const id of ids) this.add(id);
  }

  /** How many are still to come again. */
  get size(): number {
    return this.#ids.length - this.#again;
  }

  /** The last of them. */
  get last(): string | undefined {
    return this.#ids.at(-1);
  }

  add(id: string | undefined): void {
    this.#ids.push(id);
  }

  /** Whether this message is one that comes again. Those before it will not: the stream leaves out what is outdated. */
  has(id: string | undefined): boolean {
    if (this.size === 0) return false;
    const index = this.#ids.indexOf(id, this.#again);
    if (index < 0) return false;
    this.#again = index + 1;
    return true;
  }
}

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
  meet(ids: readonly (string | undefined)[]): { readonly count: number; readonly repeats: Repeats } {
    const known = this.#ids;
    const [first] = ids;
    if (ids.length === 0) return { count: 0, repeats: new Repeats() };
    for (let start = known.indexOf(first); start >= 0; start = known.indexOf(first, start + 1)) {
      const count = Math.min(ids.length, known.length - start);
      const isSame = ids.slice(0, count).every((id, index) => id === known[start + index]);
      if (isSame) return { count, repeats: new Repeats(known.slice(start + count)) };
    }
    return { count: 0, repeats: new Repeats() };
  }

  /**
   * What a stream that has brought nothing yet may bring again: nothing is known of where it is, so it is looked for when
   * its first message comes.
   */
  repeatsFrom(id: string | undefined): Repeats {
    const start = this.#ids.lastIndexOf(id);
    return new Repeats(start < 0 ? [] : this.#ids.slice(start));
  }
}
