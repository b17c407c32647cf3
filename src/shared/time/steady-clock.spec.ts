import { beforeEach, describe, expect, it } from '@jest/globals';
import { SteadyClock } from './steady-clock.js';

const DAY = 86_400_000;

describe('the steady clock', () => {
  let elapsed: number;
  let wall: number;
  let clock: SteadyClock;

  beforeEach(() => {
    [elapsed, wall] = [500, 10 * DAY];
    clock = new SteadyClock(() => elapsed);
    clock.follow(wall);
  });

  /** Both clocks go on, and the one that is followed may leap. */
  function after(milliseconds: number, leap = 0): number {
    elapsed += milliseconds;
    wall += milliseconds + leap;
    return clock.follow(wall);
  }

  it('begins with what the clock that it follows says', () => {
    const other = new SteadyClock(() => elapsed);
    other.raise(5);
    expect(other.time).toBeUndefined();
    expect([other.follow(wall), other.time]).toEqual([wall, wall]);
  });

  it('goes on with the monotonic clock, also where nobody reads the other one', () => {
    expect(after(1_000)).toBe(10 * DAY + 1_000);
    elapsed += 500;
    expect(clock.time).toBe(10 * DAY + 1_500);
  });

  it('takes small corrections forward over at once, and does not go back by one', () => {
    expect(after(1_000, 900)).toBe(10 * DAY + 1_900);
    expect(after(100, -900)).toBe(10 * DAY + 1_999);
  });

  it('does not know of a leap forward that is taken back, however often it is looked at', () => {
    after(0, 25 * 3_600_000);
    for (let second = 1; second < 60; second += 1) expect(after(1_000)).toBe(10 * DAY + second * 1_000);
    expect(after(1_000, -25 * 3_600_000)).toBe(10 * DAY + 60_000);
    // The next one is another one.
    after(0, 25 * 3_600_000);
    expect(after(59_999)).toBe(10 * DAY + 119_999);
  });

  it('follows a leap forward that has held for a minute', () => {
    after(0, DAY);
    expect(after(59_999)).toBe(10 * DAY + 59_999);
    expect(after(1)).toBe(11 * DAY + 60_000);
  });

  it('begins to wait anew where the leap changes', () => {
    after(0, DAY);
    after(59_000, DAY);
    expect(after(1_000)).toBe(10 * DAY + 60_000);
    expect(after(59_000)).toBe(12 * DAY + 119_000);
  });

  it('goes on where the other clock is set back for good, a little slower until both agree', () => {
    expect(after(1_000, -5_000)).toBe(10 * DAY + 990);
    expect(after(100_000)).toBe(10 * DAY + 99_990);
    expect(after(1_000_000)).toBe(wall);
  });

  it('goes on from what others tell, and never back to it', () => {
    clock.raise(11 * DAY);
    expect(after(1_000)).toBe(11 * DAY + 990);
    clock.raise(5 * DAY);
    expect(after(1_000)).toBe(11 * DAY + 1_980);
  });
});
