import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Repeats } from './repeats.js';

/** Few different ones, so that many messages have the same id. */
const ids = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 });

describe('what comes again on the stream that takes over', () => {
  it('is left out once, and what follows it is not', () => {
    fc.assert(
      fc.property(ids, ids, (known, news) => {
        const repeats = new Repeats(known);
        expect([...known, ...news].filter((id) => !repeats.has(id))).toEqual(news);
      }),
    );
  });
});
