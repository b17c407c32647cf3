import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROW_HEIGHT, windowOf } from './window.js';

it('draws every row in sight, and few others, wherever one has scrolled to', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 0, max: 2_000 }),
      (count, scrollTop, height) => {
        const { first, end } = windowOf(count, scrollTop, height);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThanOrEqual(height / ROW_HEIGHT + 18);
        for (let y = scrollTop; y < scrollTop + height; y += ROW_HEIGHT) {
          const row = Math.floor(y / ROW_HEIGHT);
          if (row < count) expect(first <= row && row < end).toBe(true);
        }
      },
    ),
  );
});
