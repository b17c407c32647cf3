/** How many of these times lie in the fullest fifth of the span from the first to the last, whatever that is. */
export function mostInOneFifth(times: readonly number[]): number {
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const fifths = Array.from({ length: 5 }, () => 0);
  for (const time of times) {
    const fifth = Math.min(4, Math.floor(((time - from) / (to - from)) * 5));
    fifths[fifth] = (fifths[fifth] ?? NaN) + 1;
  }
  return Math.max(...fifths);
}
