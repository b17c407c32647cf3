import { describe, expect, it } from '@jest/globals';
import { adviceFor } from './advice.js';
import { loadConfig } from './config.js';

const KEYS = { HERALD_PUBLISHER_KEY: 'p'.repeat(32), HERALD_SUBSCRIBER_KEY: 's'.repeat(32) };
const RESOURCE = 'https://hub.example/.well-known/mercure';
const PRODUCTION = { ...KEYS, NODE_ENV: 'production', HERALD_RESOURCE: RESOURCE, HERALD_JOURNAL: 'lmdb:/journal' };

/** The level of each piece of advice, with the first variable that it names. */
function adviceOn(env: Record<string, string>): string[] {
  return adviceFor(loadConfig(env)).map(
    ({ level, message }) => `${level} ${/HERALD_\w+|HOST|NODE_ENV/.exec(message)?.[0]}`,
  );
}

describe('adviceFor', () => {
  it.each<[string, Record<string, string>]>([
    ['a developer who has set nothing', {}],
    ['a production that has what it needs', PRODUCTION],
    [
      'one that says which proxy stands before it',
      { ...PRODUCTION, HERALD_MAX_CONNECTIONS_PER_ADDRESS: '5', HERALD_TRUST_PROXY: '1' },
    ],
    [
      'one at an address of this machine',
      { ...PRODUCTION, HERALD_RESOURCE: 'http://127.0.0.1:8080/.well-known/mercure' },
    ],
  ])('has nothing to say to %s', (_, env) => expect(adviceOn(env)).toEqual([]));

  it.each<[string, Record<string, string>, string]>([
    ['tokens without an audience of their own', KEYS, 'warn HERALD_RESOURCE'],
    [
      'a public URL in the clear',
      { ...PRODUCTION, HERALD_RESOURCE: RESOURCE.replace('https', 'http') },
      'warn HERALD_RESOURCE',
    ],
    ['made-up keys that others can get', { HOST: '0.0.0.0' }, 'warn HOST'],
    [
      'a limit by address behind a proxy',
      { ...PRODUCTION, HERALD_MAX_CONNECTIONS_PER_ADDRESS: '5' },
      'warn HERALD_MAX_CONNECTIONS_PER_ADDRESS',
    ],
    ['a history that a restart forgets', { ...PRODUCTION, HERALD_JOURNAL: 'memory:' }, 'info HERALD_JOURNAL'],
  ])('tells of %s', (_, env, expected) => expect(adviceOn(env)).toEqual([expected]));
});
