import { expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../../config/config.js';
import { tellStart } from './first-line.js';

const KEYS = { HERALD_PUBLISHER_KEY: 'p'.repeat(32), HERALD_SUBSCRIBER_KEY: 's'.repeat(32) };

/** The settings that the first line tells, and the line itself. */
function told(env: Readonly<Record<string, string>>): { line: string; settings: Record<string, unknown> } {
  let line = '';
  const logger = pino({ base: null }, { write: (text: string) => void (line += text) });
  const config = loadConfig({ ...KEYS, ...env });
  tellStart(logger, { ...config, server: { ...config.server, maxSockets: 800 } });
  return { line, settings: (JSON.parse(line) as { settings: Record<string, unknown> }).settings };
}

it.each([
  ['memory:', {}, { kind: 'memory' }],
  ['lmdb:/var/lib/herald', {}, { kind: 'lmdb', path: '/var/lib/herald' }],
  [
    'rediss://user:hush@redis.example:6380/2',
    { HERALD_REDIS_PREFIX: 'hub' },
    { kind: 'rediss', host: 'redis.example:6380', database: '2', prefix: 'hub' },
  ],
  [
    'redis://:hush@[::1]',
    { HERALD_REDIS_CLUSTER: 'true' },
    { kind: 'redis', host: '[::1]', database: '0', prefix: 'herald', cluster: true },
  ],
  [
    'redis://:hush@ignored',
    { HERALD_REDIS_SENTINELS: 'a:1, b:2', HERALD_REDIS_SENTINEL_PASSWORD: 'hush' },
    { kind: 'redis', sentinels: ['a:1', 'b:2'], database: '0', prefix: 'herald' },
  ],
])('names the journal without credentials: %s', (journal, more, place) => {
  const { line, settings } = told({ HERALD_JOURNAL: journal, ...more });
  expect(settings['journal']).toEqual(place);
  expect(line).not.toMatch(/hush|user|pppp|ssss/);
});

it('says what is in effect', () => {
  const { settings } = told({
    HERALD_ISSUER: 'https://login.example',
    HERALD_MAX_CONNECTIONS: '500',
    HERALD_MAX_BODY: '2mb',
    HERALD_MAX_OUTSTANDING: '1mb',
    HERALD_RETAIN_AGE: '1h',
    HERALD_REQUEST_LOG: 'errors',
    HERALD_AUTHORIZE_URL: 'https://application.example/authorize?key=hush',
  });
  expect(settings).toMatchObject({
    issuers: ['https://login.example'],
    asksApplication: true,
    tls: false,
    requestLog: 'errors',
    limits: {
      sockets: 800,
      streams: 500,
      body: 2 * 1024 ** 2,
      outstanding: 1024 ** 2,
      retention: { age: 3_600_000 },
    },
  });
});
