import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createBackoff } from '../lib/backoff.js';
import { Patience } from './patience.js';

describe('Patience', () => {
  it('is never shorter than what the client library waits', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 20 }), (floors) => {
        const patience = new Patience(() => 0);
        const backoff = createBackoff({}, () => 1);
        for (const floor of floors) expect(patience.failed(floor)).toBeGreaterThanOrEqual(backoff.next(floor));
      }),
    );
  });

  it('is short again after a message, or after a stream that has lasted', () => {
    let now = 0;
    const patience = new Patience(() => now);
    const wait = (): number => patience.failed(0) - now;
    expect([wait(), wait(), wait()]).toEqual([500, 1_000, 2_000]);
    patience.opened();
    expect(wait()).toBe(4_000);
    patience.opened();
    patience.read();
    expect(wait()).toBe(500);
    now = 1;
    patience.opened();
    now = 40_000;
    expect(wait()).toBe(500);
  });
});
