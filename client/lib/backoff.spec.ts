import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBackoff } from './backoff.js';

describe('the time to wait before the next attempt', () => {
  it('is a random part of a time that doubles, up to the longest', () => {
    const backoff = createBackoff({ min: 100, max: 500 }, () => 1);
    expect(Array.from({ length: 5 }, () => backoff.next())).toEqual([100, 200, 400, 500, 500]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('comes on top of what the hub asks for, which is clamped to an hour', () => {
    const backoff = createBackoff({ min: 100 }, () => 0.5);
    backoff.setFloor(3_000);
    expect(backoff.next()).toBe(3_050);
    expect(backoff.next(5_000)).toBe(5_100);
    backoff.setFloor(999_999_999_999);
    expect(backoff.next()).toBe(3_600_200);
  });

  it('is never less than the floor, and spread over all that it may be', () => {
    const wait = fc.record({
      floor: fc.nat(10_000),
      failures: fc.nat(40),
      random: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(wait, ({ floor, failures, random }) => {
        const backoff = createBackoff({}, () => random);
        backoff.setFloor(floor);
        for (let count = 0; count < failures; count += 1) backoff.next();
        const longest = Math.min(20_000, 500 * 2 ** failures);
        expect(backoff.next()).toBe(floor + random * longest);
      }),
    );
  });
});
