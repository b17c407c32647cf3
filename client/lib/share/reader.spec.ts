import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { digestOf, fnv1a } from './digest.js';
import { type Reader, readerOf } from './reader.js';

const ANN = { sub: 'ann', iss: 'herald', aud: 'https://hub.example', authorization_details: [{ topics: ['urn:a'] }] };

function jwt(claims: object): string {
  return `e30.${btoa(JSON.stringify(claims)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.x`;
}

async function groupOf(claims: object, subject?: string): Promise<string | undefined> {
  return (await readerOf(jwt(claims), { ...(subject !== undefined && { subject }) }))?.group;
}

describe('the group that shares a connection', () => {
  it('is the same for two tokens that differ in their time alone', async () => {
    const first = { ...ANN, exp: 1, iat: 1, nbf: 1, jti: 'one' };
    const second = { jti: 'two', nbf: 2, iat: 2, exp: 2, ...ANN };
    expect(await groupOf(first)).toBe(await groupOf(second));
  });

  it.each([
    ['person', { sub: 'bob' }],
    ['issuer', { iss: 'another' }],
    ['audience', { aud: 'https://other.example' }],
    ['detail', { authorization_details: [{ topics: ['urn:b'] }] }],
    ['claim of Mercure 0.x', { mercure: { subscribe: ['*'] } }],
    ['scope', { scope: 'more' }],
    ['claim that only an application knows', { roles: ['admin'] }],
  ])('is another with another %s', async (_what, claims) => {
    expect(await groupOf({ ...ANN, ...claims })).not.toBe(await groupOf(ANN));
    expect(await groupOf({ ...ANN, ...claims }, 'the same')).not.toBe(await groupOf(ANN, 'the same'));
  });

  it('has the same subject whatever may be read', async () => {
    const subjectOf = async (claims: object): Promise<string | undefined> => (await readerOf(jwt(claims), {}))?.subject;
    expect(await subjectOf({ ...ANN, scope: 'more' })).toBe(await subjectOf(ANN));
    expect(await subjectOf({ ...ANN, iss: 'another' })).not.toBe(await subjectOf(ANN));
  });

  it.each<[string, string | undefined, { subject?: string; cookies?: boolean }, boolean]>([
    ['a token that is no JWT', 'opaque', {}, false],
    ['one, and a subject', 'opaque', { subject: 'ann' }, true],
    ['a JWT that names nobody', jwt({ iss: 'herald' }), {}, false],
    ['a payload that is no object', `e30.${btoa('null')}.x`, {}, false],
    ['cookies', undefined, { cookies: true }, false],
    ['cookies, and a subject', undefined, { cookies: true, subject: 'ann' }, true],
    ['neither token nor cookies', undefined, {}, true],
    ['an empty token', '', {}, true],
    ['an empty subject', undefined, { cookies: true, subject: '' }, true],
  ])('with %s', async (_what, token, options, isKnown) => {
    expect((await readerOf(token, options)) !== undefined).toBe(isKnown);
  });

  it('does not repeat what the token says', async () => {
    const { subject, group } = (await readerOf(jwt(ANN), {})) as Reader;
    expect(subject).toMatch(/^[0-9a-f]{32}$/);
    expect(group).toMatch(/^[0-9a-f]{32}\.[0-9a-f]{32}$/);
    expect(group.startsWith(`${subject}.`)).toBe(true);
  });
});

describe('a digest', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('is one of SHA-256', async () => {
    expect(await digestOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223');
  });

  it('is one of FNV-1a where the platform has no other', async () => {
    jest.spyOn(crypto, 'subtle', 'get').mockReturnValue(undefined as unknown as SubtleCrypto);
    expect(await digestOf('foobar')).toBe('343e1662793c64bf6f0d3597ba446f18');
  });

  it.each([
    ['', '6c62272e07bb014262b821756295c58d'],
    ['a', 'd228cb696f1a8caf78912b704e4a8964'],
  ])('of FNV-1a is as published: "%s"', (text, digest) => {
    expect(fnv1a(new TextEncoder().encode(text))).toBe(digest);
  });
});
