import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { openStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  HUB,
  noticesOf,
  PUBLISHER_KEY,
  publisherToken,
  RESOURCE,
  startHub,
  subscriberToken,
  type TokenOptions,
} from '../support/hub.js';
import { type Answer, ask, bearer, challenge, PATIENCE, publish } from './exchange.js';

const DETAILS = [
  {
    type: 'https://mercure.rocks/authorization-detail',
    actions: ['publish', 'subscribe'],
    topics: [{ match: '*' }],
  },
];

const INVALID = { status: 401, code: 'token-invalid', challenge: challenge('invalid_token') };

/** A token of any issuer, with any header. */
function sign(key: KeyObject | Uint8Array, header: Partial<JWTHeaderParameters>, claims: object = {}): Promise<string> {
  return new SignJWT({ iss: 'herald', aud: RESOURCE, authorization_details: DETAILS, ...claims })
    .setExpirationTime('1h')
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', ...header })
    .sign(key);
}

/** A part of a compact JWT. */
function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function write(herald: Herald, token: string): Promise<Answer> {
  return publish(herald, { topic: 'urn:a', data: 'x' }, token);
}

describe('a token', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** Both ends answer alike. */
  async function useToken(options: TokenOptions): Promise<Answer> {
    const read = await ask(herald, { query: 'match=urn:a', token: await subscriberToken(options) });
    const written = await write(herald, await publisherToken(options));
    expect([read.status, read.code, read.challenge]).toEqual([written.status, written.code, written.challenge]);
    return written;
  }

  it.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+jwt'])(
    'R51: of the type %s counts',
    async (typ) => {
      expect((await useToken({ header: { typ } })).status).toBe(200);
    },
  );

  it.each(['JWT', 'jwt', 'application/jwt', 'at+jwt2', 'text/at+jwt', '', 'logout+jwt'])(
    'R51: of the type "%s" does not',
    async (typ) => {
      expect(await useToken({ header: { typ } })).toMatchObject(INVALID);
    },
  );

  it('R51: with a critical header that the hub does not know does not count', async () => {
    const header = { crit: ['exp'], exp: 1 };
    const token = `${part({ alg: 'HS256', typ: 'at+jwt', ...header })}.${part({})}.AAAA`;
    expect(await write(herald, token)).toMatchObject(INVALID);
  });

  it.each<[string, TokenOptions['claims']]>([
    ['no expiry', { exp: undefined }],
    ['an expiry that is past', { exp: 1 }],
    ['an expiry that is no number', { exp: '2999-01-01' }],
    ['a beginning that is to come', { nbf: 32_503_680_000 }],
    ['no audience', { aud: undefined }],
    ['another audience', { aud: 'https://other.example/.well-known/mercure' }],
    ['the audience in other letters', { aud: RESOURCE.toUpperCase() }],
    ['the audience and a slash', { aud: `${RESOURCE}/` }],
    ['several other audiences', { aud: ['https://a.example', 'https://b.example'] }],
    ['no issuer', { iss: undefined }],
    ['an issuer that is not trusted', { iss: 'https://evil.example' }],
    ['an issuer that is nearly trusted', { iss: 'herald ' }],
    ['an issuer in other letters', { iss: 'Herald' }],
  ])('R54: with %s does not count', async (_, claims = {}) => {
    const options = 'exp' in claims ? { claims } : { claims: { exp: 32_503_680_000, ...claims } };
    expect(await useToken(options)).toMatchObject(INVALID);
  });

  it.each<[string, TokenOptions['claims']]>([
    ['the audience among others', { aud: ['https://other.example', RESOURCE] }],
    ['a beginning that is past', { nbf: 1 }],
    ['no sub, jti, client_id or iat', { iat: undefined }],
  ])('R54: with %s counts', async (_, claims = {}) => {
    expect((await useToken({ claims })).status).toBe(200);
  });

  it('R54: without a configured resource, the audience is the URL that the request came to', async () => {
    await using plain = await startHub({ HERALD_RESOURCE: '' });
    const aud = `${plain.url}/.well-known/mercure`;
    expect((await write(plain, await publisherToken({ claims: { aud } }))).status).toBe(200);
    expect((await write(plain, await publisherToken())).status).toBe(401);
  });

  it('R52: without a signature does not count', async () => {
    const claims = { iss: 'herald', aud: RESOURCE, exp: 32_503_680_000, authorization_details: DETAILS };
    for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
      const header = part({ alg, typ: 'at+jwt' });
      expect(await write(herald, `${header}.${part(claims)}.`)).toMatchObject(INVALID);
      expect(await write(herald, `${header}.${part(claims)}.AAAA`)).toMatchObject(INVALID);
    }
    // A good token whose signature is taken off.
    const [header, payload] = (await publisherToken()).split('.');
    expect(await write(herald, `${header}.${payload}.`)).toMatchObject(INVALID);
  });

  it('R52: with another algorithm than the key is for does not count', async () => {
    const secret = new TextEncoder().encode(PUBLISHER_KEY.padEnd(64, '!'));
    await using long = await startHub({ HERALD_PUBLISHER_KEY: PUBLISHER_KEY.padEnd(64, '!') });
    expect((await write(long, await sign(secret, { alg: 'HS256' }))).status).toBe(200);
    for (const alg of ['HS384', 'HS512']) expect(await write(long, await sign(secret, { alg }))).toMatchObject(INVALID);
  });
});

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

function pemOf({ publicKey }: Pair): string {
  return String(publicKey.export({ type: 'spki', format: 'pem' }));
}

describe('keys', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const ed25519 = generateKeyPairSync('ed25519');
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const PAIRS: Readonly<Record<string, Pair>> = {
    RS256: rsa,
    PS512: rsa,
    ES256: p256,
    ES384: p384,
    EdDSA: ed25519,
  };

  let folder: string;
  let herald: Herald;
  const asked: string[] = [];
  let server: Server;
  let source: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'herald-protocol-'));
    const set = JSON.stringify({ keys: [await jwkOf(p256, 'one'), await jwkOf(rsa, 'two')] });
    [server, source] = await serve((request, response) => {
      asked.push(request.url ?? '');
      const isSet = request.url === '/keys';
      response.writeHead(isSet ? 200 : 302, { location: '/elsewhere', 'content-type': 'application/jwk-set+json' });
      response.end(isSet ? set : '');
    });
    const issuers = [
      ...Object.entries(PAIRS).map(([alg, pair]) => ({
        issuer: `https://${alg.toLowerCase()}.example`,
        publisher_key: { key: pemOf(pair), alg },
      })),
      { issuer: 'https://set.example', jwks_uri: `${source}/keys` },
      { issuer: 'https://moved.example', jwks_uri: `${source}/moved` },
    ];
    writeFileSync(join(folder, 'issuers.json'), JSON.stringify(issuers));
    herald = await startHub({ HERALD_ISSUERS_FILE: join(folder, 'issuers.json') });
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
    server.close();
    rmSync(folder, { recursive: true });
  });

  it.each(Object.keys(PAIRS))('R52: tokens can be signed with %s', async (alg) => {
    const iss = `https://${alg.toLowerCase()}.example`;
    const key = PAIRS[alg]?.privateKey;
    expect(key && (await write(herald, await sign(key, { alg }, { iss }))).status).toBe(200);
  });

  it('R52: a key is good for its own algorithm only', async () => {
    for (const alg of ['RS384', 'PS256', 'PS512']) {
      const token = await sign(rsa.privateKey, { alg }, { iss: 'https://rs256.example' });
      expect(await write(herald, token)).toMatchObject(INVALID);
    }
  });

  it('R52: a public key is never taken for a secret', async () => {
    for (const [alg, pair] of Object.entries(PAIRS)) {
      const forged = await sign(
        new TextEncoder().encode(pemOf(pair)),
        { alg: 'HS256' },
        {
          iss: `https://${alg.toLowerCase()}.example`,
        },
      );
      expect(await write(herald, forged)).toMatchObject(INVALID);
    }
  });

  it('R53: each issuer’s tokens are verified with its own keys alone', async () => {
    const token = await sign(p256.privateKey, { alg: 'ES256' }, { iss: 'https://es384.example' });
    expect(await write(herald, token)).toMatchObject(INVALID);
    const other = await sign(new TextEncoder().encode(PUBLISHER_KEY), {}, { iss: 'https://es256.example' });
    expect(await write(herald, other)).toMatchObject(INVALID);
    // This issuer's set has the key, and that issuer's has it as well: both are fine.
    const set = await sign(p256.privateKey, { alg: 'ES256', kid: 'one' }, { iss: 'https://set.example' });
    expect((await write(herald, set)).status).toBe(200);
  });

  it('R53: nothing in the token says where its key comes from', async () => {
    const jwk = await exportJWK(stranger.publicKey);
    const before = asked.length;
    const iss = 'https://es256.example';
    for (const header of [{ jwk }, { jku: `${source}/evil` }, { x5u: `${source}/evil` }, { x5c: ['AAAA'] }]) {
      expect(await write(herald, await sign(stranger.privateKey, { alg: 'ES256', ...header }, { iss }))).toMatchObject(
        INVALID,
      );
      // The same in a token that is good otherwise changes nothing.
      expect((await write(herald, await sign(p256.privateKey, { alg: 'ES256', ...header }, { iss }))).status).toBe(200);
    }
    expect(asked.slice(before)).not.toContain('/evil');
  });

  it('R53: the key id is a hint within the set, and not more', async () => {
    const iss = 'https://set.example';
    const status = async (pair: Pair, alg: string, kid?: string): Promise<number> =>
      (await write(herald, await sign(pair.privateKey, { alg, ...(kid && { kid }) }, { iss }))).status;
    expect(await status(p256, 'ES256', 'one')).toBe(200);
    expect(await status(rsa, 'RS256', 'two')).toBe(200);
    expect(await status(p256, 'ES256')).toBe(200);
    expect(await status(stranger, 'ES256', 'one')).toBe(401);
    expect(await status(stranger, 'ES256')).toBe(401);
  });

  it('R90: a set of keys is asked for at most once a second, however many key ids are made up', async () => {
    const iss = 'https://set.example';
    await write(herald, await sign(p256.privateKey, { alg: 'ES256', kid: 'one' }, { iss }));
    const before = asked.length;
    const began = performance.now();
    const answers = Array.from({ length: 40 }, async (_, number) => {
      const token = await sign(stranger.privateKey, { alg: 'ES256', kid: `made up ${number}` }, { iss });
      return (await write(herald, token)).status;
    });
    expect(new Set(await Promise.all(answers))).toEqual(new Set([401]));
    const most = 1 + Math.ceil((performance.now() - began) / 1_000);
    expect(asked.slice(before).filter((path) => path === '/keys').length).toBeLessThanOrEqual(most);
  });

  it('R90: where a set of keys has moved to is not followed', async () => {
    const token = await sign(p256.privateKey, { alg: 'ES256' }, { iss: 'https://moved.example' });
    const answer = await write(herald, token);
    expect(answer).toMatchObject({
      status: 503,
      code: 'keys-unavailable',
      headers: { 'retry-after': expect.any(String) },
    });
    expect(asked).toContain('/moved');
    expect(asked).not.toContain('/elsewhere');
  });

  it('while keys can not be read, a native EventSource is told to come back, and others get 503', async () => {
    const token = await sign(p256.privateKey, { alg: 'ES256' }, { iss: 'https://moved.example' });
    const headers = { ...bearer(token), accept: 'text/event-stream' };
    await using stream = await openStream(`${herald.url}${HUB}?match=urn:a`, { headers });
    await stream.ended;
    expect([stream.response.statusCode, noticesOf(stream)]).toEqual([200, [{ type: 'unavailable' }]]);
    expect(stream.retries[0]).toBeGreaterThanOrEqual(1_000);
    expect(await ask(herald, { query: 'match=urn:a', token })).toMatchObject({ status: 503, code: 'keys-unavailable' });
  });

  it('R88: a key that is taken out of the file is no longer good, and one that is put in is', async () => {
    const file = join(folder, 'keys.json');
    const put = async (pair: Pair, kid: string): Promise<void> =>
      writeFileSync(file, JSON.stringify({ keys: [await jwkOf(pair, kid)] }));
    await put(p256, 'old');
    await using fresh = await startHub({ HERALD_PUBLISHER_KEY: '', HERALD_SUBSCRIBER_KEY: '', HERALD_JWKS_FILE: file });
    expect((await write(fresh, await sign(p256.privateKey, { alg: 'ES256', kid: 'old' }))).status).toBe(200);
    await put(p384, 'new');
    const renewed = await sign(p384.privateKey, { alg: 'ES384', kid: 'new' });
    // The file is looked at once a second at most.
    const deadline = Date.now() + PATIENCE;
    while ((await write(fresh, renewed)).status !== 200) expect(Date.now()).toBeLessThan(deadline);
    const again = await sign(p256.privateKey, { alg: 'ES256', kid: 'old' }, { jti: 'another' });
    expect(await write(fresh, again)).toMatchObject(INVALID);
  });
});

async function serve(listener: RequestListener): Promise<[Server, string]> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return [server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

async function jwkOf({ publicKey }: Pair, kid: string): Promise<object> {
  return { ...(await exportJWK(publicKey)), kid, use: 'sig' };
}
