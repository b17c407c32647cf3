import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { VirtualPace } from '../../../test/support/virtual-pace.js';
import { evenly } from './evenly.js';

const never = new AbortController().signal;

describe('evenly', () => {
  it('takes all in order, none before its time, and none later than the next step', async () => {
    const sizes = fc.integer({ min: 0, max: 60 });
    const windows = fc.integer({ min: 0, max: 10_000 });
    await fc.assert(
      fc.asyncProperty(sizes, windows, async (size, window) => {
        const pace = new VirtualPace();
        const taken: { item: number; at: number }[] = [];
        const items = Array.from({ length: size }, (_, index) => index);
        const over = evenly(items, { window, signal: never }, (item) => taken.push({ item, at: pace.now() }), pace);
        await pace.advance(window + 20);
        await over;
        expect(taken.map(({ item }) => item)).toEqual(items);
        for (const { item, at } of taken) {
          const due = (item / size) * window;
          expect(at).toBeGreaterThanOrEqual(due - 1e-6);
          expect(at).toBeLessThan(due + 20 + 1e-6);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes the first at once, so that a single one takes no time', async () => {
    const pace = new VirtualPace();
    const taken: string[] = [];
    await evenly(['only'], { window: 3_600_000, signal: never }, (item) => taken.push(item), pace);
    expect([taken, pace.now()]).toEqual([['only'], 0]);
  });

  it('takes no more once it is aborted, and is over at once', async () => {
    const pace = new VirtualPace();
    const aborting = new AbortController();
    const taken: number[] = [];
    const items = [0, 1, 2, 3];
    const over = evenly(items, { window: 4_000, signal: aborting.signal }, (item) => taken.push(item), pace);
    await pace.advance(1_500);
    aborting.abort();
    await over;
    await pace.advance(10_000);
    expect(taken).toEqual([0, 1]);
  });
});
