import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ROW_HEIGHT, TALL_ROW_HEIGHT, windowOf } from './window.js';

it('draws every row in sight, and few others, wherever one has scrolled to', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 0, max: 2_000 }),
      fc.constantFrom(ROW_HEIGHT, TALL_ROW_HEIGHT),
      (count, scrollTop, height, rowHeight) => {
        const { first, end } = windowOf(count, scrollTop, height, rowHeight);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
        expect(end - first).toBeLessThanOrEqual(height / rowHeight + 18);
        for (let y = scrollTop; y < scrollTop + height; y += rowHeight) {
          const row = Math.floor(y / rowHeight);
          if (row < count) expect(first <= row && row < end).toBe(true);
        }
      },
    ),
  );
});
