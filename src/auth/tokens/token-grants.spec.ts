import { describe, expect, it } from '@jest/globals';
import { DETAIL_TYPE, grantsOf } from './token-grants.js';

const HUB = new URL('https://hub.example/.well-known/mercure');

interface Given {
  readonly type?: string;
  readonly actions?: unknown;
  readonly topics?: unknown;
  readonly payload?: unknown;
}

function read(...details: Given[]) {
  const usual = { type: DETAIL_TYPE, actions: ['subscribe'], topics: [{ match: '*' }] };
  return grantsOf({ authorization_details: details.map((one) => Object.assign({}, usual, one)) }, HUB);
}

/** A detail with `count` matchers. */
function detail(count: number): Given {
  return { topics: Array.from({ length: count }, (_, at) => ({ match: `${at}` })) };
}

/** Claims with `count` details of another type. */
function others(count: number) {
  return { authorization_details: Array.from({ length: count }, () => ({ type: 'other' })) };
}

describe('grantsOf', () => {
  it('says who the caller is, in milliseconds', () => {
    expect(grantsOf({ sub: 's', iss: 'i', jti: 'j', iat: 1, exp: 2 }, HUB)).toMatchObject({
      subject: 's',
      issuer: 'i',
      tokenId: 'j',
      issuedAt: 1_000,
      expiresAt: 2_000,
    });
    expect(grantsOf({ sub: 1, jti: null, iat: 'x' }, HUB)).not.toHaveProperty('subject');
  });

  it('R56: grants nothing without a detail of ours', () => {
    const grants = grantsOf({}, HUB);
    expect(grants.canPublish(['a'])).toBe(false);
    expect(grants.canRead(['a'])).toBe(false);
    expect(grants.isAdmin).toBe(false);
    expect(grants.payloadFor?.('a')).toBeUndefined();
    expect(read({ type: `${DETAIL_TYPE}/` }).canRead(['a'])).toBe(false);
  });

  it('R60, R61: wants every topic granted for publishing, and one for reading', () => {
    const topics = [{ match: 'a' }, { match: '/:id', match_type: 'urlpattern' }];
    const grants = read({ actions: ['publish', 'subscribe'], topics });
    expect(grants.canPublish(['a', 'https://hub.example/1'])).toBe(true);
    expect(grants.canPublish(['a', '/1/2'])).toBe(false);
    expect(grants.canRead(['b', '/1/2', 'https://hub.example/1'])).toBe(true);
    expect(grants.canRead(['/1/2'])).toBe(false);
  });

  it('R55: lets an action that it does not know grant nothing, and harm nothing', () => {
    const grants = read({ actions: ['dance', 'publish'] });
    expect(grants.canPublish(['a'])).toBe(true);
    expect(grants.canRead(['a'])).toBe(false);
  });

  it('makes nobody an administrator but by that action', () => {
    expect(read({ actions: ['admin'] }).isAdmin).toBe(true);
    expect(read({ actions: ['publish', 'subscribe', 'Admin'] }).isAdmin).toBe(false);
  });

  it("R63: tells the payload of the first detail that matches the matcher's own text", () => {
    const grants = read(
      { actions: ['publish'], payload: { from: 'another action' } },
      { topics: [{ match: 'urn:a' }], payload: { from: 'exact' } },
      { topics: [{ match: 'https://example.com/:id', match_type: 'urlpattern' }], payload: { from: 'pattern' } },
      { topics: [{ match: 'urn:none' }] },
      { topics: [{ match: '*' }], payload: { from: 'everything' } },
    );
    expect(grants.payloadFor?.('urn:a')).toEqual({ from: 'exact' });
    expect(grants.payloadFor?.('https://example.com/1')).toEqual({ from: 'pattern' });
    // The text of the pattern is itself a URL with a colon in its path, which the pattern matches.
    expect(grants.payloadFor?.('https://example.com/:id')).toEqual({ from: 'pattern' });
    expect(grants.payloadFor?.('urn:none')).toBeUndefined();
    expect(grants.payloadFor?.('urn:b')).toEqual({ from: 'everything' });
    expect(grants.payloadFor?.('*')).toEqual({ from: 'everything' });
  });

  it('gives the same key to all who may read the same, and another to everybody else', () => {
    const a = { topics: [{ match: 'a' }, { match: 'b' }] };
    const b = { topics: [{ match: 'b' }, { match: 'a' }, { match: 'a' }] };
    expect(read(a).readKey).toBe(read(b).readKey);
    expect(read(a).readKey).toBe(read(a, { actions: ['publish'] }).readKey);
    expect(read(a).readKey).not.toBe(read({ topics: [{ match: 'a' }] }).readKey);
    expect(read({ topics: [{ match: 'a', match_type: 'urlpattern' }] }).readKey).not.toBe(
      read({ topics: [{ match: 'a' }] }).readKey,
    );
  });

  it.each<[string, Given]>([
    ['R55: no actions', { actions: [] }],
    ['R55: an action that is no string', { actions: ['publish', 7] }],
    ['R55: actions that are no list', { actions: 'publish' }],
    ['R55: no topics', { topics: [] }],
    ['R55: a payload that is a list', { payload: [1] }],
    ['R55: a payload that is a text', { payload: 'x' }],
    ['R58: a matcher that is no object', { topics: ['a'] }],
    ['R58: a matcher without a match', { topics: [{ match_type: 'exact' }] }],
    ['R58: a type in another case', { topics: [{ match: 'a', match_type: 'Exact' }] }],
    ['R58: the type of the older dialect', { topics: [{ match: 'a', match_type: 'uritemplate' }] }],
    ['R57: a pattern that is malformed', { topics: [{ match: 'https://e/{', match_type: 'urlpattern' }] }],
    ['R57: a pattern that is too long', { topics: [{ match: 'x'.repeat(4_097) }] }],
    ['R1: a control character', { topics: [{ match: 'a\nb' }] }],
  ])('rejects the whole token for %s', (_, broken) => {
    expect(() => read({}, broken)).toThrow(expect.objectContaining({ code: 'token-invalid' }));
  });

  it('R57: counts details and matchers, also those that are spread over details', () => {
    expect(read(detail(60), detail(40)).canRead(['59'])).toBe(true);
    expect(() => read(detail(60), detail(41))).toThrow(expect.objectContaining({ code: 'token-invalid' }));
    expect(grantsOf(others(100), HUB).canRead(['a'])).toBe(false);
    expect(() => grantsOf(others(101), HUB)).toThrow(expect.objectContaining({ code: 'token-invalid' }));
    expect(() => grantsOf({ authorization_details: {} }, HUB)).toThrow(
      expect.objectContaining({ code: 'token-invalid' }),
    );
  });
});
