import { describe, expect, it } from '@jest/globals';
import { allAtOnce } from '../../shared/background.js';
import { LEGACY_TOKENS } from './legacy-tokens.js';

const { grantsInSteps, hasClaim, isOurs } = LEGACY_TOKENS;

const HUB = new URL('https://hub.example/.well-known/mercure');

function grantsOf(claims: Record<string, unknown>, hubUrl: URL) {
  return allAtOnce(grantsInSteps(claims, hubUrl));
}

function read(mercure: unknown, more: Record<string, unknown> = {}) {
  return grantsOf({ mercure, ...more }, HUB);
}

describe('hasClaim', () => {
  it('knows the claim by its two names, and takes a token with details for a current one', () => {
    expect(hasClaim({ mercure: {} })).toBe(true);
    expect(hasClaim({ 'https://mercure.rocks/': {} })).toBe(true);
    expect(hasClaim({ mercure: {}, authorization_details: [] })).toBe(false);
    expect(hasClaim({ sub: 's' })).toBe(false);
  });

  it('takes a token without it for one of the dialect, unless it is an access token or has details', () => {
    expect(isOurs({ sub: 's' }, undefined)).toBe(true);
    expect(isOurs({ sub: 's' }, 'JWT')).toBe(true);
    expect(isOurs({ sub: 's' }, 'at+jwt')).toBe(false);
    expect(isOurs({ mercure: {} }, 'at+jwt')).toBe(true);
    expect(isOurs({ authorization_details: [] }, undefined)).toBe(false);
  });
});

describe('grantsOf', () => {
  it('grants what the selectors match: everything, a topic as it stands, or a URI Template', () => {
    const grants = read({ publish: ['*'], subscribe: ['urn:a', 'https://example.com/books/{id}'] });
    expect(grants.canPublish(['anything', 'at all'])).toBe(true);
    expect(grants.canRead(['urn:a'])).toBe(true);
    expect(grants.canRead(['https://example.com/books/1'])).toBe(true);
    expect(grants.canRead(['https://example.com/books/{id}'])).toBe(true);
    expect(grants.canRead(['https://example.com/books/1/2', 'urn:b'])).toBe(false);
    expect(grants.isLegacy).toBe(true);
    expect(grants.isAdmin).toBeUndefined();
  });

  it('takes no selector for a URL Pattern', () => {
    const grants = read({ subscribe: ['https://example.com/:id'] });
    expect(grants.canRead(['https://example.com/1'])).toBe(false);
    expect(grants.canRead(['https://example.com/:id'])).toBe(true);
  });

  it('grants nothing where there are no selectors', () => {
    for (const claim of [{}, { publish: [], subscribe: [] }, { publish: null, subscribe: null }]) {
      expect(read(claim).canPublish(['a'])).toBe(false);
      expect(read(claim).canRead(['a'])).toBe(false);
    }
  });

  it('grants public updates only where there is no claim', () => {
    const grants = grantsOf({ sub: 'ann' }, HUB);
    expect([grants.canPublish(['a']), grants.canRead(['a']), grants.subject]).toEqual([false, false, 'ann']);
  });

  it('takes as many selectors as a subscription may have, and compiles their patterns in steps', () => {
    const subscribe = Array.from({ length: 1_000 }, (_, index) => `https://example.com/${index}/{id}`);
    const steps = grantsInSteps({ mercure: { subscribe } }, HUB);
    let count = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) count += 1;
    expect(count).toBe(1_000);
    expect([
      step.value.canRead(['https://example.com/999/x']),
      step.value.canRead(['https://example.com/x/1']),
    ]).toEqual([true, false]);
  });

  it('reads the namespaced claim where there is no other', () => {
    const namespaced = { 'https://mercure.rocks/': { publish: ['a'] } };
    expect(grantsOf(namespaced, HUB).canPublish(['a'])).toBe(true);
    expect(read({ publish: [] }, namespaced).canPublish(['a'])).toBe(false);
  });

  it('tells one payload for all, if it is one that can be told', () => {
    expect(read({ payload: { name: 'Ann' } }).payloadFor?.('any')).toEqual({ name: 'Ann' });
    expect(read({ payload: 'Ann' }).payloadFor?.('any')).toBeUndefined();
    expect(read({}).payloadFor?.('any')).toBeUndefined();
  });

  it('can not be taken for a reader with the same text in a token of the current protocol', () => {
    expect(read({ subscribe: ['/{id}'] }).readKey).not.toBe(read({ subscribe: ['/{ID}'] }).readKey);
  });

  it.each<[string, unknown]>([
    ['no object', 'publish'],
    ['selectors that are no list', { publish: '*' }],
    ['a selector that is no string', { subscribe: ['a', 1] }],
    ['more selectors than the limit', { subscribe: Array.from({ length: 1_001 }, String) }],
    ['a selector that is too long', { subscribe: ['x'.repeat(4_097)] }],
    ['a selector with a line end', { publish: ['a\nb'] }],
    ['a template that costs too much', { publish: ['{a}'.repeat(21)] }],
    [
      'templates that cost too much together',
      { subscribe: Array.from({ length: 101 }, (_, index) => `/${index}/${'{a}'.repeat(20)}`) },
    ],
  ])('refuses a claim that is %s', (_, claim) => {
    expect(() => read(claim)).toThrow(expect.objectContaining({ code: 'token-invalid' }));
  });
});
