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
  const ascending = values.filter((value) => Number.isFinite(value)).toSorted((left, right) => left - right);
  const least = ascending[0];
  const greatest = ascending.at(-1);
  if (least === undefined || greatest === undefined) return undefined;
  const upper = ascending[Math.floor(ascending.length / 2)] ?? least;
  const lower = ascending[Math.ceil(ascending.length / 2) - 1] ?? least;
  return { median: (lower + upper) / 2, least, greatest };
}
