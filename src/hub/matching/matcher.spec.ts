import { describe, expect, it } from '@jest/globals';
import { HubError } from '../../access/hub.errors.js';
import { matcherKey, parseMatcher } from './matcher.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

function codeOf(type: string, pattern: string): string {
  try {
    parseMatcher(type, pattern, HUB);
  } catch (error) {
    if (error instanceof HubError) return error.code;
  }
  return 'accepted';
}

describe('parseMatcher', () => {
  it('gives the matcher back as it was written', () => {
    expect(parseMatcher('exact', 'https://example.com/É', HUB)).toEqual({
      type: 'exact',
      pattern: 'https://example.com/É',
    });
    expect(parseMatcher('urlpattern', '/books/:id', HUB)).toEqual({ type: 'urlpattern', pattern: '/books/:id' });
  });

  it.each([
    ['R22', 'matcher-unknown', 'regexp', 'a'],
    ['R22', 'matcher-unknown', 'Exact', 'a'],
    ['R13', 'matcher-invalid', 'exact', 'a\nb'],
    ['R13', 'matcher-invalid', 'exact', 'a\u202eb'],
    ['R13', 'matcher-invalid', 'exact', '\ud800'],
    ['R13', 'matcher-invalid', 'urlpattern', 'https://example.com/{'],
    ['R15', 'matcher-too-long', 'exact', 'é'.repeat(2049)],
    ['R15', 'matcher-too-long', 'urlpattern', `/${'a'.repeat(4096)}`],
    ['R23', 'accepted', 'urlpattern', '*'],
    ['R23', 'accepted', 'exact', '*'],
    ['R24', 'accepted', 'exact', 'https://example.com/{'],
    ['R24', 'accepted', 'exact', ''],
    ['R15', 'accepted', 'exact', 'é'.repeat(2048)],
  ])('%s: %s for a matcher of type %s', (_, code, type, pattern) => {
    expect(codeOf(type, pattern)).toBe(code);
  });
});

describe('matcherKey', () => {
  it('tells matchers apart by type and pattern', () => {
    const keys = [
      matcherKey({ type: 'exact', pattern: 'a' }),
      matcherKey({ type: 'urlpattern', pattern: 'a' }),
      matcherKey({ type: 'exact', pattern: 'urlpattern:a' }),
    ];
    expect(new Set(keys).size).toBe(3);
    expect(matcherKey({ type: 'exact', pattern: 'a' })).toBe(keys[0]);
  });
});
