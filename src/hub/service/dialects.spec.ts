import { describe, expect, it } from '@jest/globals';
import { LEGACY_DIALECT } from '../legacy/legacy-dialect.js';
import { CURRENT_DIALECT } from '../protocol/current-dialect.js';
import type { Dialect } from '../protocol/dialect.js';
import { dialectOf } from './dialects.js';

const PATH = '/.well-known/mercure';

describe('dialectOf', () => {
  it.each<[string, Dialect | undefined]>([
    ['?topic=a', LEGACY_DIALECT],
    ['?lastEventID=x&topic=a', LEGACY_DIALECT],
    ['?t%6Fpic=a', LEGACY_DIALECT],
    ['?match=a', CURRENT_DIALECT],
    ['?match_urlpattern=a', CURRENT_DIALECT],
    // R12: any parameter that starts with "match" is the current dialect's, which refuses those that it does not know.
    ['?Match=a', CURRENT_DIALECT],
    ['?matchfoo=a', CURRENT_DIALECT],
    ['?topic=a&match=a', CURRENT_DIALECT],
    ['', undefined],
    ['?', undefined],
    ['?last_event_id=earliest', undefined],
    ['?Topic=a', undefined],
    ['?x=topic', undefined],
  ])('reads "%s"', (query, expected) => {
    expect(dialectOf({ url: PATH + query }, { legacy: true })).toBe(expected);
    expect(dialectOf({ url: PATH + query }, { legacy: false })).toBe(CURRENT_DIALECT);
  });

  it('reads a query that has a question mark in it', () => {
    expect(dialectOf({ url: `${PATH}?a=?&topic=b` }, { legacy: true })).toBe(LEGACY_DIALECT);
  });

  it('refuses more parameters than a subscription may have', () => {
    expect(() => dialectOf({ url: `${PATH}?${'a&'.repeat(1_201)}` }, { legacy: true })).toThrow(
      expect.objectContaining({ code: 'parameters-too-many' }),
    );
  });
});
