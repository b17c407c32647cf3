import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Caller } from '../sse/caller.js';
import { type Revocation, Revocations } from './revocations.js';

function revocations(...given: Revocation[]): Revocations {
  const all = new Revocations();
  for (const one of given) all.add(one);
  return all;
}

/** What a revocation means, said as simply as it can be. */
function covers(one: Revocation, by: Caller): boolean {
  if (one.tokenId !== undefined && one.tokenId !== by.tokenId) return false;
  if (one.subject !== undefined && one.subject !== by.subject) return false;
  return (by.issuedAt ?? 0) < (one.issuedBefore ?? Infinity);
}

describe('Revocations', () => {
  it('covers the tokens that have all that is named, and no others', () => {
    const byToken = revocations({ tokenId: 't' });
    expect(byToken.revokes({ tokenId: 't', subject: 'anybody', issuedAt: Date.now() })).toBe(true);
    expect(byToken.revokes({ tokenId: 'u', subject: 't' })).toBe(false);
    expect(byToken.revokes({})).toBe(false);
    const bySubject = revocations({ subject: 's', issuedBefore: 1_000 });
    expect(bySubject.revokes({ subject: 's', issuedAt: 999 })).toBe(true);
    expect(bySubject.revokes({ subject: 's' })).toBe(true);
    expect(bySubject.revokes({ subject: 's', issuedAt: 1_000 })).toBe(false);
    expect(bySubject.revokes({ tokenId: 's' })).toBe(false);
    const both = revocations({ tokenId: 't', subject: 's' });
    expect(both.revokes({ tokenId: 't', subject: 's' })).toBe(true);
    expect(both.revokes({ tokenId: 't' })).toBe(false);
    expect(revocations({ issuedBefore: 1_000 }).revokes({ issuedAt: 5 })).toBe(true);
  });

  it('never lets somebody in again because of a later revocation', () => {
    const name = fc.option(fc.constantFrom('a', 'b', '', '"', 'a","subject":"b'), { nil: undefined });
    const time = fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined });
    const revocation = fc.record({ tokenId: name, subject: name, issuedBefore: time });
    const caller = fc.record({ tokenId: name, subject: name, issuedAt: time });
    fc.assert(
      fc.property(fc.array(revocation, { maxLength: 8 }), fc.array(caller, { maxLength: 8 }), (given, callers) => {
        const clean = given.map(withoutUndefined) as Revocation[];
        const all = revocations(...clean);
        for (const by of callers.map(withoutUndefined) as Caller[]) {
          expect(all.revokes(by)).toBe(clean.some((one) => covers(one, by)));
        }
      }),
    );
  });

  it('is bounded, and has room for revoking everything even when it is full', () => {
    const all = new Revocations();
    for (let index = 0; index < 100_000; index += 1) all.add({ tokenId: String(index) });
    expect(() => all.add({ tokenId: 'one more' })).toThrow(expect.objectContaining({ code: 'revocations-too-many' }));
    expect(() => all.add({ tokenId: '7' })).not.toThrow();
    expect(() => all.add({ issuedBefore: 1_000 })).not.toThrow();
    expect(all.revokes({ issuedAt: 999 })).toBe(true);
    expect(all.revokes({ tokenId: '99999', issuedAt: 2_000 })).toBe(true);
  });
});

function withoutUndefined(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
