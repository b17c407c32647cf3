import { describe, expect, it } from '@jest/globals';
import { Tally } from './tally.js';

const PUBLISHERS = 2;

/** What two readers saw, as `[reader, publisher, sequence]`. */
function tallyOf(deliveries: readonly [number, number, number][]): Tally {
  const tally = new Tally();
  tally.reset({ watch: 'order', readers: 2, publishers: PUBLISHERS, ignoreEvery: 0 });
  for (const [reader, publisher, sequence] of deliveries) tally.event(reader, sequence * PUBLISHERS + publisher, 0);
  return tally;
}

describe('the benchmark’s order check', () => {
  it('finds nothing when both readers see everything once and in one order', () => {
    const tally = tallyOf(
      [0, 1].flatMap(
        (reader) =>
          [
            [reader, 0, 0],
            [reader, 1, 0],
            [reader, 0, 1],
          ] as [number, number, number][],
      ),
    );
    expect(tally.orderFindings()).toEqual({ violations: 0, orders: 1 });
    expect(tally.received).toBe(6);
  });

  it.each([
    [
      'a doubled event',
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    [
      'a lost event',
      [
        [0, 0, 0],
        [0, 0, 2],
      ],
    ],
    ['a lost first event', [[0, 1, 1]]],
    [
      'a swapped pair',
      [
        [0, 0, 1],
        [0, 0, 0],
      ],
    ],
  ] as [string, [number, number, number][]][])('finds %s', (_, deliveries) => {
    expect(tallyOf(deliveries).orderFindings().violations).toBeGreaterThan(0);
  });

  it('finds readers that saw two publishers’ events in different orders', () => {
    const tally = tallyOf([
      [0, 0, 0],
      [0, 1, 0],
      [1, 1, 0],
      [1, 0, 0],
    ]);
    expect(tally.orderFindings()).toEqual({ violations: 0, orders: 2 });
  });
});
