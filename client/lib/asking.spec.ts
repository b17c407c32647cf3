import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Asking, LINGER } from './asking.js';
import { HeraldError } from './errors.js';

const ERROR = new HeraldError('refused', 'why');

/** Asks a hub that refuses every stream with a bad matcher, until it has a stream with all that are good. */
function ask(
  asking: Asking,
  isBad: (matcher: string) => boolean,
): { carried: string[]; refused: string[]; asked: number } {
  const refused: string[] = [];
  let carried: string[] = [];
  for (let asked = 0; asked < 1_000; asked += 1) {
    const next = asking.next(0);
    if (next.every((one) => carried.includes(one))) return { carried, refused, asked };
    if (next.some(isBad)) {
      const verdict = asking.refused(next, false, ERROR);
      if (verdict.kind !== 'again') refused.push(verdict.matcher);
    } else {
      carried = next;
      asking.taken(new Set(next));
    }
  }
  throw new Error('it asks for ever');
}

const matchers = (count: number): string[] => Array.from({ length: count }, (_, index) => `match=${index}`);

describe('the search for a bad matcher', () => {
  it('finds exactly the bad ones, wherever they are, and keeps the good ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.uniqueArray(fc.nat(59), { maxLength: 6 }), (count, bad) => {
        const asking = new Asking();
        const all = matchers(count);
        const isBad = (matcher: string): boolean => bad.some((index) => all[index] === matcher);
        asking.want(all, 0);
        const { carried, refused } = ask(asking, isBad);
        expect(refused.toSorted()).toEqual(all.filter(isBad).toSorted());
        expect(carried.toSorted()).toEqual(all.filter((one) => !isBad(one)).toSorted());
      }),
    );
  });

  it('takes few requests for one among a thousand', () => {
    const asking = new Asking();
    asking.want(matchers(1_000), 0);
    expect(ask(asking, (one) => one === 'match=777').asked).toBeLessThan(15);
  });

  it('asks again for what was refused when it is wanted anew, or forgiven', () => {
    const asking = new Asking();
    asking.want(['match=a', 'match=b'], 0);
    ask(asking, (one) => one === 'match=b');
    expect(asking.next(0)).toEqual(['match=a']);
    asking.want(['match=a'], 0);
    asking.want(['match=a', 'match=b'], 0);
    expect(asking.next(0)).toEqual(['match=a', 'match=b']);
  });

  it('says that a stream is full when one more is too much', () => {
    const asking = new Asking();
    asking.want(['match=a'], 0);
    asking.taken(new Set(asking.next(0)));
    asking.want(['match=a', 'match=b'], 0);
    expect(asking.refused(asking.next(0), true, ERROR)).toEqual({ kind: 'full', matcher: 'match=b' });
    expect(asking.next(0)).toEqual(['match=a']);
  });
});

describe('what nobody wants any more', () => {
  it('is carried on for a while, so that it costs nothing to want it again', () => {
    const asking = new Asking();
    asking.want(['match=a', 'match=b'], 0);
    asking.taken(new Set(asking.next(0)));
    asking.want(['match=a'], 0);
    expect(asking.next(LINGER - 1)).toEqual(['match=a', 'match=b']);
    expect(asking.isMissing(new Set(['match=a', 'match=b']))).toBe(false);
    expect(asking.next(LINGER)).toEqual(['match=a']);
  });

  it('makes room for what somebody wants, before that is found to be too much', () => {
    const asking = new Asking();
    asking.want(['match=a', 'match=b'], 0);
    asking.taken(new Set(asking.next(0)));
    asking.want(['match=a', 'match=c'], 0);
    expect(asking.next(0)).toEqual(['match=a', 'match=b', 'match=c']);
    expect(asking.refused(asking.next(0), true, ERROR)).toEqual({ kind: 'again' });
    expect(asking.next(0)).toEqual(['match=a', 'match=c']);
    expect(asking.refused(asking.next(0), true, ERROR)).toEqual({ kind: 'full', matcher: 'match=c' });
  });
});
