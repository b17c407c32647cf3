import { KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.js';

const CERTIFICATES = new URL('../../test/support/certificates/', import.meta.url).pathname;

const SECRET = 's'.repeat(32);

describe('loadConfig', () => {
  it('reads every variable', () => {
    const config = loadConfig({
      PORT: '0',
      HOST: '::1',
      HERALD_EVENTS_INTERVAL: '100ms',
      HERALD_HEARTBEAT: '0',
      HERALD_MAX_AGE: '1h',
      HERALD_WRITE_TIMEOUT: '5s',
      HERALD_MAX_OUTSTANDING: '32mb',
      HERALD_FLUSH_INTERVAL: '20ms',
      HERALD_JOURNAL: 'rediss://user:p%40ss@redis.example:6380/2',
      HERALD_REDIS_PREFIX: 'hub-1',
      HERALD_REDIS_SENTINELS: 'a.example:26379, [::1]:26380',
      HERALD_REDIS_SENTINEL_NAME: 'main',
      HERALD_REDIS_CLUSTER: 'false',
      HERALD_REDIS_WAIT: '1',
      HERALD_INDEX_BYTES: '16mb',
      HERALD_RETAIN_EVENTS: '10',
      HERALD_RETAIN_BYTES: '1mb',
      HERALD_RETAIN_AGE: '1m',
      HERALD_PRESENCE_RETAIN_EVENTS: '5',
      HERALD_PRESENCE_RETAIN_BYTES: '2mb',
      HERALD_PRESENCE_RETAIN_AGE: '30s',
      HERALD_RECENT_BYTES: '8mb',
      HERALD_RESOURCE: 'https://example.com/.well-known/mercure',
      HERALD_ISSUER: 'https://auth.example.com',
      HERALD_PUBLISHER_KEY: SECRET,
      HERALD_SUBSCRIBER_KEY: `${SECRET}!`,
      HERALD_ADMIN_KEY: SECRET + SECRET,
      HERALD_ADMIN_ALG: 'HS512',
      HERALD_COOKIE_NAME: 'token',
      HERALD_PUBLISH_ORIGINS: 'https://app.example.com',
      HERALD_PROTECT_EVENTS: 'true',
      HERALD_LEGACY: 'true',
      HERALD_SUBSCRIPTIONS: 'true',
      HERALD_SUBSCRIPTIONS_GRACE: '3s',
      HERALD_SUBSCRIPTIONS_ANONYMOUS: 'false',
      HERALD_MAX_CONNECTIONS: '1000',
      HERALD_MAX_CONNECTIONS_PER_ADDRESS: '100',
      HERALD_MAX_CONNECTIONS_PER_SUBJECT: '10',
      HERALD_MAX_TOKEN_AGE: '30d',
      HERALD_ANONYMOUS: 'true',
      HERALD_MAX_BODY: '2mb',
      HERALD_MAX_BODIES: '8mb',
      HERALD_BODY_TIMEOUT: '5s',
      HERALD_PUBLISH_RATE: '100',
      HERALD_PUBLISH_BYTES: '1mb',
      HERALD_PUBLISH_RATE_ALL: '5000',
      HERALD_PUBLISH_BYTES_ALL: '32mb',
      HERALD_CORS_ORIGINS: 'https://a.example , http://localhost:3000',
      HERALD_TRUST_PROXY: '10.0.0.0/8,::1',
      HERALD_TLS_CERT_FILE: `${CERTIFICATES}first.crt`,
      HERALD_TLS_KEY_FILE: `${CERTIFICATES}first.key`,
      LOG_LEVEL: 'debug',
    });
    expect(config).toEqual({
      production: false,
      server: {
        host: '::1',
        port: 0,
        maxBodyBytes: 2_097_152,
        corsOrigins: ['https://a.example', 'http://localhost:3000'],
        trustProxy: ['10.0.0.0/8', '::1'],
        tls: { certFile: `${CERTIFICATES}first.crt`, keyFile: `${CERTIFICATES}first.key` },
      },
      events: { interval: 100 },
      streams: {
        heartbeat: 0,
        maxAge: 3_600_000,
        writeTimeout: 5_000,
        maxOutstanding: 33_554_432,
        maxConnections: 1000,
        maxConnectionsPerAddress: 100,
        maxConnectionsPerSubject: 10,
      },
      hub: {
        legacy: true,
        subscriptions: { enabled: true, grace: 3_000, anonymous: false },
        hubUrl: 'https://example.com/.well-known/mercure',
        recentBytes: 8_388_608,
        flushInterval: 20,
        quota: { each: { updates: 100, bytes: 1_048_576 }, all: { updates: 5_000, bytes: 33_554_432 } },
        bodies: { timeout: 5_000, maxBytes: 8_388_608 },
        journal: {
          url: 'rediss://user:p%40ss@redis.example:6380/2',
          retention: { events: 10, bytes: 1_048_576, age: 60_000 },
          presenceRetention: { events: 5, bytes: 2_097_152, age: 30_000 },
          redis: {
            prefix: 'hub-1',
            sentinels: [
              { host: 'a.example', port: 26_379 },
              { host: '::1', port: 26_380 },
            ],
            sentinelName: 'main',
            isCluster: false,
            replicas: 1,
            indexBytes: 16_777_216,
          },
        },
      },
      auth: {
        issuers: [
          {
            issuer: 'https://auth.example.com',
            keys: {
              publisher: { key: expect.any(KeyObject), algorithm: 'HS256' },
              subscriber: { key: expect.any(KeyObject), algorithm: 'HS256' },
              admin: { key: expect.any(KeyObject), algorithm: 'HS512' },
            },
          },
        ],
        resource: 'https://example.com/.well-known/mercure',
        maxTokenAge: 2_592_000_000,
        anonymous: true,
        legacy: true,
        cookieName: 'token',
        publishOrigins: ['https://app.example.com'],
        protectEvents: true,
        madeUp: [],
      },
      logLevel: 'debug',
    });
  });
});
