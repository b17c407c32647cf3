/** Milliseconds for which changes are gathered: at least, and at most when they go on. */
const LEAST = 10;
const MOST = 250;

/** Milliseconds within which the next change counts as one of a series. */
const SERIES = 1_000;

/** Gathers changes, so that those of one moment are one, and a long series of them is a few. */
export class Gathering {
  #delay = LEAST;
  #lastAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Acts soon, once for all calls until then. */
  soon(act: () => void): void {
    if (this.#timer !== undefined) return;
    const isSeries = performance.now() - this.#lastAt < SERIES;
    this.#delay = isSeries ? Math.min(MOST, this.#delay * 2) : LEAST;
    this.#timer = setTimeout(() => {
      this.stop();
      act();
    }, this.#delay);
  }

  /** Somebody acts now, so that there is nothing more to wait for. */
  stop(): void {
    if (this.#timer !== undefined) this.#lastAt = performance.now();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
