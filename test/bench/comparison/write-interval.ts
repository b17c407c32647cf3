import type { MedianInterval } from '../statistics.js';

const RATIO_DIGITS = 3;

/** The median and what it lies between, such as `1.012 (0.984–1.040)`. */
export function writeInterval(interval: MedianInterval | undefined): string {
  if (interval === undefined) return '—';
  const [median, low, high] = [interval.median, interval.low, interval.high].map((value) =>
    value.toFixed(RATIO_DIGITS),
  );
  return `${median} (${low}–${high})`;
}
