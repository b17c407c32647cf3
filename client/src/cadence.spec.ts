import { beforeEach, describe, expect, it } from '@jest/globals';
import { Cadence } from './cadence.js';

describe('Cadence', () => {
  let cadence: Cadence;

  beforeEach(() => {
    cadence = new Cadence();
    cadence.opened(0);
  });

  /** The first event comes at once, somewhere within the interval. */
  function learn(...timestamps: number[]): void {
    for (const timestamp of timestamps) cadence.add(timestamp);
  }

  it('learns the interval from the ticks, not from the first event', () => {
    learn(1_300, 2_000);
    expect(cadence.interval).toBeUndefined();

    learn(4_000);
    expect(cadence.interval).toBe(2_000);
  });

  it('is not led astray by a late tick', () => {
    learn(1_300, 2_000, 4_000, 9_000, 10_000, 12_000, 14_000);

    expect(cadence.interval).toBe(2_000);
  });

  it('says how long the connection was away and what was missed', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(9_500);

    expect(cadence.add(16_900)).toStrictEqual({ away: 9_500, missed: 5 });
    expect(cadence.add(18_000)).toBeUndefined();
  });

  it('claims nothing when nothing was missed', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(1_200);

    expect(cadence.add(7_500)).toBeUndefined();
  });

  it('claims nothing for a tick that may have been the one that arrived', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(1_800);

    expect(cadence.add(8_001)).toBeUndefined();
  });

  it('knows the rhythm from before a connection that was too short to learn it', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(3_500);
    learn(9_900);
    cadence.opened(5_000);

    expect(cadence.add(15_900)).toStrictEqual({ away: 5_000, missed: 2 });
  });

  it('learns anew on each connection: the server may have changed its interval', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(3_500);
    learn(9_900);
    expect(cadence.interval).toBeUndefined();

    learn(60_000, 120_000);
    expect(cadence.interval).toBe(60_000);
  });

  it('counts nothing as long as it does not know the interval', () => {
    learn(1_300);
    cadence.opened(4_000);

    expect(cadence.add(5_500)).toStrictEqual({ away: 4_000, missed: undefined });
  });

  it('claims nothing when the first connection took long', () => {
    cadence.opened(60_000);

    expect(cadence.add(1_300)).toBeUndefined();
  });

  it('believes the timestamps when the computer slept through the loss', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(500);

    expect(cadence.add(3_606_000)).toStrictEqual({ away: 3_598_000, missed: 1_799 });
  });

  it('claims nothing when the clock of the server was set back', () => {
    learn(1_300, 2_000, 4_000, 6_000);
    cadence.opened(5_000);

    expect(cadence.add(3_000)).toBeUndefined();
  });
});
