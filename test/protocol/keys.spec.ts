import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { exportJWK, SignJWT } from 'jose';
import { startHerald } from '../support/herald.js';
import { ISSUER, RESOURCE, startHub } from '../support/hub.js';
import { encoded, post } from './hub-client.js';

const DETAIL = 'https://mercure.rocks/authorization-detail';

describe('keys', () => {
  const kinds = ['ES256', 'RS256', 'EdDSA'] as const;

  function keyPair(algorithm: (typeof kinds)[number]): { publicKey: KeyObject; privateKey: KeyObject } {
    if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('rsa', { modulusLength: 2048 });
  }

  function sign(
    key: KeyObject,
    alg: string,
    { kid, iss = ISSUER }: { kid?: string; iss?: string } = {},
  ): Promise<string> {
    const detail = { type: DETAIL, actions: ['publish'], topics: [{ match: '*' }] };
    return new SignJWT({ authorization_details: [detail] })
      .setProtectedHeader({ alg, typ: 'at+jwt', ...(kid && { kid }) })
      .setIssuer(iss)
      .setAudience(RESOURCE)
      .setExpirationTime('1h')
      .sign(key);
  }

  it.each(kinds)('R52: verifies %s with a public key in PEM', async (algorithm) => {
    const { publicKey, privateKey } = keyPair(algorithm);
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    await using herald = await startHub({ HERALD_PUBLISHER_KEY: pem });
    expect((await post(herald, await sign(privateKey, algorithm), 'topic=urn:a')).status).toBe(200);
    const [, payload = ''] = (await sign(privateKey, algorithm)).split('.');
    // The old trick: the public key as a secret.
    const signed = `${encoded({ alg: 'HS256', typ: 'at+jwt' })}.${payload}`;
    const trick = `${signed}.${createHmac('sha256', pem).update(signed).digest('base64url')}`;
    expect((await post(herald, trick, 'topic=urn:a')).status).toBe(401);
  });

  it('R53: verifies a token with its own issuer’s keys only', async () => {
    const [ours, theirs] = [keyPair('ES256'), keyPair('ES256')];
    const pemOf = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' });
    const path = join(tmpdir(), `herald-issuers-${process.pid}.json`);
    const issuers = [
      { issuer: 'https://ours.example/', publisher_key: pemOf(ours.publicKey) },
      { issuer: 'https://theirs.example/', publisher_key: { key: pemOf(theirs.publicKey), alg: 'ES256' } },
    ];
    await writeFile(path, JSON.stringify(issuers));
    try {
      await using herald = await startHub({ HERALD_ISSUERS_FILE: path });
      const status = async (key: KeyObject, iss: string): Promise<number> =>
        (await post(herald, await sign(key, 'ES256', { iss }), 'topic=urn:a')).status;
      expect(await status(ours.privateKey, 'https://ours.example/')).toBe(200);
      expect(await status(theirs.privateKey, 'https://theirs.example/')).toBe(200);
      expect(await status(theirs.privateKey, 'https://ours.example/')).toBe(401);
    } finally {
      await rm(path);
    }
  });

  it('R53, R90: takes keys from a set, follows its rotation, and no redirect', async () => {
    const [old, fresh] = [keyPair('ES256'), keyPair('ES256')];
    const jwk = async (key: KeyObject, kid: string) => ({ ...(await exportJWK(key)), kid, alg: 'ES256' });
    let keys = [await jwk(old.publicKey, 'old')];
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      if (request.url === '/moved') response.writeHead(302, { location: '/jwks' }).end();
      else response.end(JSON.stringify({ keys }));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      await using herald = await startHub({
        HERALD_JWKS_URI: `http://127.0.0.1:${port}/jwks`,
        HERALD_PUBLISHER_KEY: '',
      });
      const status = async (key: KeyObject, kid: string): Promise<number> =>
        (await post(herald, await sign(key, 'ES256', { kid }), 'topic=urn:a')).status;
      expect(await status(old.privateKey, 'old')).toBe(200);
      expect(await status(old.privateKey, 'old')).toBe(200);
      expect(asked).toBe(1);
      // Within the cool-down of the first reading, made-up key ids cost nothing.
      for (let index = 0; index < 5; index += 1) expect(await status(old.privateKey, `made-up-${index}`)).toBe(401);
      expect(asked).toBe(1);
      keys = [await jwk(fresh.publicKey, 'fresh')];
      await using later = await startHub({
        HERALD_JWKS_URI: `http://127.0.0.1:${port}/jwks`,
        HERALD_PUBLISHER_KEY: '',
      });
      const token = await sign(fresh.privateKey, 'ES256', { kid: 'fresh' });
      expect((await post(later, token, 'topic=urn:a')).status).toBe(200);
      await using moved = await startHub({
        HERALD_JWKS_URI: `http://127.0.0.1:${port}/moved`,
        HERALD_PUBLISHER_KEY: '',
      });
      const answer = await post(moved, token, 'topic=urn:a');
      expect(answer).toMatchObject({ status: 503, code: 'keys-unavailable' });
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('R53: follows the rotation of a set in a file without a restart', async () => {
    const [old, fresh] = [keyPair('ES256'), keyPair('ES256')];
    const path = join(tmpdir(), `herald-jwks-${process.pid}.json`);
    const write = async (key: KeyObject, kid: string): Promise<void> =>
      writeFile(path, JSON.stringify({ keys: [{ ...(await exportJWK(key)), kid }] }));
    await write(old.publicKey, 'old');
    try {
      await using herald = await startHub({ HERALD_JWKS_FILE: path, HERALD_PUBLISHER_KEY: '' });
      expect((await post(herald, await sign(old.privateKey, 'ES256', { kid: 'old' }), 'topic=urn:a')).status).toBe(200);
      await write(fresh.publicKey, 'fresh');
      const token = await sign(fresh.privateKey, 'ES256', { kid: 'fresh' });
      let answer = await post(herald, token, 'topic=urn:a');
      while (answer.status === 401) answer = await post(herald, token, 'topic=urn:a');
      expect(answer.status).toBe(200);
    } finally {
      await rm(path);
    }
  });

  it('R41, R88: does not start with a secret that is shorter than its hash, nor with a private key', async () => {
    const { privateKey } = keyPair('ES256');
    for (const key of ['short', privateKey.export({ type: 'pkcs8', format: 'pem' }) as string]) {
      await expect(startHerald({ env: { HERALD_PUBLISHER_KEY: key } })).rejects.toThrow(/HERALD_PUBLISHER_KEY/);
    }
  });
});
