import { type MedianInterval, medianInterval } from '../statistics.js';

/** This tree is no worse when its ratio to the other commit is at least this; ratios are turned so that greater is better. */
export const LIMIT = 0.97;

/**
 * What a figure's pairs say:
 * - `pass`, `worse`: they decide it.
 * - `unresolved`: they do not, and more may.
 * - `unresolved-pass`, `unresolved-fail`: all that may be measured do not, so that the median alone decides.
 * - `failed`: there are too few pairs, because measurements failed.
 */
export type Verdict = 'pass' | 'worse' | 'unresolved' | 'unresolved-pass' | 'unresolved-fail' | 'failed';

export interface Judgement {
  readonly verdict: Verdict;
  /** This tree to the other commit (A/B); nothing when there are too few pairs. */
  readonly ratio?: MedianInterval;
  /** This tree to itself in the same rounds (A/A). */
  readonly noise?: MedianInterval;
}

/**
 * Judges a figure by its ratios to the other commit and by those to itself. It is decided when the limit lies outside
 * the interval of the A/B median, and that median is further from the limit than the interval of the A/A median reaches
 * from 1, which is where it should be.
 *
 * @param isLast no more pairs will be added.
 */
export function judge(ratios: readonly number[], noises: readonly number[], isLast: boolean): Judgement {
  const ratio = medianInterval(ratios);
  const noise = medianInterval(noises);
  if (ratio === undefined || noise === undefined) return { verdict: 'failed' };
  return { verdict: verdictOf(ratio, reachOf(noise), isLast), ratio, noise };
}

function verdictOf({ median, low, high }: MedianInterval, reach: number, isLast: boolean): Verdict {
  if (low >= LIMIT && median >= LIMIT * reach) return 'pass';
  if (high < LIMIT && median * reach < LIMIT) return 'worse';
  if (!isLast) return 'unresolved';
  return median >= LIMIT ? 'unresolved-pass' : 'unresolved-fail';
}

/** How far the interval reaches from 1, as a factor, on the side where it reaches further. */
function reachOf({ low, high }: MedianInterval): number {
  return Math.max(high, 1 / low);
}
