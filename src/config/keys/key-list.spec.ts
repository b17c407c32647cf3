import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../config.js';
import { type IssuerConfig, keysOf, parseIssuers } from './issuers.js';
import { keysIn } from './key-list.js';

const OLD = 'the old secret, which has a comma and blanks';
const NEW = 'n'.repeat(32);
const PEM = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({
  type: 'spki',
  format: 'pem',
}) as string;

function issuerOf(env: Record<string, string>): IssuerConfig {
  const [issuer] = loadConfig({ HERALD_PUBLISHER_KEY: NEW, ...env }).auth.issuers;
  if (!issuer) throw new Error('there is no issuer');
  return issuer;
}

function mistakesIn(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).mistakes;
  }
}

describe('keysIn', () => {
  it.each([OLD, `[${OLD}`, `${OLD}]`, PEM, 'a,b', '"a"', '{"a":1}'])('takes %j for one key', (text) => {
    expect(keysIn(text)).toEqual([text]);
  });

  it.each(['[]', '[1]', '[""]', '[a, b]', `["${NEW}" "${OLD}"]`, '["1","2","3","4","5","6"]', '[["a"]]'])(
    'refuses %s, without repeating it',
    (text) => {
      expect(() => keysIn(text)).toThrow('must be a JSON array of one to 5 keys');
    },
  );
});

describe('a list of keys', () => {
  it('is a JSON array in a variable, or in the file that it points to, and the first one signs', () => {
    const issuer = issuerOf({ HERALD_SUBSCRIBER_KEY: JSON.stringify([NEW, `${OLD}\n`, PEM]) });
    expect(issuer.keys.subscriber?.key.export().toString()).toBe(NEW);
    const [, second, third] = keysOf(issuer, 'subscriber');
    expect(second?.key.export().toString()).toBe(OLD);
    expect(third?.algorithm).toBe('ES256');
    expect(issuer.moreKeys?.publisher).toBeUndefined();
    const env = { HERALD_PUBLISHER_KEY: NEW, HERALD_SUBSCRIBER_KEY_FILE: '/keys' };
    const [fromFile] = loadConfig(env, () => `${JSON.stringify([NEW, OLD])}\n`).auth.issuers;
    expect(fromFile && keysOf(fromFile, 'subscriber')).toHaveLength(2);
  });

  it("is one in the issuers' file as well, of keys with and without an algorithm", () => {
    const mistakes: string[] = [];
    const text = JSON.stringify([{ issuer: 'one', publisher_key: [NEW, { key: PEM, alg: 'ES256' }] }]);
    const [issuer] = parseIssuers(text, mistakes);
    expect(mistakes).toEqual([]);
    expect(issuer && keysOf(issuer, 'publisher').map(({ algorithm }) => algorithm)).toEqual(['HS256', 'ES256']);
  });

  it('has each of its keys checked, and all mistakes told at once, with none of the keys', () => {
    const mistakes = mistakesIn({ HERALD_PUBLISHER_KEY: '["short","short too"]', HERALD_SUBSCRIBER_KEY: '[bare]' });
    expect(mistakes).toEqual([
      'HERALD_PUBLISHER_KEY (key 1 of its list) must be at least 32 bytes long for HS256',
      'HERALD_PUBLISHER_KEY (key 2 of its list) must be at least 32 bytes long for HS256',
      'HERALD_SUBSCRIBER_KEY begins and ends with brackets, and so must be a JSON array of one to 5 keys, such as ["the new one", "the old one"]',
    ]);
    const ofFile: string[] = [];
    parseIssuers(JSON.stringify([{ issuer: 'one', publisher_key: [NEW, 'short'] }]), ofFile);
    expect(ofFile).toEqual(['HERALD_ISSUERS_FILE 0.publisher_key.1 must be at least 32 bytes long for HS256']);
  });

  it('warns of a weak secret wherever it stands in the list', () => {
    const env = {
      HERALD_LEGACY: 'true',
      HERALD_WEAK_SECRETS: 'true',
      HERALD_PUBLISHER_KEY: JSON.stringify([NEW, 'x']),
    };
    expect(loadConfig({ ...env, HERALD_SUBSCRIBER_KEY: NEW }).auth.weak).toEqual(['publisher']);
  });
});
