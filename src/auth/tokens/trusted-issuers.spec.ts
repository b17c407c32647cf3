import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { type IssuerConfig, KEY_SET_ALGORITHMS } from '../../config/keys/issuers.js';
import { parseKey } from '../../config/keys/keys.js';
import type { Grants } from '../../access/grants.js';
import type { AuthOptions } from '../settings/auth.options.js';
import { TokenVerifier } from './token-verifier.js';
import { TrustedIssuers } from './trusted-issuers.js';

const RESOURCE = 'https://hub.example/.well-known/mercure';
const PURPOSE = { role: 'publisher', resource: RESOURCE, others: undefined } as const;
const [OLD, NEW] = ['o'.repeat(32), 'n'.repeat(32)];

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const pair = (): Pair => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwk = ({ publicKey }: Pair, kid: string, rest: object = {}): object => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  ...rest,
});
const setOf = (...keys: object[]): string => JSON.stringify({ keys });

function optionsWith(issuers: readonly IssuerConfig[]): AuthOptions {
  return {
    authorizeUrl: undefined,
    maxTokenAge: 90 * 86_400_000,
    issuers,
    resource: RESOURCE,
    anonymous: false,
    legacy: false,
    cookieName: 'token',
    publishOrigins: [],
    subscriptions: false,
    hubUrl: new URL(RESOURCE),
  };
}

function sign(key: KeyObject | string, header: { alg: string; kid?: string }, issuer = 'us'): Promise<string> {
  return new SignJWT({ iss: issuer, aud: RESOURCE })
    .setProtectedHeader({ typ: 'at+jwt', ...header })
    .setExpirationTime('1h')
    .sign(typeof key === 'string' ? new TextEncoder().encode(key) : key);
}

interface Scene {
  readonly issuers: TrustedIssuers;
  readonly verify: (token: string) => Promise<Grants>;
}

function sceneWith(...configs: IssuerConfig[]): Scene {
  const options = optionsWith(configs);
  const issuers = new TrustedIssuers(options);
  const verifier = new TokenVerifier(options, issuers);
  return { issuers, verify: async (token) => verifier.verify(token, PURPOSE) };
}

const INVALID = { code: 'token-invalid' };

beforeAll(() => Logger.overrideLogger(false));

describe('secrets that are exchanged', () => {
  const both: IssuerConfig = {
    issuer: 'us',
    keys: { publisher: parseKey(NEW) },
    moreKeys: { publisher: [parseKey(OLD)] },
  };
  const one = (secret: string, issuer = 'us'): IssuerConfig => ({ issuer, keys: { publisher: parseKey(secret) } });

  it('verify tokens side by side, and one that leaves takes its tokens along, also those that are remembered', async () => {
    const { issuers, verify } = sceneWith(one(OLD));
    const ofOld = await sign(OLD, { alg: 'HS256' });
    const ofNew = await sign(NEW, { alg: 'HS256' });
    const before = await verify(ofOld);
    await expect(verify(ofNew)).rejects.toMatchObject(INVALID);
    expect(await issuers.replace([both])).toEqual({ come: ['us publisher'], gone: [] });
    const after = await verify(ofNew);
    expect(before.signedWith).toBe((await verify(ofOld)).signedWith);
    expect(before.signedWith?.isGone).toBe(false);
    expect(await issuers.replace([one(NEW)])).toEqual({ come: [], gone: ['us publisher'] });
    expect(before.signedWith?.isGone).toBe(true);
    expect(after.signedWith?.isGone).toBe(false);
    await expect(verify(ofOld)).rejects.toMatchObject(INVALID);
    await verify(ofNew);
  });

  it('are gone with their issuer, and are another key when they come back, or in another place', async () => {
    const { issuers, verify } = sceneWith(one(OLD), one(NEW, 'them'));
    const token = await sign(NEW, { alg: 'HS256' }, 'them');
    const { signedWith } = await verify(token);
    expect(await issuers.replace([one(OLD)])).toEqual({ come: [], gone: ['them publisher'] });
    expect(signedWith?.isGone).toBe(true);
    await expect(verify(token)).rejects.toMatchObject(INVALID);
    await issuers.replace([one(OLD), one(NEW, 'them')]);
    expect(signedWith?.isGone).toBe(true);
    expect((await verify(token)).signedWith?.isGone).toBe(false);
    await issuers.replace([one(NEW, 'us'), { issuer: 'them', keys: { subscriber: parseKey(NEW) } }]);
    await expect(verify(token)).rejects.toMatchObject(INVALID);
  });

  it('change nothing where they are the same', async () => {
    const { issuers, verify } = sceneWith(both);
    const { signedWith } = await verify(await sign(OLD, { alg: 'HS256' }));
    expect(await issuers.replace([readAnew(both)])).toEqual({ come: [], gone: [] });
    expect(signedWith?.isGone).toBe(false);
  });
});

function readAnew({ issuer }: IssuerConfig): IssuerConfig {
  return { issuer, keys: { publisher: parseKey(NEW) }, moreKeys: { publisher: [parseKey(OLD)] } };
}

describe('key sets', () => {
  let directory: string;
  let file: string;
  const [first, second] = [pair(), pair()];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-issuers-'));
    file = join(directory, 'jwks.json');
  });
  afterAll(() => rm(directory, { recursive: true }));
  beforeEach(() => writeFile(file, setOf(jwk(first, 'one'))));

  const config = (path = file, rest: object = {}): IssuerConfig => ({
    issuer: 'us',
    keys: {},
    keySet: { file: path, algorithms: KEY_SET_ALGORITHMS, roles: ['publisher'], ...rest },
  });

  it('let go of a key that has left, and of what is remembered, as soon as they are read again', async () => {
    const { issuers, verify } = sceneWith(config());
    const token = await sign(first.privateKey, { alg: 'ES256', kid: 'one' });
    const { signedWith } = await verify(token);
    await writeFile(file, setOf(jwk(second, 'one')));
    expect(await issuers.replace([config()])).toEqual({ come: [], gone: [] });
    expect(signedWith?.isGone).toBe(true);
    await expect(verify(token)).rejects.toMatchObject(INVALID);
    await verify(await sign(second.privateKey, { alg: 'ES256', kid: 'one' }));
  });

  it('forget what they remember of a key that has other uses now', async () => {
    const { issuers, verify } = sceneWith(config());
    const token = await sign(first.privateKey, { alg: 'ES256', kid: 'one' });
    await verify(token);
    await writeFile(file, setOf(jwk(first, 'one', { use: 'enc' })));
    await issuers.replace([config()]);
    await expect(verify(token)).rejects.toMatchObject(INVALID);
  });

  it.each([
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['PS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['EdDSA', generateKeyPairSync('ed25519')],
    ['ES512', generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ])('know a key for %s again', async (alg, keys) => {
    await writeFile(file, setOf(jwk(keys, 'one', { alg })));
    const { issuers, verify } = sceneWith(config());
    const token = await sign(keys.privateKey, { alg, kid: 'one' });
    const { signedWith } = await verify(token);
    await writeFile(file, setOf(jwk(second, 'two'), jwk(keys, 'one', { alg, 'x-note': 'y' })));
    await issuers.replace([config()]);
    expect(signedWith?.isGone).toBe(false);
    expect((await verify(token)).signedWith).toBe(signedWith);
  });

  it('keep their keys while the source is broken', async () => {
    const { issuers, verify } = sceneWith(config());
    const token = await sign(first.privateKey, { alg: 'ES256', kid: 'one' });
    const { signedWith } = await verify(token);
    await writeFile(file, '{"keys":[');
    await issuers.replace([config()]);
    await verify(token);
    expect(signedWith?.isGone).toBe(false);
  });

  it('hand their keys over to a set with another source, and nothing to one with other uses', async () => {
    const { issuers, verify } = sceneWith(config());
    const token = await sign(first.privateKey, { alg: 'ES256', kid: 'one' });
    const { signedWith } = await verify(token);
    const other = join(directory, 'other.json');
    await writeFile(other, setOf(jwk(first, 'one'), jwk(second, 'two')));
    expect(await issuers.replace([config(other)])).toEqual({ come: ['us set'], gone: ['us set'] });
    expect((await verify(token)).signedWith).toBe(signedWith);
    expect(signedWith?.isGone).toBe(false);
    await issuers.replace([config(other, { roles: ['subscriber'] })]);
    expect(signedWith?.isGone).toBe(true);
    await expect(verify(token)).rejects.toMatchObject(INVALID);
  });

  it('leave everything as it was where a new one can not be read', async () => {
    const { issuers, verify } = sceneWith(config());
    const token = await sign(first.privateKey, { alg: 'ES256', kid: 'one' });
    const { signedWith } = await verify(token);
    const nowhere = config(join(directory, 'nowhere.json'));
    await expect(issuers.replace([nowhere])).rejects.toMatchObject({ code: 'keys-unavailable' });
    await verify(token);
    expect(signedWith?.isGone).toBe(false);
  });
});
