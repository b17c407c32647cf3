import { describe, expect, it } from '@jest/globals';
import { dialectOf } from './dialect.js';

const PATH = '/.well-known/mercure';

describe('dialectOf', () => {
  it.each<[string, string | undefined]>([
    ['?topic=a', 'legacy'],
    ['?lastEventID=x&topic=a', 'legacy'],
    ['?t%6Fpic=a', 'legacy'],
    ['?match=a', 'current'],
    ['?match_urlpattern=a', 'current'],
    // R12: whatever starts like that is the current dialect's, so that it's refused there.
    ['?Match=a', 'current'],
    ['?matchfoo=a', 'current'],
    ['?topic=a&match=a', 'current'],
    ['', undefined],
    ['?', undefined],
    ['?last_event_id=earliest', undefined],
    ['?Topic=a', undefined],
    ['?x=topic', undefined],
  ])('reads "%s" as %s', (query, expected) => {
    expect(dialectOf({ url: PATH + query }, { legacy: true })).toBe(expected);
    expect(dialectOf({ url: PATH + query }, { legacy: false })).toBe('current');
  });

  it('reads a query that has a question mark in it', () => {
    expect(dialectOf({ url: `${PATH}?a=?&topic=b` }, { legacy: true })).toBe('legacy');
  });

  it('refuses more parameters than a subscription may have', () => {
    expect(() => dialectOf({ url: `${PATH}?${'a&'.repeat(1_001)}` }, { legacy: true })).toThrow(
      expect.objectContaining({ code: 'parameters-too-many' }),
    );
  });
});
