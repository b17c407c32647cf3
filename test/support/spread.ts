/** Milliseconds over which the hub spreads the returning of its clients: see `randomRetry`. */
const WINDOW = 3_000;

/**
 * Whether clients have come back spread out: over half of the hub's window at least, and without half of them in one
 * fifth of that. All at once is spread out evenly too, over milliseconds.
 */
export function isSpreadOut(times: readonly number[]): boolean {
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const fifths = Array.from({ length: 5 }, () => 0);
  for (const time of times) {
    const fifth = Math.min(4, Math.floor(((time - from) / (to - from)) * 5));
    fifths[fifth] = (fifths[fifth] ?? NaN) + 1;
  }
  return to - from > WINDOW / 2 && Math.max(...fifths) < times.length / 2;
}
