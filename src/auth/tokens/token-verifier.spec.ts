import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import { SignJWT } from 'jose';
import type { Role } from '../../shared/role.js';
import { parseKey } from '../../config/keys/keys.js';
import type { Grants } from '../../access/grants.js';
import type { AuthOptions } from '../settings/auth.options.js';
import { DETAIL_TYPE } from './token-grants.js';
import { bytesInUse } from '../../../test/support/memory.js';
import { REMEMBERED, TokenVerifier } from './token-verifier.js';
import { TrustedIssuers } from './trusted-issuers.js';

const PUBLISHER_KEY = 'p'.repeat(32);
const SUBSCRIBER_KEY = 's'.repeat(32);

const RESOURCE = 'https://hub.example/.well-known/mercure';

const OPTIONS: AuthOptions = {
  authorizeUrl: undefined,
  maxTokenAge: 90 * 86_400_000,
  issuers: [
    { issuer: 'us', keys: { publisher: parseKey(PUBLISHER_KEY), subscriber: parseKey(SUBSCRIBER_KEY) } },
    { issuer: 'them', keys: { publisher: parseKey('t'.repeat(32)) } },
  ],
  resource: RESOURCE,
  anonymous: false,
  legacy: false,
  cookieName: 'token',
  publishOrigins: [],
  subscriptions: false,
  hubUrl: new URL(RESOURCE),
};

const PURPOSE = { role: 'publisher', resource: RESOURCE, others: undefined } as const;

const verifier = new TokenVerifier(OPTIONS, new TrustedIssuers(OPTIONS));

async function verify(token: string, role: Role = 'publisher'): Promise<Grants> {
  return verifier.verify(token, { ...PURPOSE, role });
}

interface TokenOptions {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, string>;
  readonly key?: string;
  readonly expires?: number | undefined;
}

async function sign({ claims = {}, header = {}, key = PUBLISHER_KEY, expires = 60 }: TokenOptions): Promise<string> {
  const token = new SignJWT({ iss: 'us', aud: RESOURCE, ...claims });
  token.setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header });
  if (expires !== 0) token.setExpirationTime(Math.floor(Date.now() / 1_000) + expires);
  return token.sign(new TextEncoder().encode(key));
}

/** JSON as a part of a token. */
function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function details(...topics: object[]): Record<string, unknown> {
  return { authorization_details: [{ type: DETAIL_TYPE, actions: ['publish', 'dance'], topics }] };
}

describe('TokenVerifier', () => {
  it('ends no later than a token of its age may', async () => {
    const day = 86_400;
    const now = Math.floor(Date.now() / 1_000);
    const most = 90 * day;
    jest.useFakeTimers({ now: now * 1_000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'performance'] });
    const endOf = async (iat: number | undefined, expires: number) =>
      (await verify(await sign({ claims: iat === undefined ? {} : { iat }, expires }))).expiresAt;
    expect(await endOf(now - day, 60)).toBe((now + 60) * 1_000);
    expect(await endOf(now - day, 365 * day)).toBe((now - day + most) * 1_000);
    expect(await endOf(undefined, 89 * day)).toBe((now + 89 * day) * 1_000);
    await expect(endOf(now - most - 1, 60)).rejects.toMatchObject({ code: 'token-invalid' });
    await expect(endOf(undefined, 91 * day)).rejects.toMatchObject({ code: 'token-invalid' });
    jest.useRealTimers();
  });

  it('R56: grants what some detail grants, and nothing without one', async () => {
    const grants = await verify(await sign({ claims: details({ match: 'urn:a' }) }));
    expect(grants.canPublish(['urn:a'])).toBe(true);
    expect(grants.canPublish(['urn:a', 'urn:b'])).toBe(false);
    expect(grants.canRead(['urn:a'])).toBe(false);
    const none = await verify(await sign({}));
    expect(none.canPublish(['urn:a'])).toBe(false);
  });

  it('R55: ignores details of other types, however they look', async () => {
    const claims = {
      authorization_details: [
        { type: 'other', actions: 7 },
        ...(details({ match: '*' })['authorization_details'] as object[]),
      ],
    };
    expect((await verify(await sign({ claims }))).canPublish(['urn:a'])).toBe(true);
  });

  it('R54: takes an audience that is a list, if this hub is on it', async () => {
    await expect(verify(await sign({ claims: { aud: ['https://other.example/', RESOURCE] } }))).resolves.toBeDefined();
  });

  it.each<[string, TokenOptions, RegExp]>([
    ['R52: another algorithm', { header: { alg: 'HS512' }, key: 'p'.repeat(64) }, /algorithm/],
    ['R51: another type', { header: { typ: 'JWT' } }, /type must be at\+jwt/],
    ['R54: no expiry', { expires: 0 }, /must have an expiry/],
    ['R54: an expiry that is past', { expires: -1 }, /has expired/],
    ['R54: a beginning that is to come', { claims: { nbf: Date.now() / 1_000 + 60 } }, /not valid yet/],
    ['R54: another audience', { claims: { aud: 'https://other.example/' } }, /audience/],
    ['R54: no audience', { claims: { aud: undefined } }, /audience/],
    ['R54: an issuer that is not trusted', { claims: { iss: 'us ' } }, /issuer/],
    ['R54: no issuer', { claims: { iss: undefined } }, /issuer/],
    ["R53: another issuer's key", { claims: { iss: 'them' } }, /signature/],
    ["R53: the other role's key", { key: SUBSCRIBER_KEY }, /signature/],
    ['R58: a matcher type that is not known', { claims: details({ match: 'a', match_type: 'regexp' }) }, /details/],
    ['R55: no topics', { claims: details() }, /details/],
    [
      'R57: more matchers than the limit',
      { claims: details(...Array.from({ length: 101 }, () => ({ match: 'a' }))) },
      /details/,
    ],
  ])('refuses %s, and says so', async (_, options, reason) => {
    await expect(verify(await sign(options))).rejects.toMatchObject({
      code: 'token-invalid',
      message: expect.stringMatching(reason),
    });
  });

  it('R52: does not take a public key for a secret', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const options = { ...OPTIONS, issuers: [{ issuer: 'us', keys: { publisher: parseKey(pem) } }] };
    const asymmetric = new TokenVerifier(options, new TrustedIssuers(options));
    const forged = await sign({ key: pem });
    await expect(asymmetric.verify(forged, PURPOSE)).rejects.toMatchObject({ code: 'token-invalid' });
  });

  it('R47: takes whatever can not be read for an invalid token, and never fails otherwise', async () => {
    const [header = '', payload = '', signature = ''] = (await sign({})).split('.');
    const headers = [
      'AAAA',
      part(null),
      part([]),
      part('x'),
      part({}),
      part({ alg: 7 }),
      part({ alg: 'HS256', crit: ['x'] }),
    ];
    const tokens = [
      ...headers.map((other) => `${other}.${payload}.${signature}`),
      `${header}.AAAA.${signature}`,
      `${header}.${part([])}.${signature}`,
      `${header}.${payload}.A`,
    ];
    for (const token of tokens) await expect(verify(token)).rejects.toMatchObject({ code: 'token-invalid' });
  });

  it('takes no other token for one that it remembers, although both end in the same signature', async () => {
    const token = await sign({ claims: details({ match: 'urn:a' }) });
    const grants = await verify(token);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = `${header}.${part({ ...claims, ...details({ match: '*' }) })}.${signature}`;
    await expect(verify(forged)).rejects.toMatchObject({ code: 'token-invalid' });
    expect(await verify(token)).toBe(grants);
  });

  it('remembers a token for each resource that it names, up to six, and for no other', async () => {
    const resources = Array.from({ length: 7 }, (_, index) => `https://hub-${index}.example/.well-known/mercure`);
    const token = await sign({ claims: { aud: resources.slice(0, 6), ...details({ match: 'urn:a' }) } });
    const verifyFor = (resource = ''): Grants | Promise<Grants> => verifier.verify(token, { ...PURPOSE, resource });
    const first = await Promise.all(resources.slice(0, 6).map(async (resource) => verifyFor(resource)));
    for (const [index, grants] of first.entries()) expect(verifyFor(resources[index])).toBe(grants);
    await expect(verifyFor(resources[6])).rejects.toMatchObject({ code: 'token-invalid' });
    expect(verifyFor(resources[0])).toBe(first[0]);
  });

  it.each([
    ['patterns', (number: number) => `/:id/${number}*x`],
    ['patterns with groups', (number: number) => `/:id(\\d+)/${number}`],
  ])('remembers tokens for no more memory than it may, also those full of %s', async (_name, patternOf) => {
    const own = new TokenVerifier(OPTIONS, new TrustedIssuers(OPTIONS));
    const before = await bytesInUse();
    let weight = 0;
    // More than are remembered by half, so that the first ones have to go.
    for (let number = 0; weight < 1.5 * REMEMBERED.maxSize && number < 1.5 * REMEMBERED.max; number += 1) {
      const topics = Array.from({ length: 60 }, (_, index) => ({
        match: patternOf(1_000 * number + index),
        match_type: 'urlpattern',
      }));
      const token = await sign({ claims: details(...topics) });
      const grants = await own.verify(token, PURPOSE);
      weight += grants.weight ?? 0;
      // What a token grants is compiled when it is first needed, and results are remembered.
      const topic = (index: number): string => `https://hub.example/nobody/${index}`.padEnd(250, 'y');
      for (let index = 0; index < 64; index += 1) expect(grants.canPublish([topic(index)])).toBe(false);
    }
    expect((await bytesInUse()) - before).toBeLessThan(1.25 * REMEMBERED.maxSize);
    expect(own.concerns(await sign({}))).toBe(true);
  });

  it('remembers a good token for its own role, and only until it expires', async () => {
    const token = await sign({ claims: details({ match: 'urn:a' }), expires: 2 });
    const first = await verify(token);
    expect(await verify(token)).toBe(first);
    await expect(verify(token, 'subscriber')).rejects.toMatchObject({ code: 'token-invalid' });
    jest.useFakeTimers({ now: Date.now() + 3_000, doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      await expect(verify(token)).rejects.toMatchObject({ code: 'token-invalid' });
    } finally {
      jest.useRealTimers();
    }
  });
});
