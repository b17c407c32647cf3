/** A line through some points, by least squares. */
export interface Line {
  /** What y grows by for each x. */
  readonly slope: number;
  /** The slope lies within this of the true one with a confidence of about 95 %. */
  readonly margin: number;
}

export type Point = readonly [x: number, y: number];

/** Student's quantiles for 95 % by degrees of freedom, from 1 on, and about what it is from 18 on. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11];
const MANY = 2.1;

/** No sample is worth less than this part of an independent one. */
const MOST_ALIKE = 0.9;

/** The line through at least three points; two say nothing of how exact it is. */
export function fitLine(points: readonly Point[]): Line {
  const count = points.length;
  if (count < 3) return { slope: Number.NaN, margin: Number.NaN };
  const middleX = mean(points.map(([x]) => x));
  const middleY = mean(points.map(([, y]) => y));
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0) / spread;
  const left = points.map(([x, y]) => y - middleY - slope * (x - middleX));
  const error = Math.sqrt(sumOfSquares(left) / (count - 2) / spread);
  return { slope, margin: (STUDENT[count - 3] ?? MANY) * error * widening(left) };
}

/**
 * What is left over of one sample is like that of the one before it: memory goes up and down in waves. So there are fewer
 * independent samples than there seem to be, and the margin is wider, by what is usual for a process of the first order.
 */
function widening(left: readonly number[]): number {
  const products = left.slice(1).reduce((sum, value, index) => sum + value * (left[index] ?? 0), 0);
  const squares = sumOfSquares(left);
  const alike = squares === 0 ? 0 : Math.min(MOST_ALIKE, Math.max(0, products / squares));
  return Math.sqrt((1 + alike) / (1 - alike));
}

function sumOfSquares(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value ** 2, 0);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
