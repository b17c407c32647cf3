import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from './config.js';
import type { Environment } from './environment.js';

const SECRET = 's'.repeat(32);
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const PEM = publicKey.export({ type: 'spki', format: 'pem' }) as string;

function mistakesOf(env: Environment, files: Readonly<Record<string, string>> = {}): readonly string[] {
  try {
    loadConfig(env, (path) => files[path] ?? '');
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

function publisherKey(env: Environment, files: Readonly<Record<string, string>> = {}) {
  const { key } = loadConfig(env, (path) => files[path] ?? '').auth.issuers[0]?.keys.publisher ?? {};
  return key?.type === 'secret' ? key.export().toString() : key?.export({ type: 'spki', format: 'pem' });
}

describe('the environment', () => {
  it.each([
    ['HERALD_PORT', 'tcp://10.0.0.7:8080'],
    ['HERALD_PORT', 'udp://[fd00::7]:8080'],
    ['HERALD_WEB_PORT', 'sctp://10.0.0.7:80'],
    ['HERALD_SERVICE_HOST', '10.0.0.7'],
    ['HERALD_SERVICE_PORT', '8080'],
    ['HERALD_SERVICE_PORT_HTTP', '8080'],
    ['HERALD_REDIS_SERVICE_HOST', '10.0.0.8'],
    ['HERALD_REDIS_SERVICE_PORT_REDIS_TLS', '6380'],
    ['HERALD_PORT_8080_TCP', 'tcp://10.0.0.7:8080'],
    ['HERALD_PORT_8080_TCP_PROTO', 'tcp'],
    ['HERALD_PORT_8080_TCP_PORT', '8080'],
    ['HERALD_PORT_8080_TCP_ADDR', '10.0.0.7'],
    ['HERALD_WEB_PORT_53_UDP_ADDR', '10.0.0.9'],
    ['HERALD_WEB_PORT_9_SCTP', 'sctp://10.0.0.9:9'],
    ['HERALD_TOKEN', 'what a publisher in the same environment reads'],
  ])('leaves %s=%s alone, which is not meant for the service', (name, value) => {
    expect(mistakesOf({ [name]: value })).toEqual([]);
  });

  it.each([
    ['HERALD_RETAIN_AG', 'HERALD_RETAIN_AGE'],
    ['HERALD_RETENTION_AGE', 'HERALD_RETAIN_AGE'],
    ['HERALD_PUBLISHER_KEY_FLIE', 'HERALD_PUBLISHER_KEY_FILE'],
    ['HERALD_PORT', 'PORT'],
    ['HERALD_LOG_LEVEL', 'LOG_LEVEL'],
    ['HERALD_HARTBEAT', 'HERALD_HEARTBEAT'],
  ])('refuses %s, and asks whether it was meant to be %s', (name, meant) => {
    expect(mistakesOf({ [name]: '1' })).toEqual([`${name} is not a variable Herald knows: did you mean ${meant}?`]);
  });

  it.each(['HERALD_SERVICE', 'HERALD_WEB_HOST', 'HERALD_PORT_TCP', 'HERALD_SERVICE_HOSTS', 'HERALD_PORT_80_TCP_NAME'])(
    'refuses %s, which Kubernetes does not set',
    (name) => expect(mistakesOf({ [name]: 'tcp://10.0.0.7:80' })).toHaveLength(1),
  );

  it('has no guess where no name comes near', () => {
    expect(mistakesOf({ HERALD_X: '1' })).toEqual([
      "HERALD_X is not a variable Herald knows: see the README's table for its spelling",
    ]);
  });

  it.each([
    ['an end of line', `${SECRET}\n`],
    ['an end of line of Windows', `${SECRET}\r\n`],
    ['white space', ` ${SECRET}\t`],
    ['double quotes', `"${SECRET}"`],
    ['single quotes and an end of line', `'${SECRET}'\r\n`],
  ])('takes a secret without %s around it', (_, text) => {
    expect(publisherKey({ HERALD_PUBLISHER_KEY: text })).toBe(SECRET);
  });

  it('takes a secret from a file without its end of line, but with its quotes, and from a path in quotes', () => {
    const env = { HERALD_PUBLISHER_KEY_FILE: '"/run/key"\n' };
    expect(publisherKey(env, { '/run/key': `\uFEFF${SECRET}\r\n` })).toBe(SECRET);
    expect(publisherKey(env, { '/run/key': `"${SECRET}"\n` })).toBe(`"${SECRET}"`);
  });

  it('leaves quotes alone that are no pair, and those inside', () => {
    expect(publisherKey({ HERALD_PUBLISHER_KEY: `"${SECRET}'` })).toBe(`"${SECRET}'`);
    expect(publisherKey({ HERALD_PUBLISHER_KEY: `""${SECRET}""` })).toBe(`"${SECRET}"`);
  });

  it('takes a variable of quotes alone for an absent one', () => {
    expect(loadConfig({ PORT: '""', HERALD_MAX_AGE: ' ' })).toMatchObject({ server: { port: 8080 } });
  });

  it('refuses an empty file, which can only be a mistake', () => {
    expect(mistakesOf({ HERALD_PUBLISHER_KEY_FILE: '/run/key' }, { '/run/key': '\n' })).toEqual([
      'HERALD_PUBLISHER_KEY_FILE is an empty file: write the value into it',
    ]);
  });

  it.each([
    ['with \\n for each end of line', PEM.replaceAll('\n', String.raw`\n`)],
    ['with \\r\\n for each end of line', PEM.replaceAll('\n', String.raw`\r\n`)],
    ['with \\n and quotes', `"${PEM.replaceAll('\n', String.raw`\n`)}"`],
    ['with the ends of line of Windows', PEM.replaceAll('\n', '\r\n')],
    ['in quotes over several lines', `'${PEM}'`],
  ])('takes a PEM %s', (_, text) => {
    expect(publisherKey({ HERALD_PUBLISHER_KEY: text })).toBe(PEM);
    expect(publisherKey({ HERALD_PUBLISHER_KEY_FILE: '/run/key' }, { '/run/key': text.replaceAll(/["']/g, '') })).toBe(
      PEM,
    );
  });

  it('takes secrets with an end of line and a PEM in one line from an issuers file', () => {
    const issuers = [
      { issuer: 'a', publisher_key: `${SECRET}\n`, subscriber_key: PEM.replaceAll('\n', String.raw`\n`) },
    ];
    const { auth } = loadConfig({ HERALD_ISSUERS_FILE: '/run/issuers' }, () => JSON.stringify(issuers));
    expect(auth.issuers[0]?.keys.publisher?.key.export()).toEqual(Buffer.from(SECRET));
    expect(auth.issuers[0]?.keys.subscriber?.key.equals(publicKey)).toBe(true);
  });
});
