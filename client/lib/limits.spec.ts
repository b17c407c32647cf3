import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Limits, Load } from './limits.js';

const matcher = fc
  .tuple(fc.constantFrom('match', 'match_urlpattern'), fc.constantFrom('a', 'bb', 'ccc', 'ä'))
  .map(([kind, text]) => `${kind}=${encodeURIComponent(text)}`);
const matchers = fc.array(matcher, { maxLength: 8 });
const room = fc.record({ count: fc.nat(4), bytes: fc.nat(8) });

/** What a stream may carry, counted anew. */
function isWithin(all: readonly string[], kind: string, most: { count: number; bytes: number }): boolean {
  const own = [...new Set(all)].filter((one) => one.startsWith(`${kind}=`));
  const bytes = own.map((one) => new TextEncoder().encode(decodeURIComponent(one.slice(kind.length + 1))).length);
  return own.length <= most.count && bytes.reduce((sum, one) => sum + one, 0) <= most.bytes;
}

describe('what one stream can carry', () => {
  it('is anything until the hub has refused something, if the query has room', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => `match=${index}`);
    const ways = { canQuery: true };
    const limits = new Limits(ways);
    expect(limits.take(many)).toBe(true);
    ways.canQuery = false;
    expect(limits.take(many)).toBe(false);
    expect(limits.take(many.slice(0, 100))).toBe(true);
  });

  it('is the sum of what it carries and of what comes to that, by kind, each matcher once', () => {
    fc.assert(
      fc.property(matchers, matchers, room, (carried, more, most) => {
        const limits = new Limits({ canQuery: true });
        limits.learn(
          Array.from({ length: 9 }, (_, index) => `match=${index}`),
          most,
        );
        const all = [...carried, ...more];
        expect(limits.hold(new Load(carried), more)).toBe(isWithin(all, 'match', most));
        expect(limits.take(all)).toBe(isWithin(all, 'match', most));
      }),
    );
  });

  it('is learnt of patterns where there are not too many topics', () => {
    const limits = new Limits({ canQuery: true });
    limits.learn(['match=a', 'match_urlpattern=a', 'match_urlpattern=b'], { count: 1, bytes: 100 });
    expect(limits.take(['match=a', 'match=b'])).toBe(true);
    expect(limits.take(['match_urlpattern=a', 'match_urlpattern=b'])).toBe(false);
  });
});
