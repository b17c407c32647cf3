import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import { count, duration, flag, hubUrl, origins, port, secret, size, trustProxy, type TrustProxy } from './fields.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every variable that Herald reads: its name, its meaning in `README.md`, its default here. */
const variables = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: port().default(8080),
  HOST: z.string().optional(),
  HERALD_EVENTS_INTERVAL: duration({ min: 10 }).default(2_000),
  HERALD_HEARTBEAT: duration({ min: 10, zero: true }).default(20_000),
  HERALD_MAX_AGE: duration({ min: 10, zero: true }).default(600_000),
  HERALD_WRITE_TIMEOUT: duration({ min: 10 }).default(30_000),
  HERALD_FLUSH_INTERVAL: duration({ min: 1, zero: true }).default(0),
  HERALD_JOURNAL: z.literal('memory:', 'must be memory:').default('memory:'),
  HERALD_RETAIN_EVENTS: count({ min: 1 }).default(100_000),
  HERALD_RETAIN_BYTES: size({ min: 1024 }).default(256 * 1024 ** 2),
  HERALD_RETAIN_AGE: duration({ min: 1_000 }).default(86_400_000),
  HERALD_RECENT_BYTES: size({ min: 1024 }).default(64 * 1024 ** 2),
  HERALD_RESOURCE: hubUrl().optional(),
  HERALD_PUBLISHER_KEY: secret().optional(),
  HERALD_SUBSCRIBER_KEY: secret().optional(),
  HERALD_ANONYMOUS: flag().default(false),
  HERALD_MAX_BODY: size({ min: 1024 }).default(1024 ** 2),
  HERALD_CORS_ORIGINS: origins().default([]),
  HERALD_TLS_CERT_FILE: z.string().optional(),
  HERALD_TLS_KEY_FILE: z.string().optional(),
  HERALD_TRUST_PROXY: trustProxy().default(false),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

type Variables = z.output<typeof variables>;

/** Where the certificate and its key lie. The files are read again when they change. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What the process was told, validated and frozen. Durations are in milliseconds, sizes in bytes. */
export interface Config {
  readonly production: boolean;
  readonly server: {
    readonly host: string;
    readonly port: number;
    readonly maxBodyBytes: number;
    readonly corsOrigins: readonly string[];
    readonly trustProxy: TrustProxy;
    readonly tls: TlsFiles | undefined;
  };
  readonly events: { readonly interval: number };
  readonly streams: { readonly heartbeat: number; readonly maxAge: number; readonly writeTimeout: number };
  readonly hub: {
    readonly hubUrl: string;
    readonly recentBytes: number;
    readonly flushInterval: number;
    readonly retention: { readonly events: number; readonly bytes: number; readonly age: number };
  };
  readonly auth: {
    readonly publisherKey: string;
    readonly subscriberKey: string;
    readonly anonymous: boolean;
    /** Keys that were not given, and made at random for this run. */
    readonly madeUp: readonly ('publisher' | 'subscriber')[];
  };
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** The environment holds something that Herald can't run with. The message lists every mistake and how to mend it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly mistakes: readonly string[]) {
    super(
      `Herald can't start: the environment is wrong in ${mistakes.length} place(s).\n  - ${mistakes.join('\n  - ')}`,
    );
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;

/**
 * The configuration that `env` describes. Each variable may also be given as `NAME_FILE`, the path of a file that holds
 * its value. An empty variable counts as absent.
 * @throws {ConfigError} which names all mistakes at once.
 */
export function loadConfig(env: Environment, readFile: ReadFile = (path) => readFileSync(path, 'utf8')): Config {
  const mistakes: string[] = [];
  const given = gather(env, readFile, mistakes);
  const result = variables.safeParse(given);
  for (const issue of result.error?.issues ?? []) mistakes.push(`${issue.path.join('.')} ${issue.message}`);
  mistakes.push(...productionMistakes(given), ...tlsMistakes(given, readFile));
  if (!result.success || mistakes.length > 0) throw new ConfigError(mistakes);
  return deepFreeze(toConfig(result.data));
}

/** The known variables' texts, from the environment or from the files it points to. */
function gather(env: Environment, readFile: ReadFile, mistakes: string[]): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(variables.shape)) {
    const value = env[name];
    const path = env[`${name}_FILE`];
    if (value && path) mistakes.push(`${name} and ${name}_FILE are both set: keep one of them`);
    else if (value) given[name] = value;
    else if (path) readInto(given, name, path, readFile, mistakes);
  }
  for (const name of Object.keys(env)) {
    if (name.startsWith('HERALD_') && !isKnown(name)) {
      mistakes.push(`${name} is not a variable Herald knows: see the README's table for its spelling`);
    }
  }
  return given;
}

function readInto(
  given: Record<string, string>,
  name: string,
  path: string,
  readFile: ReadFile,
  mistakes: string[],
): void {
  try {
    given[name] = readFile(path).trim();
  } catch {
    mistakes.push(`${name}_FILE can't be read: check the path and its permissions`);
  }
}

function isKnown(name: string): boolean {
  return name in variables.shape || (name.endsWith('_FILE') && name.slice(0, -'_FILE'.length) in variables.shape);
}

function tlsMistakes(given: Readonly<Record<string, string>>, readFile: ReadFile): string[] {
  const certFile = given['HERALD_TLS_CERT_FILE'];
  const keyFile = given['HERALD_TLS_KEY_FILE'];
  if (!certFile && !keyFile) return [];
  if (!certFile || !keyFile) return ['HERALD_TLS_CERT_FILE and HERALD_TLS_KEY_FILE go together: set both or neither'];
  try {
    createSecureContext({ cert: readFile(certFile), key: readFile(keyFile) });
    return [];
  } catch {
    return [
      "HERALD_TLS_CERT_FILE and HERALD_TLS_KEY_FILE must be readable PEM files, and the key the certificate's own",
    ];
  }
}

function toConfig(v: Variables): Config {
  const production = v.NODE_ENV === 'production';
  const certFile = v.HERALD_TLS_CERT_FILE;
  const keyFile = v.HERALD_TLS_KEY_FILE;
  return {
    production,
    server: {
      host: v.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
      port: v.PORT,
      maxBodyBytes: v.HERALD_MAX_BODY,
      corsOrigins: v.HERALD_CORS_ORIGINS,
      trustProxy: v.HERALD_TRUST_PROXY,
      tls: certFile && keyFile ? { certFile, keyFile } : undefined,
    },
    events: { interval: v.HERALD_EVENTS_INTERVAL },
    streams: { heartbeat: v.HERALD_HEARTBEAT, maxAge: v.HERALD_MAX_AGE, writeTimeout: v.HERALD_WRITE_TIMEOUT },
    hub: {
      hubUrl: v.HERALD_RESOURCE ?? `${certFile ? 'https' : 'http'}://localhost:${v.PORT}/.well-known/mercure`,
      recentBytes: v.HERALD_RECENT_BYTES,
      flushInterval: v.HERALD_FLUSH_INTERVAL,
      retention: { events: v.HERALD_RETAIN_EVENTS, bytes: v.HERALD_RETAIN_BYTES, age: v.HERALD_RETAIN_AGE },
    },
    auth: toAuth(v),
    logLevel: v.LOG_LEVEL,
  };
}

/** In development a key that was not given is made up; in production `productionMistakes` has refused already. */
function toAuth(v: Variables): Config['auth'] {
  const madeUp = [
    ...(v.HERALD_PUBLISHER_KEY ? [] : (['publisher'] as const)),
    ...(v.HERALD_SUBSCRIBER_KEY ? [] : (['subscriber'] as const)),
  ];
  return {
    publisherKey: v.HERALD_PUBLISHER_KEY ?? randomBytes(32).toString('base64url'),
    subscriberKey: v.HERALD_SUBSCRIBER_KEY ?? randomBytes(32).toString('base64url'),
    anonymous: v.HERALD_ANONYMOUS,
    madeUp,
  };
}

function productionMistakes(given: Readonly<Record<string, string>>): string[] {
  if (given['NODE_ENV'] !== 'production') return [];
  return ['HERALD_PUBLISHER_KEY', 'HERALD_SUBSCRIBER_KEY']
    .filter((name) => !given[name])
    .map((name) => `${name} must be set in production: a secret of at least 32 bytes`);
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    if (typeof child === 'object' && child !== null) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
