import { describe, expect, it } from '@jest/globals';
import { OfferTimes } from './offer-times.js';

describe('OfferTimes', () => {
  it('knows by when a position had been offered, within a tenth of a second', () => {
    const times = new OfferTimes();
    times.note(3, 0);
    times.note(5, 50);
    times.note(8, 200);
    expect([2, 3, 5, 6, 8, 9].map((position) => times.of(position))).toEqual([
      undefined,
      undefined,
      50,
      200,
      200,
      undefined,
    ]);
  });

  it('forgets the oldest, and all of it where positions come again', () => {
    const times = new OfferTimes();
    for (let index = 1; index <= 5_000; index += 1) times.note(index, index * 1_000);
    expect([times.of(1), times.of(4_999)]).toEqual([undefined, 4_999_000]);
    times.clear();
    expect(times.of(4_999)).toBeUndefined();
  });

  it('takes no time anew for what was offered before', () => {
    const times = new OfferTimes();
    times.note(3, 0);
    for (let index = 1; index <= 2_000; index += 1) times.note(4, index * 1_000);
    expect([times.of(3), times.of(4)]).toEqual([0, 1_000]);
  });
});
