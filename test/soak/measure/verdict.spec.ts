import { describe, expect, it } from '@jest/globals';
import { Random } from '../../faults/support/random.js';
import { fitLine } from './regression.js';
import type { Sample } from './soak-hub.js';
import { type Course, judge, type Measure } from './verdict.js';

const MEGABYTE = 1024 ** 2;
const START = 100 * MEGABYTE;

interface Behaviour {
  readonly minutes: number;
  /** Parts of the start value in ten minutes. */
  readonly growth?: number;
  /** Parts of the start value by which samples are off at most. */
  readonly noise?: number;
  /** Descriptors more for each minute, of 5,000. */
  readonly descriptors?: number;
  /** Parts of the start value by which resident memory is another one at the end. */
  readonly resident?: number;
  /** Whether a collection at the end takes away what the heap has grown by. */
  readonly isGone?: boolean;
}

function course({
  minutes,
  growth = 0,
  noise = 0.005,
  descriptors = 0,
  resident = 0,
  isGone = false,
}: Behaviour): Course {
  const random = new Random(7);
  const at = (time: number, off: number): Sample => ({
    minutes: time,
    heap: START * (1 + (growth * time) / 10 + off),
    external: 0,
    resident: 2 * START * (1 + off),
    files: 0,
    handles: 5_000,
    sockets: 5_000,
    descriptors: 5_020 + Math.round(descriptors * time),
    streams: 5_000,
    journal: 0,
    cpu: time,
  });
  const count = Math.min(120, minutes * 12);
  const samples = Array.from({ length: count }, (_, index) =>
    at(((index + 1) * minutes) / count, noise * (2 * random.next() - 1)),
  );
  const end = at(minutes, 0);
  return {
    start: at(0, 0),
    end: { ...end, resident: end.resident * (1 + resident), ...(isGone && { heap: START }) },
    samples,
  };
}

function faultsOf(loaded: Behaviour, idle: Behaviour = { minutes: loaded.minutes }): Partial<Record<Measure, string>> {
  const findings = judge(course(loaded), course(idle)).filter(({ fault }) => fault !== undefined);
  return Object.fromEntries(findings.map(({ measure, fault }) => [measure, fault]));
}

describe('the verdict of a soak', () => {
  it('is good for a hub that only goes up and down', () => {
    expect(faultsOf({ minutes: 30 })).toEqual({});
    expect(faultsOf({ minutes: 2 })).toEqual({});
    expect(faultsOf({ minutes: 30, growth: -0.02 })).toEqual({ heap: 'differs' });
  });

  it('finds growth of more than 1 % in ten minutes in half an hour, long before it is 5 %', () => {
    expect(faultsOf({ minutes: 30, growth: 0.008 })).toEqual({});
    expect(faultsOf({ minutes: 30, growth: 0.012 })).toEqual({ heap: 'grows' });
  });

  it('finds growth of more than 5 % at the end', () => {
    expect(faultsOf({ minutes: 10, growth: 0.06 })).toEqual({ heap: 'differs' });
  });

  it('lets resident memory fall, and not grow by more than 5 %', () => {
    expect(faultsOf({ minutes: 30, resident: -0.06 })).toEqual({});
    expect(faultsOf({ minutes: 30, resident: 0.06 })).toEqual({ resident: 'differs' });
  });

  it('leaves out what an idle hub grows by as well', () => {
    expect(faultsOf({ minutes: 30, growth: 0.014 }, { minutes: 30, growth: 0.01 })).toEqual({});
  });

  it('finds in two minutes only what can be told from noise there, and says so', () => {
    expect(faultsOf({ minutes: 2, growth: 0.02, noise: 0.02 })).toEqual({});
    expect(faultsOf({ minutes: 2, growth: 0.2 })).toEqual({ heap: 'grows' });
    // What a collection takes away again has only waited for it; in half an hour it would have come.
    expect(faultsOf({ minutes: 2, growth: 0.2, isGone: true })).toEqual({});
    expect(faultsOf({ minutes: 30, growth: 0.012, isGone: true })).toEqual({ heap: 'grows' });
    const [heap] = judge(course({ minutes: 2, noise: 0.02 }), course({ minutes: 2 }));
    expect(heap?.isExact).toBe(false);
    const [long] = judge(course({ minutes: 30, noise: 0.02 }), course({ minutes: 30 }));
    expect(long?.isExact).toBe(true);
  });

  it('finds a few descriptors that are not closed, among thousands', () => {
    expect(faultsOf({ minutes: 30, descriptors: 4 })).toEqual({});
    expect(faultsOf({ minutes: 30, descriptors: 6 })).toEqual({ descriptors: 'grows' });
  });
});

describe('a line through points', () => {
  it('has no margin where all of them lie on it', () => {
    expect(fitLine([1, 2, 3, 4].map((x) => [x, 3 * x + 1]))).toEqual({ slope: 3, margin: 0 });
  });

  it('has the margin of a textbook', () => {
    // y = x with errors of 1, -1, -1, 1: the sum of squares left is 4, with two degrees of freedom.
    const { slope, margin } = fitLine([
      [0, 1],
      [1, 0],
      [2, 1],
      [3, 4],
    ]);
    expect(slope).toBeCloseTo(1);
    expect(margin).toBeCloseTo(4.3 * Math.sqrt(4 / 2 / 5));
  });

  it('has a wider one where neighbours are alike', () => {
    const values = Array.from({ length: 60 }, (_, x) => Math.sin(x / 4));
    const waves = values.map((value, x) => [x, value] as const);
    // The same values, each 23 places away from its neighbour.
    const mixed = values.map((_, x) => [x, values[(x * 23) % values.length] ?? 0] as const);
    expect(fitLine(waves).margin).toBeGreaterThan(2 * fitLine(mixed).margin);
  });

  it('is not known from two points', () => {
    expect(fitLine([[0, 1], [1, 2]]).margin).toBeNaN(); // prettier-ignore
  });
});
