import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { KeyError, parseKey } from './keys.js';

const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUDuxJnKhSGKz3iNADFcjRSDIBQeowCgYIKoZIzj0EAwIw
-----END CERTIFICATE-----
`;

function pem(key: KeyObject): string {
  return key.export({ type: key.type === 'private' ? 'pkcs8' : 'spki', format: 'pem' }) as string;
}

function ec(namedCurve: string): string {
  return pem(generateKeyPairSync('ec', { namedCurve }).publicKey);
}

function rsa(modulusLength: number): string {
  return pem(generateKeyPairSync('rsa', { modulusLength }).publicKey);
}

describe('parseKey', () => {
  it.each([
    ['HS256', 32],
    ['HS384', 48],
    ['HS512', 64],
  ])('wants a secret for %s to be as long as its hash', (algorithm, bytes) => {
    expect(parseKey('x'.repeat(bytes), algorithm)).toMatchObject({ algorithm, key: { type: 'secret' } });
    expect(() => parseKey('x'.repeat(bytes - 1), algorithm)).toThrow(`at least ${bytes} bytes long for ${algorithm}`);
  });

  it('counts the bytes of a secret, and not its characters', () => {
    expect(parseKey('é'.repeat(16)).algorithm).toBe('HS256');
    expect(parseKey('é'.repeat(16)).key.export()).toEqual(Buffer.from('é'.repeat(16)));
  });

  it.each(['prime256v1 ES256', 'secp384r1 ES384', 'secp521r1 ES512'])('knows what %s is for', (pair) => {
    const [curve = '', algorithm = ''] = pair.split(' ');
    expect(parseKey(ec(curve)).algorithm).toBe(algorithm);
    expect(() => parseKey(ec(curve), 'RS256')).toThrow(`does not fit its algorithm, which must be ${algorithm}`);
  });

  it('takes an RSA key for RS256, unless told otherwise, and an Ed25519 key by both of its names', () => {
    const key = rsa(2048);
    expect(parseKey(key).algorithm).toBe('RS256');
    expect(parseKey(key, 'PS512').algorithm).toBe('PS512');
    const edwards = pem(generateKeyPairSync('ed25519').publicKey);
    expect(parseKey(edwards).algorithm).toBe('EdDSA');
    expect(parseKey(edwards, 'Ed25519').algorithm).toBe('Ed25519');
  });

  it.each<[string, string, string | undefined, RegExp]>([
    ['an RSA key of too few bits', rsa(1024), undefined, /at least 2048 bits/],
    ['a curve that no algorithm is for', ec('secp256k1'), undefined, /must be an RSA, P-256/],
    [
      'a kind that no algorithm is for',
      pem(generateKeyPairSync('ed448').publicKey),
      undefined,
      /must be an RSA, P-256/,
    ],
    ['a private key', pem(generateKeyPairSync('ed25519').privateKey), undefined, /give its public key/],
    ['a PEM that is cut', ec('prime256v1').slice(0, 80), undefined, /whole and unchanged/],
    ['a certificate that is cut', CERTIFICATE, undefined, /whole and unchanged/],
    ["a public key for a secret's algorithm", ec('prime256v1'), 'HS256', /does not fit/],
    ["a secret for a public key's algorithm", 'x'.repeat(64), 'ES256', /give a PEM/],
    ['no algorithm at all', 'x'.repeat(64), 'none', /is a secret, which works only with/],
    ['a name that every object has', 'x'.repeat(64), 'constructor', /is a secret, which works only with/],
  ])('refuses %s', (_, text, algorithm, reason) => {
    expect(() => parseKey(text, algorithm)).toThrow(KeyError);
    expect(() => parseKey(text, algorithm)).toThrow(reason);
  });

  it('never repeats the key', () => {
    for (const text of [
      'a short secret',
      `-----BEGIN PUBLIC KEY-----\nsecret`,
      pem(generateKeyPairSync('ed25519').privateKey),
    ]) {
      let message = '';
      try {
        parseKey(text);
      } catch (error) {
        message = String(error);
      }
      expect(message).not.toBe('');
      for (const line of text.trim().split('\n').slice(1, 2)) expect(message).not.toContain(line);
      expect(message).not.toContain('a short secret');
    }
  });
});
