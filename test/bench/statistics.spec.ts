import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LEAST_FOR_INTERVAL, type MedianInterval, medianInterval } from './statistics.js';

const sample = fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), {
  minLength: LEAST_FOR_INTERVAL,
  maxLength: 32,
});

function intervalOf(values: readonly number[]): MedianInterval {
  const interval = medianInterval(values);
  if (interval === undefined) throw new Error('there are enough values');
  return interval;
}

/** 1, 2, … count: each value tells which of the ascending values it is. */
function ranks(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('the interval of a median', () => {
  // From the table of the binomial distribution: 96.9, 93.0, 92.3, 93.6 and 95.0 %.
  it.each([
    [6, 1, 6],
    [8, 2, 7],
    [16, 5, 12],
    [24, 8, 17],
    [32, 11, 22],
  ])('of %i values reaches from number %i to number %i', (count, low, high) => {
    expect(intervalOf(ranks(count))).toEqual({ median: (count + 1) / 2, low, high });
  });

  it('does not exist for fewer than six values, nor for values that are none', () => {
    expect(medianInterval(ranks(5))).toBeUndefined();
    expect(medianInterval([...ranks(5), Number.NaN, Number.POSITIVE_INFINITY])).toBeUndefined();
  });

  it('encloses the median and does not depend on the order of the values', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const { median, low, high } = intervalOf(values);
        expect(low).toBeLessThanOrEqual(median);
        expect(median).toBeLessThanOrEqual(high);
        expect(intervalOf(values.toReversed())).toEqual({ median, low, high });
      }),
    );
  });

  it('turns round when greater and less change places', () => {
    fc.assert(
      fc.property(sample, (values) => {
        const { low, high } = intervalOf(values);
        const turned = intervalOf(values.map((value) => 1 / value));
        expect([turned.low, turned.high]).toEqual([1 / high, 1 / low]);
      }),
    );
  });

  it('holds the true median about 19 times of 20, whatever the distribution', () => {
    // The median of these is 1 and their mean is 2: nothing like a bell. A fixed generator makes the count the same each time.
    const random = pseudoRandom();
    const trials = 4000;
    const held = Array.from({ length: trials }, () => {
      const { low, high } = intervalOf(Array.from({ length: 32 }, () => -Math.log2(random())));
      return low <= 1 && 1 <= high;
    }).filter(Boolean).length;
    expect(held / trials).toBeCloseTo(0.95, 1);
    expect(held / trials).toBeGreaterThan(0.93);
  });
});

function pseudoRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
