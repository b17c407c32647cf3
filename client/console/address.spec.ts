import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Address, formatAddress, isConsole, MAX_TOPICS, PANELS, parseAddress } from './address.js';

describe('the address of the console', () => {
  it('gives back what was put into it', () => {
    const text = fc.string({ minLength: 1, maxLength: 50, unit: 'binary' });
    const address: fc.Arbitrary<Address> = fc.record({
      topics: fc.array(fc.record({ kind: fc.constantFrom('exact' as const, 'pattern' as const), text }), {
        maxLength: 5,
      }),
      since: fc.oneof(fc.constant(''), text),
      filter: fc.oneof(fc.constant(''), text),
      panel: fc.constantFrom(...PANELS),
      second: fc.boolean(),
    });
    fc.assert(
      fc.property(address, (given) => {
        const hash = formatAddress(given);
        expect(isConsole(hash)).toBe(true);
        expect(parseAddress(hash)).toEqual(given);
      }),
    );
  });

  it('takes what makes no sense for nothing, and has an end', () => {
    const many = Array.from({ length: 200 }, (_, index) => `topic=${index}`).join('&');
    expect(parseAddress(`#/console?${many}`).topics).toHaveLength(MAX_TOPICS);
    expect(parseAddress(`#/console?panel=kitchen&topic=&topic=${'x'.repeat(5_000)}`)).toEqual({
      topics: [],
      since: '',
      filter: '',
      panel: 'publish',
      second: false,
    });
    expect(['', '#/', '#/consoles', '#console'].map(isConsole)).toEqual([false, false, false, false]);
  });
});
