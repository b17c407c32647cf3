import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig, type Environment } from './config.js';

const CERTIFICATES = new URL('../../test/support/certificates/', import.meta.url).pathname;

function mistakesOf(env: Environment): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    expect(loadConfig({})).toEqual({
      production: false,
      server: {
        host: '127.0.0.1',
        port: 8080,
        maxBodyBytes: 1_048_576,
        corsOrigins: [],
        trustProxy: false,
        tls: undefined,
      },
      events: { interval: 2_000 },
      streams: { heartbeat: 20_000, maxAge: 600_000 },
      logLevel: 'info',
    });
  });

  it('listens on every address in production only', () => {
    expect(loadConfig({ NODE_ENV: 'production' }).server.host).toBe('0.0.0.0');
    expect(loadConfig({ NODE_ENV: 'production', HOST: '10.0.0.1' }).server.host).toBe('10.0.0.1');
  });

  it('reads every variable', () => {
    const config = loadConfig({
      PORT: '0',
      HOST: '::1',
      HERALD_EVENTS_INTERVAL: '100ms',
      HERALD_HEARTBEAT: '0',
      HERALD_MAX_AGE: '1h',
      HERALD_MAX_BODY: '2mb',
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
      streams: { heartbeat: 0, maxAge: 3_600_000 },
      logLevel: 'debug',
    });
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

  it('takes an empty variable for an absent one', () => {
    expect(loadConfig({ PORT: '', HERALD_MAX_AGE: '' })).toEqual(loadConfig({}));
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['HERALD_EVENTS_INTERVAL', '0'],
    ['HERALD_EVENTS_INTERVAL', '2'],
    ['HERALD_HEARTBEAT', '25d'],
    ['HERALD_MAX_BODY', '1023b'],
    ['HERALD_CORS_ORIGINS', 'https://a.example/'],
    ['HERALD_CORS_ORIGINS', '*'],
    ['HERALD_CORS_ORIGINS', 'null'],
    ['HERALD_TRUST_PROXY', 'yes'],
    ['HERALD_TRUST_PROXY', '10.0.0.0/33'],
    ['LOG_LEVEL', 'verbose'],
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
