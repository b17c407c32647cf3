import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LIMIT, judge } from './verdict.js';

/** Eight ratios around a middle, each a step from the next. */
function around(middle: number, step: number): number[] {
  return Array.from({ length: 8 }, (_, index) => middle + (index - 3.5) * step);
}

const QUIET = around(1, 0);
/** Ratios around any middle, more or less far from each other, so that each verdict comes up often. */
const ratios = fc
  .tuple(
    fc.double({ min: 0.9, max: 1.1, noNaN: true }),
    fc.double({ min: 0, max: 0.1, noNaN: true }),
    fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 32 }),
  )
  .map(([middle, spread, steps]) => steps.map((step) => middle + step * spread));

describe('the verdict on a figure', () => {
  it.each([
    ['this tree is as quick and nothing is noisy', around(1, 0.002), around(1, 0.002), 'pass'],
    ['this tree is just good enough', around(LIMIT, 0), QUIET, 'pass'],
    ['this tree is worse', around(0.9, 0.002), around(1, 0.002), 'worse'],
    ['the ratios lie on both sides of the limit', around(0.975, 0.005), QUIET, 'unresolved'],
    [
      'they lie on one side, but the same tree differs as much from itself',
      around(0.99, 0.001),
      around(1, 0.01),
      'unresolved',
    ],
    ['the same tree differs from itself always in one direction', around(0.99, 0.001), around(1.03, 0), 'unresolved'],
    ['it does so in the other direction', around(0.99, 0.001), around(0.96, 0), 'unresolved'],
    ['this tree is worse, but not by more than the noise', around(0.95, 0.001), around(1, 0.02), 'unresolved'],
    ['there are too few pairs', [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], 'failed'],
  ])('when %s', (_, pairs, noises, verdict) => {
    expect(judge(pairs, noises, false).verdict).toBe(verdict);
  });

  it('is the median’s when nothing more will be measured', () => {
    const noises = around(1, 0.02);
    expect(judge(around(0.975, 0.005), noises, true).verdict).toBe('unresolved-pass');
    expect(judge(around(0.965, 0.005), noises, true).verdict).toBe('unresolved-fail');
    expect(judge(around(LIMIT, 0), noises, true).verdict).toBe('unresolved-pass');
  });

  it('never contradicts the median', () => {
    fc.assert(
      fc.property(ratios, ratios, fc.boolean(), (pairs, noises, isLast) => {
        const { verdict, ratio } = judge(pairs, noises, isLast);
        const isGood = (ratio?.median ?? Number.NaN) >= LIMIT;
        expect(verdict === 'unresolved' || verdict.endsWith('pass') === isGood).toBe(true);
        expect(verdict === 'unresolved' && isLast).toBe(false);
      }),
    );
  });

  it('gets no worse when this tree gets better', () => {
    fc.assert(
      fc.property(ratios, ratios, fc.double({ min: 1, max: 1.2, noNaN: true }), (pairs, noises, gain) => {
        const better = pairs.map((ratio) => ratio * gain);
        expect(rankOf(better, noises)).toBeGreaterThanOrEqual(rankOf(pairs, noises));
      }),
    );
  });

  it('is at most taken back by more noise', () => {
    fc.assert(
      fc.property(ratios, ratios, fc.double({ min: 1, max: 5, noNaN: true }), (pairs, noises, power) => {
        const noisier = noises.map((ratio) => ratio ** power);
        expect(['unresolved', judge(pairs, noises, false).verdict]).toContain(judge(pairs, noisier, false).verdict);
      }),
    );
  });
});

function rankOf(pairs: readonly number[], noises: readonly number[]): number {
  return ['worse', 'unresolved', 'pass'].indexOf(judge(pairs, noises, false).verdict);
}
