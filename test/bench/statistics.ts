/** The value below which `fraction` of the ascending values lie (nearest rank); NaN for none. */
export function percentile(ascending: ArrayLike<number>, fraction: number): number {
  const rank = Math.ceil(fraction * ascending.length);
  return ascending[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** Median, least and greatest of some runs. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** The spread of the values, or nothing when there are none. The median of an even number is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const ascending = ascendingOf(values);
  const least = ascending[0];
  const greatest = ascending.at(-1);
  if (least === undefined || greatest === undefined) return undefined;
  const upper = ascending[Math.floor(ascending.length / 2)] ?? least;
  const lower = ascending[Math.ceil(ascending.length / 2) - 1] ?? least;
  return { median: (lower + upper) / 2, least, greatest };
}

const CONFIDENCE = 0.95;
/** With fewer, not even the least and the greatest enclose the median with that confidence. */
export const LEAST_FOR_INTERVAL = 6;

/** The median of some values, and where the median of what they are a sample of may lie. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Encloses the median by two of the values, the k-th from either end, whatever their distribution: of n values, as many
 * lie below it as of n tossed coins show heads. Of all k the one is taken whose confidence is nearest to 95 %. Nothing
 * for fewer than six values.
 */
export function medianInterval(values: readonly number[]): MedianInterval | undefined {
  const spread = spreadOf(values);
  const ascending = ascendingOf(values);
  if (spread === undefined || ascending.length < LEAST_FOR_INTERVAL) return undefined;
  const outside = valuesOutside(ascending.length);
  return {
    median: spread.median,
    low: ascending[outside] ?? spread.least,
    high: ascending.at(-1 - outside) ?? spread.greatest,
  };
}

/** How many values lie outside the interval on either side. */
function valuesOutside(count: number): number {
  const candidates = Array.from({ length: Math.floor(count / 2) }, (_, outside) => outside);
  const distance = (outside: number): number => Math.abs(1 - 2 * atMostHeads(outside, count) - CONFIDENCE);
  return candidates.reduce((best, outside) => (distance(outside) < distance(best) ? outside : best), 0);
}

/** The probability that so many tossed coins show at most so many heads. */
function atMostHeads(heads: number, coins: number): number {
  let exactly = 0.5 ** coins;
  let sum = exactly;
  for (let head = 1; head <= heads; head += 1) {
    exactly *= (coins - head + 1) / head;
    sum += exactly;
  }
  return sum;
}

function ascendingOf(values: readonly number[]): number[] {
  return values.filter((value) => Number.isFinite(value)).toSorted((left, right) => left - right);
}
