import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../config.js';
import { isKeySetUri, KEY_SET_ALGORITHMS, parseIssuers, type IssuerConfig } from './issuers.js';

const SECRET = 'a secret that is thirty-two bytes';
const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'pem',
}) as string;

function parse(issuers: unknown): { issuers: IssuerConfig[]; mistakes: string[] } {
  const mistakes: string[] = [];
  return { issuers: parseIssuers(typeof issuers === 'string' ? issuers : JSON.stringify(issuers), mistakes), mistakes };
}

describe('isKeySetUri', () => {
  it.each(['https://example.com/jwks', 'http://localhost:1/x', 'http://127.0.0.1/', 'http://[::1]:80/keys'])(
    'takes %s',
    (uri) => expect(isKeySetUri(uri)).toBe(true),
  );

  it.each([
    'http://example.com/jwks',
    'http://localhost.example.com/',
    'https://user@example.com/',
    'file:///etc/passwd',
    'data:,{}',
    '/keys',
    '',
  ])('refuses "%s"', (uri) => expect(isKeySetUri(uri)).toBe(false));
});

describe('parseIssuers', () => {
  it('reads keys with and without an algorithm, each for its role', () => {
    const { issuers, mistakes } = parse([
      {
        issuer: 'one',
        publisher_key: SECRET,
        subscriber_key: { key: PUBLIC_KEY },
        admin_key: { key: SECRET, alg: 'HS256' },
      },
    ]);
    expect(mistakes).toEqual([]);
    expect(issuers).toMatchObject([
      {
        issuer: 'one',
        keys: { publisher: { algorithm: 'HS256' }, subscriber: { algorithm: 'ES256' }, admin: { algorithm: 'HS256' } },
      },
    ]);
    expect(issuers[0]).not.toHaveProperty('keySet');
  });

  it('reads key sets, which are for publishers and subscribers, and for administrators only when that is said', () => {
    const { issuers, mistakes } = parse([
      { issuer: 'one', jwks_uri: 'https://example.com/jwks' },
      { issuer: 'two', jwks_file: '/keys', algorithms: ['ES256'], roles: ['admin'] },
    ]);
    expect(mistakes).toEqual([]);
    expect(issuers.map(({ keySet }) => keySet)).toEqual([
      { uri: 'https://example.com/jwks', algorithms: KEY_SET_ALGORITHMS, roles: ['publisher', 'subscriber'] },
      { file: '/keys', algorithms: ['ES256'], roles: ['admin'] },
    ]);
  });

  it('R52: lets no key set be used with a secret, or without any signature', () => {
    for (const algorithm of ['none', 'HS256', 'HS512']) {
      const { mistakes } = parse([{ issuer: 'one', jwks_file: '/keys', algorithms: [algorithm] }]);
      expect(mistakes).toHaveLength(1);
    }
  });

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '[', /as a whole/],
    ['no list', { issuer: 'one' }, /as a whole/],
    ['an empty list', [], /as a whole/],
    [
      'too many',
      Array.from({ length: 101 }, (_, index) => ({ issuer: `${index}`, publisher_key: SECRET })),
      /as a whole/,
    ],
    ['an issuer without a name', [{ issuer: '', publisher_key: SECRET }], /0\.issuer/],
    ['an issuer without a key', [{ issuer: 'one' }], /0 has no key/],
    ['two sources of a set', [{ issuer: 'one', jwks_uri: 'https://e/', jwks_file: '/x' }], /keep one/],
    ['a set that anybody could have put there', [{ issuer: 'one', jwks_uri: 'http://e/' }], /https/],
    ['a weak key', [{ issuer: 'one', admin_key: 'short' }], /0\.admin_key must be at least 32 bytes/],
    ['a word that is none', [{ issuer: 'one', publisher_key: SECRET, publisherKey: SECRET }], /publisherKey/],
    ['a role that is none', [{ issuer: 'one', jwks_file: '/x', roles: ['root'] }], /0\.roles\.0/],
    [
      'an issuer that is there twice',
      [
        { issuer: 'one', publisher_key: SECRET },
        { issuer: 'one', subscriber_key: SECRET },
      ],
      /twice/,
    ],
  ])('names what is wrong with %s, and repeats no key', (_, given, reason) => {
    const { mistakes } = parse(given);
    expect(mistakes.join('\n')).toMatch(reason);
    expect(mistakes.join('\n')).not.toContain(SECRET);
  });
});

describe('the keys of the configuration', () => {
  const files: Readonly<Record<string, string>> = {
    '/issuers': JSON.stringify([{ issuer: 'file', publisher_key: SECRET, subscriber_key: SECRET }]),
    '/secret': `${SECRET}\n`,
  };
  const load = (env: Record<string, string>) =>
    loadConfig(env, (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('no such file');
      return text;
    }).auth;

  function mistakesOf(env: Record<string, string>): string {
    try {
      load(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
    }
    return '';
  }

  it('come from the variables, from files that these name, and from the list of issuers, together', () => {
    const { issuers, madeUp } = load({
      HERALD_ISSUERS_FILE: '/issuers',
      HERALD_PUBLISHER_KEY_FILE: '/secret',
      HERALD_ADMIN_KEY: SECRET,
    });
    expect(issuers.map(({ issuer, keys }) => [issuer, Object.keys(keys)])).toEqual([
      ['file', ['publisher', 'subscriber']],
      ['herald', ['publisher', 'admin']],
    ]);
    expect(issuers[1]?.keys.publisher?.key.export()).toEqual(Buffer.from(SECRET));
    expect(madeUp).toEqual([]);
  });

  it('are made up in development alone, and only where there is no other source of them', () => {
    expect(load({}).madeUp).toEqual(['publisher', 'subscriber']);
    expect(load({ HERALD_PUBLISHER_KEY: SECRET }).madeUp).toEqual(['subscriber']);
    expect(load({ HERALD_JWKS_URI: 'https://example.com/jwks' }).madeUp).toEqual([]);
    expect(load({ HERALD_ISSUERS_FILE: '/issuers' }).madeUp).toEqual([]);
    expect(load({}).issuers[0]?.keys.admin).toBeUndefined();
    const random = () => load({}).issuers[0]?.keys.publisher?.key.export().toString();
    expect(random()).not.toBe(random());
  });

  it('must be given in production', () => {
    expect(mistakesOf({ NODE_ENV: 'production' })).toMatch(/PUBLISHER_KEY must be set.*\n.*SUBSCRIBER_KEY must be set/);
    const resource = 'https://hub.example/.well-known/mercure';
    const given = { NODE_ENV: 'production', HERALD_RESOURCE: resource, HERALD_ISSUERS_FILE: '/issuers' };
    expect(load(given).issuers).toHaveLength(1);
  });

  it('are all looked at before anything is said, and never told', () => {
    const message = mistakesOf({
      HERALD_PUBLISHER_KEY: 'too short to be good',
      HERALD_SUBSCRIBER_KEY: SECRET,
      HERALD_SUBSCRIBER_ALG: 'HS512',
      HERALD_JWKS_URI: 'http://example.com/?secret',
      HERALD_JWKS_FILE: '/x',
      HERALD_ISSUERS_FILE: '/nowhere',
      HERALD_ADMIN_KEY: SECRET,
      HERALD_ADMIN_KEY_FILE: '/secret',
    });
    expect(message).toContain('HERALD_JWKS_URI must be an https URL');
    expect(message).toContain('HERALD_ADMIN_KEY and HERALD_ADMIN_KEY_FILE are both set');
    const { HERALD_JWKS_URI: _, ...others } = { HERALD_JWKS_URI: '' };
    const second = mistakesOf({
      ...others,
      HERALD_PUBLISHER_KEY: 'too short to be good',
      HERALD_SUBSCRIBER_KEY: SECRET,
      HERALD_SUBSCRIBER_ALG: 'HS512',
      HERALD_ISSUERS_FILE: '/nowhere',
    });
    for (const part of [
      "ISSUERS_FILE can't be read",
      'PUBLISHER_KEY must be at least 32',
      'SUBSCRIBER_KEY must be at least 64',
    ])
      expect(second).toContain(part);
    for (const secret of [SECRET, 'too short', '?secret']) expect(message + second).not.toContain(secret);
  });

  it('R53: must not be spread over two places for one issuer', () => {
    expect(mistakesOf({ HERALD_ISSUERS_FILE: '/issuers', HERALD_ISSUER: 'file', HERALD_ADMIN_KEY: SECRET })).toContain(
      'keep its keys in one place',
    );
  });
});
