/** The most ids that are remembered: two streams of a client overlap by half as many messages at most. */
export const REMEMBERED = 2_048;

/**
 * Messages that one stream has brought and another will bring again, in the same order, where the second takes over from
 * the first. Each is left out once and no more, because two publications may have the same id.
 */
export class Repeats {
  readonly #ids: (string | undefined)[];
  /** How many of these have come again. */
  #again = 0;

  constructor(ids: Iterable<string | undefined> = []) {
    this.#ids = [...ids];
  }

  /** How many are still to come again. */
  get size(): number {
    return this.#ids.length - this.#again;
  }

  /** The last of them; undefined if none is still to come. */
  get last(): string | undefined {
    return this.size > 0 ? this.#ids.at(-1) : undefined;
  }

  add(id: string | undefined): void {
    this.#ids.push(id);
  }

  /** Whether this message is one that comes again. Those before it will not: the stream leaves out what is outdated. */
  has(id: string | undefined): boolean {
    const index = this.#ids.indexOf(id, this.#again);
    if (index < 0) return false;
    this.#again = index + 1;
    return true;
  }
}
