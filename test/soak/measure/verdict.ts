import { fitLine } from './regression.js';
import type { Sample } from './soak-hub.js';

/** What must not grow. */
export const MEASURES = {
  heap: 'heap and what lies outside of it',
  resident: 'resident memory of its own',
  handles: 'handles',
  descriptors: 'descriptors',
} as const;

export type Measure = keyof typeof MEASURES;

/** By how much the end may differ from the beginning. */
const DIFFERENCE = 0.05;

/** By how much of the start value a measure may grow in ten minutes, beyond what it does in an idle hub. */
const GROWTH = 0.01;
const TEN_MINUTES = 10;

/** Figures of one hub: at its beginning and its end with everybody connected and nothing published, and in between. */
export interface Course {
  readonly start: Sample;
  readonly end: Sample;
  readonly samples: readonly Sample[];
}

export interface Finding {
  readonly measure: Measure;
  readonly start: number;
  readonly end: number;
  /** Parts of the start value. */
  readonly change: number;
  /** Parts of the start value in ten minutes, beyond the idle hub's, and within which margin that is known. */
  readonly growth: number;
  readonly idleGrowth: number;
  readonly margin: number;
  /** What is wrong; undefined for nothing. */
  readonly fault: 'differs' | 'grows' | undefined;
  /** The margin is no wider than the growth that is allowed: the run was long enough to say so. */
  readonly isExact: boolean;
}

/**
 * Compares a hub under load with an idle one. A run of two minutes can't tell 1 % in ten minutes from noise: there, a
 * measure grows when even the low end of the interval in which its growth lies is beyond what is allowed, and when it is not
 * gone after the collection at the end: memory goes up and down with each collection, and two minutes see few of these. Where
 * the interval is narrow enough, which takes about ten minutes, the growth itself counts.
 */
export function judge(loaded: Course, idle: Course): Finding[] {
  return (Object.keys(MEASURES) as Measure[]).map((measure) => {
    const [start, end] = [valueOf(loaded.start, measure), valueOf(loaded.end, measure)];
    const [own, other] = [growthOf(loaded, measure), growthOf(idle, measure)];
    const growth = own.slope - other.slope;
    const margin = Math.hypot(own.margin, other.margin);
    const change = end / start - 1;
    const isExact = margin <= GROWTH;
    const least = growth - margin;
    const grows = isExact ? growth > GROWTH : least > GROWTH && isLeft(least, change, loaded);
    const fault = differs(measure, change) ? 'differs' : grows ? 'grows' : undefined;
    return { measure, start, end, change, growth, idleGrowth: other.slope, margin, fault, isExact };
  });
}

/** Whether at least half of what has grown is there at the end, after a collection and with nothing under way. */
function isLeft(growth: number, change: number, { samples }: Course): boolean {
  const minutes = samples.at(-1)?.minutes ?? 0;
  return change > (growth * minutes) / TEN_MINUTES / 2;
}

/**
 * Whether the end differs too much from the beginning. Resident memory may fall: that of the beginning has what the
 * allocator took for 5,000 readers who came at once, and has not given back to the system yet.
 */
function differs(measure: Measure, change: number): boolean {
  return (measure === 'resident' ? change : Math.abs(change)) > DIFFERENCE;
}

/** What a measure is in a sample. */
export function valueOf(sample: Sample, measure: Measure): number {
  return measure === 'heap' ? sample.heap + sample.external : sample[measure];
}

/** Over the last two thirds, in parts of the start value and ten minutes. */
function growthOf({ start, samples }: Course, measure: Measure): { slope: number; margin: number } {
  const from = (samples.at(-1)?.minutes ?? 0) / 3;
  const late = samples.filter(({ minutes }) => minutes >= from);
  const { slope, margin } = fitLine(late.map((sample) => [sample.minutes, heldBy(sample, measure)]));
  const unit = TEN_MINUTES / valueOf(start, measure);
  return { slope: slope * unit, margin: margin * unit };
}

/** Who is away just now has no handle and no descriptor: those of streams are left out, so that only the others count. */
function heldBy(sample: Sample, measure: Measure): number {
  const streams = measure === 'handles' || measure === 'descriptors' ? sample.streams : 0;
  return valueOf(sample, measure) - streams;
}
