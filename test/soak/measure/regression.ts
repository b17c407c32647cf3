/** A line through some points, by least squares. */
export interface Line {
  /** What y grows by for each x. */
  readonly slope: number;
  /** The slope lies within this of the true one with a confidence of 95 %, were all points independent. */
  readonly margin: number;
}

export type Point = readonly [x: number, y: number];

/** Quantiles of Student's distribution for 95 %, by degrees of freedom, from 1 on; beyond the last it is the normal one's. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1];
const NORMAL = 2.05;

/** The line through at least three points; two say nothing of how exact it is. */
export function fitLine(points: readonly Point[]): Line {
  const count = points.length;
  if (count < 3) return { slope: Number.NaN, margin: Number.NaN };
  const middleX = mean(points.map(([x]) => x));
  const middleY = mean(points.map(([, y]) => y));
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0) / spread;
  const left = points.reduce((sum, [x, y]) => sum + (y - middleY - slope * (x - middleX)) ** 2, 0);
  const error = Math.sqrt(left / (count - 2) / spread);
  return { slope, margin: (STUDENT[count - 3] ?? NORMAL) * error };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
