/** Upper bounds of the buckets in seconds, of which the last is infinite: from half a millisecond to a minute. */
export const DURATION_BOUNDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

/**
 * How long things took, as a histogram. It is a few numbers and no library's, because it counts each delivery: a
 * histogram of prom-client takes ten times as long for each.
 */
export class Durations {
  private readonly counts = new Float64Array(DURATION_BOUNDS.length + 1);
  private seconds = 0;

  /**
   * @param milliseconds how long it took; below 0 counts as 0.
   * @param times how many things took that long.
   */
  observe(milliseconds: number, times = 1): void {
    const seconds = Math.max(0, milliseconds / 1_000);
    let index = 0;
    while (seconds > (DURATION_BOUNDS[index] ?? Infinity)) index += 1;
    this.counts[index] = (this.counts[index] ?? 0) + times;
    this.seconds += seconds * times;
  }

  /** The sum of all in seconds. */
  get sum(): number {
    return this.seconds;
  }

  /** How many took at most as long as each bound says, and how many there were in all, as the last. */
  get cumulative(): number[] {
    let sum = 0;
    return [...this.counts].map((count) => (sum += count));
  }
}
