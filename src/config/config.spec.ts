import { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type Config, ConfigError, loadConfig } from './config.js';
import { NO_MEMORY_LIMITS } from './memory/memory-limits.js';
import type { Environment } from './environment.js';
import type { Role } from '../shared/role.js';

const CERTIFICATES = new URL('../../test/support/certificates/', import.meta.url).pathname;

const SECRET = 's'.repeat(32);

function mistakesOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

function secretOf(config: Config, role: Role): KeyObject {
  const { key } = config.auth.issuers[0]?.keys[role] ?? {};
  if (!key) throw new Error(`no key for ${role}`);
  return key;
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    expect(loadConfig({}, undefined, NO_MEMORY_LIMITS)).toEqual({
      memory: { ...NO_MEMORY_LIMITS, warnings: [] },
      production: false,
      server: {
        host: '127.0.0.1',
        port: 8080,
        internal: undefined,
        isAdminInternal: false,
        maxBodyBytes: 1_048_576,
        basePath: '',
        maxHeadBytes: 64 * 1024,
        corsOrigins: [],
        corsHeaders: expect.arrayContaining(['baggage', 'sentry-trace', 'traceparent', 'x-datadog-trace-id']),
        trustProxy: false,
        tls: undefined,
      },
      events: { interval: 2_000 },
      streams: {
        heartbeat: 20_000,
        maxAge: 600_000,
        writeTimeout: 30_000,
        maxOutstanding: undefined,
        drain: { delay: 0, window: 5_000, isAlone: true },
        notices: true,
        maxConnections: undefined,
        maxConnectionsPerAddress: 0,
        maxConnectionsPerSubject: 0,
      },
      hub: {
        legacy: false,
        subscriptions: { enabled: false, grace: 10_000, anonymous: true },
        hubUrl: 'http://localhost:8080/.well-known/mercure',
        recentBytes: 67_108_864,
        flushInterval: 0,
        quota: { each: { updates: 0, bytes: 0 }, all: { updates: 0, bytes: 0 } },
        bodies: { timeout: 30_000, maxBytes: undefined },
        batches: { idle: 60_000 },
        journal: {
          url: 'memory:',
          retention: { events: 100_000, bytes: 268_435_456, age: 86_400_000 },
          presenceRetention: { events: 20_000, bytes: 16_777_216, age: 3_600_000 },
          redis: {
            prefix: 'herald',
            sentinels: [],
            sentinelName: 'mymaster',
            sentinelLogin: undefined,
            tls: { certFile: undefined, keyFile: undefined, caFile: undefined },
            isCluster: false,
            replicas: 0,
            indexBytes: 268_435_456,
          },
        },
      },
      auth: {
        issuers: [
          {
            issuer: 'herald',
            keys: {
              publisher: { key: expect.any(KeyObject), algorithm: 'HS256' },
              subscriber: { key: expect.any(KeyObject), algorithm: 'HS256' },
            },
          },
        ],
        authorizeUrl: undefined,
        resource: undefined,
        maxTokenAge: 7_776_000_000,
        anonymous: false,
        legacy: false,
        cookieName: '__Secure-mercure_access_token',
        publishOrigins: [],
        protectEvents: false,
        weak: [],
        madeUp: ['publisher', 'subscriber'],
      },
      logLevel: 'info',
      requestLog: 'all',
    });
  });

  it('listens on every address in production only', () => {
    const production = {
      NODE_ENV: 'production',
      HERALD_PUBLISHER_KEY: SECRET,
      HERALD_SUBSCRIBER_KEY: SECRET,
      HERALD_RESOURCE: 'https://hub.example/.well-known/mercure',
    };
    expect(loadConfig(production).server.host).toBe('0.0.0.0');
    expect(loadConfig({ ...production, HOST: '10.0.0.1' }).server.host).toBe('10.0.0.1');
  });

  it('makes keys up in development, other ones each time, and refuses to in production, as it does a made-up URL', () => {
    const [one, other] = [loadConfig({}), loadConfig({})];
    expect(secretOf(one, 'publisher').equals(secretOf(other, 'publisher'))).toBe(false);
    expect(secretOf(one, 'publisher').equals(secretOf(one, 'subscriber'))).toBe(false);
    expect(mistakesOf({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^HERALD_PUBLISHER_KEY must be set/),
      expect.stringMatching(/^HERALD_SUBSCRIBER_KEY must be set/),
      expect.stringMatching(/^HERALD_RESOURCE must be set/),
    ]);
  });

  it('takes any value from a file instead', () => {
    const files: Record<string, string> = { '/run/port': '9090\n' };
    const config = loadConfig({ PORT_FILE: '/run/port' }, (path) => files[path] ?? readFileSync(path, 'utf8'));
    expect(config.server.port).toBe(9_090);
  });

  it('refuses a value given twice, and a file that is not there', () => {
    expect(mistakesOf({ PORT: '1', PORT_FILE: '/run/port', HOST_FILE: '/nowhere/host' })).toEqual([
      'PORT and PORT_FILE are both set: keep one of them',
      "HOST_FILE can't be read: check the path and its permissions",
    ]);
  });

  it('takes times of any length that no timer waits for, such as how long updates are held', () => {
    const { hub, streams } = loadConfig({
      HERALD_RETAIN_AGE: '30d',
      HERALD_PRESENCE_RETAIN_AGE: '400d',
      HERALD_MAX_AGE: '25d',
      HERALD_SUBSCRIPTIONS_GRACE: '60d',
      HERALD_BATCH_IDLE: '30d',
    });
    const day = 86_400_000;
    expect([hub.journal.retention.age, hub.journal.presenceRetention.age]).toEqual([30 * day, 400 * day]);
    expect([streams.maxAge, hub.subscriptions.grace, hub.batches.idle]).toEqual([25 * day, 60 * day, 30 * day]);
  });

  it.each(['EVENTS_INTERVAL', 'HEARTBEAT', 'WRITE_TIMEOUT', 'FLUSH_INTERVAL', 'BODY_TIMEOUT'])(
    'refuses more of HERALD_%s than a timer can wait for',
    (name) => expect(mistakesOf({ [`HERALD_${name}`]: '25d' })).toEqual([expect.stringContaining('24d')]),
  );

  it('takes an empty variable for an absent one', () => {
    const keys = { HERALD_PUBLISHER_KEY: SECRET, HERALD_SUBSCRIBER_KEY: SECRET };
    expect(loadConfig({ ...keys, PORT: '', HERALD_MAX_AGE: '' })).toEqual(loadConfig(keys));
  });

  it.each([
    'capacitor://localhost',
    'ionic://localhost',
    'tauri://localhost',
    'app://.',
    'app://obsidian.md',
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://0b9d2b62-9c7f-4d0a-b8cb-1d9e4b4d8e1c',
    'https://*.example.com',
    'http://*.example.com:8080',
    'http://*.localhost:3000',
  ])('takes the origin %s', (origin) => {
    const config = loadConfig({ HERALD_CORS_ORIGINS: origin, HERALD_PUBLISH_ORIGINS: origin });
    expect([config.server.corsOrigins, config.auth.publishOrigins]).toEqual([[origin], [origin]]);
  });

  it('says why "null" is no origin that can be listed', () => {
    expect(() => loadConfig({ HERALD_CORS_ORIGINS: 'https://a.example,null' })).toThrow(
      /HERALD_CORS_ORIGINS.*sandboxed/,
    );
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['HERALD_EVENTS_INTERVAL', '0'],
    ['HERALD_EVENTS_INTERVAL', '2'],
    ['HERALD_HEARTBEAT', '25d'],
    ['HERALD_MAX_BODY', '1023b'],
    ['HERALD_MAX_BODIES', '1000kb'],
    ['HERALD_BODY_TIMEOUT', '0'],
    ['HERALD_BATCH_IDLE', '0'],
    ['HERALD_CORS_ORIGINS', 'https://a.example/'],
    ['HERALD_CORS_ORIGINS', '*'],
    ['HERALD_CORS_ORIGINS', 'null'],
    ['HERALD_CORS_ORIGINS', 'file://'],
    ['HERALD_CORS_ORIGINS', 'capacitor://localhost/'],
    ['HERALD_CORS_ORIGINS', 'wss://a.example'],
    ['HERALD_CORS_ORIGINS', 'https://*'],
    ['HERALD_CORS_ORIGINS', 'https://*.com'],
    ['HERALD_CORS_ORIGINS', 'https://*.com:8443'],
    ['HERALD_CORS_ORIGINS', 'https://*.1.2.3.4'],
    ['HERALD_CORS_ORIGINS', 'https://a*.example.com'],
    ['HERALD_CORS_ORIGINS', 'https://*.*.example.com'],
    ['HERALD_CORS_ORIGINS', 'https://*.example.com/'],
    ['HERALD_CORS_ORIGINS', 'app://*.example.com'],
    ['HERALD_CORS_HEADERS', '*'],
    ['HERALD_CORS_HEADERS', 'a b'],
    ['HERALD_MAX_HEAD', '1kb'],
    ['HERALD_MAX_HEAD', '2mb'],
    ['HERALD_TRUST_PROXY', 'yes'],
    ['HERALD_TRUST_PROXY', '10.0.0.0/33'],
    ['LOG_LEVEL', 'verbose'],
    ['HERALD_REQUEST_LOG', 'some'],
    ['HERALD_PUBLISHER_KEY', 'too short to be a secret'],
    ['HERALD_ANONYMOUS', 'yes'],
    ['HERALD_MAX_TOKEN_AGE', '59s'],
    ['HERALD_RETAIN_AGE', '999ms'],
    ['HERALD_RETAIN_AGE', '0'],
    ['HERALD_RETAIN_AGE', '999999999999d'],
    ['HERALD_MAX_AGE', '9ms'],
    ['HERALD_RETAIN_EVENTS', '0'],
    ['HERALD_RETAIN_EVENTS', '1e5'],
    ['HERALD_JOURNAL', 'paper:'],
    ['HERALD_JOURNAL', 'redis:'],
    ['HERALD_JOURNAL', 'redis://user:secret@/0'],
    ['HERALD_JOURNAL', 'redis://user:secret%@host/0'],
    ['HERALD_JOURNAL', 'redis://host/db'],
    ['HERALD_JOURNAL', 'redis://host?password=secret'],
    ['HERALD_REDIS_SENTINELS', 'a.example'],
    ['HERALD_REDIS_SENTINELS', 'a.example:0'],
    ['HERALD_REDIS_PREFIX', '{a}'],
    ['HERALD_REDIS_WAIT', '-1'],
    ['HERALD_JOURNAL', 'lmdb:'],
    ['HERALD_RESOURCE', 'https://example.com/hub'],
    ['HERALD_RESOURCE', 'https://example.com/realtime/.well-known/mercure'],
    ['HERALD_BASE_PATH', 'realtime'],
    ['HERALD_BASE_PATH', '/realtime/'],
    ['HERALD_BASE_PATH', '/'],
    ['HERALD_BASE_PATH', '/a/../b'],
    ['HERALD_BASE_PATH', '/a b'],
    ['HERALD_BASE_PATH', '/a?b'],
    ['HERALD_BASE_PATH', '/events'],
    ['HERALD_BASE_PATH', '/.well-known/x'],
  ])('refuses %s=%s, and does not repeat the value', (name, value) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} must be `))]);
    expect(mistakes[0]).not.toContain(`"${value}"`);
    expect(mistakes[0]).not.toContain(`=${value}`);
  });

  it('refuses half a certificate and a pair that does not fit', () => {
    expect(mistakesOf({ HERALD_TLS_CERT_FILE: `${CERTIFICATES}first.crt` })).toHaveLength(1);
    const mixed = {
      HERALD_TLS_CERT_FILE: `${CERTIFICATES}first.crt`,
      HERALD_TLS_KEY_FILE: `${CERTIFICATES}second.key`,
    };
    expect(mistakesOf(mixed)).toEqual([expect.stringContaining("the key the certificate's own")]);
  });

  it('refuses a variable of its own that it does not know, and leaves others alone', () => {
    expect(mistakesOf({ HERALD_HARTBEAT: '1s', HERALD_MAX_AGE_FILES: 'x', OTHER: 'x' })).toHaveLength(2);
  });

  it.each([
    [{ HERALD_REDIS_TLS_CA_FILE: `${CERTIFICATES}first.crt`, HERALD_JOURNAL: 'redis://host' }, /needs .*rediss:/],
    [{ HERALD_REDIS_TLS_CERT_FILE: `${CERTIFICATES}first.crt`, HERALD_JOURNAL: 'rediss://host' }, /go together/],
    [{ HERALD_REDIS_TLS_CA_FILE: '/nowhere', HERALD_JOURNAL: 'rediss://host' }, /readable PEM files/],
    [{ HERALD_REDIS_SENTINEL_USERNAME: 'asker' }, /needs HERALD_REDIS_SENTINEL_PASSWORD/],
    [{ HERALD_REDIS_CLUSTER: 'true', HERALD_REDIS_SENTINELS: 'a.example:26379' }, /exclude each other/],
  ])('refuses what does not go together of Redis: %o', (env, mistake) => {
    expect(mistakesOf(env)).toEqual([expect.stringMatching(mistake)]);
  });

  it('lists all mistakes at once in its message', () => {
    expect(() => loadConfig({ PORT: 'x', LOG_LEVEL: 'x', HERALD_X: 'x' })).toThrow(
      /3 place\(s\)[\s\S]*- HERALD_X[\s\S]*- PORT[\s\S]*- LOG_LEVEL/,
    );
  });

  it('is frozen through and through', () => {
    const config = loadConfig({ HERALD_CORS_ORIGINS: 'https://a.example' });
    expect(
      Object.isFrozen(config) && Object.isFrozen(config.server) && Object.isFrozen(config.server.corsOrigins),
    ).toBe(true);
  });
});
