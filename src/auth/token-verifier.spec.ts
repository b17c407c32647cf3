import { describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import { DETAIL_TYPE } from './token-grants.js';
import { TokenVerifier } from './token-verifier.js';

const PUBLISHER_KEY = 'p'.repeat(32);
const SUBSCRIBER_KEY = 's'.repeat(32);

const verifier = new TokenVerifier({
  publisherKey: PUBLISHER_KEY,
  subscriberKey: SUBSCRIBER_KEY,
  anonymous: false,
  hubUrl: new URL('https://hub.example/.well-known/mercure'),
});

interface TokenOptions {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, string>;
  readonly key?: string;
  readonly expires?: number | undefined;
}

async function bearer({ claims = {}, header = {}, key = PUBLISHER_KEY, expires = 60 }: TokenOptions): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header });
  if (expires !== 0) token.setExpirationTime(Math.floor(Date.now() / 1_000) + expires);
  return `Bearer ${await token.sign(new TextEncoder().encode(key))}`;
}

function details(...topics: object[]): Record<string, unknown> {
  return { authorization_details: [{ type: DETAIL_TYPE, actions: ['publish', 'dance'], topics }] };
}

describe('TokenVerifier', () => {
  it('R56: grants what some detail grants, and nothing without one', async () => {
    const grants = await verifier.grantsOf(await bearer({ claims: details({ match: 'urn:a' }) }), 'publisher');
    expect(grants?.canPublish(['urn:a'])).toBe(true);
    expect(grants?.canPublish(['urn:a', 'urn:b'])).toBe(false);
    expect(grants?.canRead(['urn:a'])).toBe(false);
    const none = await verifier.grantsOf(await bearer({}), 'publisher');
    expect(none?.canPublish(['urn:a'])).toBe(false);
  });

  it('R55: ignores details of other types, however they look', async () => {
    const claims = {
      authorization_details: [
        { type: 'other', actions: 7 },
        ...(details({ match: '*' })['authorization_details'] as object[]),
      ],
    };
    const grants = await verifier.grantsOf(await bearer({ claims }), 'publisher');
    expect(grants?.canPublish(['urn:a'])).toBe(true);
  });

  it.each<[string, TokenOptions]>([
    ['R52: another algorithm', { header: { alg: 'HS512' }, key: 'p'.repeat(64) }],
    ['R51: another type', { header: { typ: 'JWT' } }],
    ['R54: no expiry', { expires: 0 }],
    ['R54: an expiry that is past', { expires: -1 }],
    ["R53: the other role's key", { key: SUBSCRIBER_KEY }],
    ['R58: a matcher type that is not known', { claims: details({ match: 'a', match_type: 'regexp' }) }],
    ['R55: no topics', { claims: details() }],
    ['R57: more matchers than the limit', { claims: details(...Array.from({ length: 101 }, () => ({ match: 'a' }))) }],
  ])('refuses %s', async (_, options) => {
    await expect(verifier.grantsOf(await bearer(options), 'publisher')).rejects.toMatchObject({
      code: 'token-invalid',
    });
  });

  it('has nothing against nobody, and says that something else is no token', async () => {
    expect(await verifier.grantsOf(undefined, 'publisher')).toBeUndefined();
    for (const header of ['', 'Bearer', 'Basic eDp5', 'Bearer a.b', 'Bearer a.b.c d.e.f']) {
      await expect(verifier.grantsOf(header, 'publisher')).rejects.toMatchObject({ code: 'token-malformed' });
    }
  });

  it('remembers a good token for its own role, and only until it expires', async () => {
    const header = await bearer({ claims: details({ match: 'urn:a' }), expires: 2 });
    const first = await verifier.grantsOf(header, 'publisher');
    expect(await verifier.grantsOf(header, 'publisher')).toBe(first);
    await expect(verifier.grantsOf(header, 'subscriber')).rejects.toMatchObject({ code: 'token-invalid' });
    jest.useFakeTimers({ now: Date.now() + 3_000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      await expect(verifier.grantsOf(header, 'publisher')).rejects.toMatchObject({ code: 'token-invalid' });
    } finally {
      jest.useRealTimers();
    }
  });
});
