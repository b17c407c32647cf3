import { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type Environment, gather, type ReadFile } from './environment.js';
import {
  applicationUrl,
  cookieName,
  count,
  type Address,
  duration,
  flag,
  listenAddress,
  onOrOff,
  port,
  size,
  span,
  trustProxy,
  type TrustProxy,
} from './fields/fields.js';
import { type IssuerConfig, isKeySetUri, keysOf } from './keys/issuers.js';
import { isShared, JOURNAL_VARIABLES, type JournalConfig, toJournal } from './journal-variables.js';
import { MemoryFit } from './memory/memory-fit.js';
import { memoryLimits, type MemoryLimits } from './memory/memory-limits.js';
import { headerNames, TRACING_HEADERS } from './fields/header-names.js';
import { origins } from './fields/origins.js';
import { HUB_PATH } from '../shared/hub-path.js';
import { mistakesIn } from './mistakes.js';
import { basePath, hubUrl } from './fields/public-url.js';
import { type Role, ROLES } from '../shared/role.js';
import { readTraces, type TracesConfig } from './trace-variables.js';
import { isWeak } from './keys/keys.js';
import { madeUpSecrets, type Secrets, toIssuers } from './keys/key-variables.js';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const REQUEST_LOGS = ['all', 'errors', 'off'] as const;

/** Which answered requests are logged: all, those with a status of 400 or above, or none. */
export type RequestLog = (typeof REQUEST_LOGS)[number];

/** Every variable that Herald reads, with its default. `README.md` says what each means. */
const variables = z.object({
  NODE_ENV: z.string().default('development'),
  PORT: port().default(8080),
  HOST: z.string().optional(),
  HERALD_INTERNAL_LISTEN: listenAddress().optional(),
  HERALD_ADMIN_INTERNAL: flag().default(false),
  HERALD_EVENTS_INTERVAL: duration({ min: 10 }).default(2_000),
  HERALD_HEARTBEAT: duration({ min: 10, zero: true }).default(20_000),
  HERALD_MAX_AGE: span({ min: 10, zero: true }).default(600_000),
  HERALD_WRITE_TIMEOUT: duration({ min: 10 }).default(30_000),
  HERALD_DRAIN_DELAY: duration({ min: 10, zero: true }).default(0),
  HERALD_DRAIN_WINDOW: duration({ min: 10, zero: true }).default(5_000),
  HERALD_MAX_OUTSTANDING: size({ min: 64 * 1024 }).optional(),
  HERALD_FLUSH_INTERVAL: duration({ min: 1, zero: true }).default(0),
  ...JOURNAL_VARIABLES,
  HERALD_RECENT_BYTES: size({ min: 1024 }).optional(),
  HERALD_BASE_PATH: basePath().default(''),
  HERALD_RESOURCE: hubUrl().optional(),
  HERALD_ISSUER: z.string().default('herald'),
  HERALD_PUBLISHER_KEY: z.string().optional(),
  HERALD_PUBLISHER_ALG: z.string().optional(),
  HERALD_SUBSCRIBER_KEY: z.string().optional(),
  HERALD_SUBSCRIBER_ALG: z.string().optional(),
  HERALD_ADMIN_KEY: z.string().optional(),
  HERALD_ADMIN_ALG: z.string().optional(),
  HERALD_JWKS_URI: z.string().refine(isKeySetUri, 'must be an https URL, or http on localhost').optional(),
  HERALD_JWKS_FILE: z.string().optional(),
  HERALD_ISSUERS_FILE: z.string().optional(),
  HERALD_AUTHORIZE_URL: applicationUrl().optional(),
  HERALD_MAX_TOKEN_AGE: span({ min: 60_000 }).default(90 * 86_400_000),
  HERALD_ANONYMOUS: flag().default(false),
  HERALD_COOKIE_NAME: cookieName().default('__Secure-mercure_access_token'),
  HERALD_PUBLISH_ORIGINS: origins().default([]),
  HERALD_PROTECT_EVENTS: flag().default(false),
  HERALD_LEGACY: flag().default(false),
  HERALD_WEAK_SECRETS: flag().default(false),
  HERALD_NOTICES: onOrOff().default(true),
  HERALD_SUBSCRIPTIONS: flag().default(false),
  HERALD_SUBSCRIPTIONS_ANONYMOUS: flag().default(true),
  HERALD_SUBSCRIPTIONS_GRACE: span({ min: 10, zero: true }).default(10_000),
  HERALD_MAX_CONNECTIONS: count({ min: 0 }).optional(),
  HERALD_MAX_CONNECTIONS_PER_ADDRESS: count({ min: 0 }).default(0),
  HERALD_MAX_CONNECTIONS_PER_SUBJECT: count({ min: 0 }).default(0),
  HERALD_MAX_BODY: size({ min: 1024 }).default(1024 ** 2),
  HERALD_MAX_BODIES: size({ min: 1024 ** 2 }).optional(),
  HERALD_BODY_TIMEOUT: duration({ min: 100 }).default(30_000),
  HERALD_BATCH_IDLE: span({ min: 100 }).default(60_000),
  HERALD_PUBLISH_RATE: count({ min: 0 }).default(0),
  HERALD_PUBLISH_BYTES: size({ min: 0 }).default(0),
  HERALD_PUBLISH_RATE_ALL: count({ min: 0 }).default(0),
  HERALD_PUBLISH_BYTES_ALL: size({ min: 0 }).default(0),
  HERALD_MAX_HEAD: size({ min: 8 * 1024, max: 1024 ** 2 }).default(64 * 1024),
  HERALD_CORS_ORIGINS: origins().default([]),
  HERALD_CORS_HEADERS: headerNames().default(TRACING_HEADERS),
  HERALD_TLS_CERT_FILE: z.string().optional(),
  HERALD_TLS_KEY_FILE: z.string().optional(),
  HERALD_TRUST_PROXY: trustProxy().default(false),
  HERALD_TRACES: flag().default(false),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  HERALD_REQUEST_LOG: z.enum(REQUEST_LOGS, `must be one of ${REQUEST_LOGS.join(', ')}`).default('all'),
});

type Variables = z.output<typeof variables>;

/** Where the certificate and its key lie. The files are read again when they change. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** How callers show who they are. */
export interface AuthConfig {
  /** The issuers whose tokens are accepted. At least one in the service, and none in `defaultConfig()`. */
  readonly issuers: readonly IssuerConfig[];
  /** Where the application says what requests without an access token may do; undefined where tokens alone count. */
  readonly authorizeUrl: string | undefined;
  /** What a token's `aud` must name; undefined for the hub's URL as each request gives it. */
  readonly resource: string | undefined;
  /** Milliseconds after its issue for which a token is good at most, whatever it says itself. */
  readonly maxTokenAge: number;
  /** Whether readers without a token get public updates. */
  readonly anonymous: boolean;
  /** Whether tokens of the 0.x dialect are accepted as well, also where only that dialect puts them. */
  readonly legacy: boolean;
  /** The cookie that browsers bring a token in (R45). */
  readonly cookieName: string;
  /** Origins whose pages may publish with a cookie, besides the hub's own (R89). */
  readonly publishOrigins: readonly string[];
}

interface PublishRate {
  readonly updates: number;
  readonly bytes: number;
}

/** What the process was told, validated and frozen. Durations are in milliseconds, sizes in bytes. */
export interface Config {
  readonly production: boolean;
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Where operators find health, metrics and administration; undefined for nowhere but the public address. */
    readonly internal: Address | undefined;
    /** Whether administration answers at the internal address only. */
    readonly isAdminInternal: boolean;
    /** Below which path of another site the service is found, such as `/realtime`; empty for none. */
    readonly basePath: string;
    readonly maxBodyBytes: number;
    /** Bytes of a request's head. */
    readonly maxHeadBytes: number;
    readonly corsOrigins: readonly string[];
    /** Which headers pages of these origins may send, besides those that the hub reads. */
    readonly corsHeaders: readonly string[];
    readonly trustProxy: TrustProxy;
    readonly tls: TlsFiles | undefined;
    /** How many sockets there may be; undefined where the system does not tell how many files may be open. */
    readonly maxSockets?: number | undefined;
  };
  readonly events: { readonly interval: number };
  readonly streams: {
    readonly heartbeat: number;
    readonly maxAge: number;
    readonly writeTimeout: number;
    /** Bytes that all streams together may hold for clients that have not taken them; undefined for the default. */
    readonly maxOutstanding: number | undefined;
    /** How many streams may be open; 0 is no limit, and undefined as many as there are descriptors for. */
    readonly maxConnections: number | undefined;
    readonly maxConnectionsPerAddress: number;
    readonly maxConnectionsPerSubject: number;
    /** How many refused streams may be held for a while; undefined for the default. */
    readonly maxHeldRefusals?: number | undefined;
    /** Whether streams of the current protocol get notices where they do not say. */
    readonly notices: boolean;
    /**
     * How streams are let go before the end of the process: how long it waits before, over what time they end, and whether
     * no other process has the same log.
     */
    readonly drain: { readonly delay: number; readonly window: number; readonly isAlone: boolean };
  };
  readonly hub: {
    readonly hubUrl: string;
    /** Whether subscriptions of the 0.x dialect are served as well. */
    readonly legacy: boolean;
    /** Whether Herald tells who is subscribed, and for how many milliseconds a lease outlives its connection. */
    readonly subscriptions: { readonly enabled: boolean; readonly grace: number; readonly anonymous: boolean };
    readonly recentBytes: number;
    readonly flushInterval: number;
    /** How much may be published in a second, by each publisher and by all; 0 is no limit. */
    readonly quota: { readonly each: PublishRate; readonly all: PublishRate };
    /** Within which time a body must have come, and how many bytes of bodies are held at once. */
    readonly bodies: { readonly timeout: number; readonly maxBytes: number | undefined };
    /** For how long a batch may go without a line. */
    readonly batches: { readonly idle: number };
    readonly journal: JournalConfig;
  };
  readonly auth: AuthConfig & {
    readonly protectEvents: boolean;
    /** The roles whose secrets are shorter than their algorithms ask for, which is allowed by a setting only. */
    readonly weak: readonly Role[];
    /** The roles whose secrets were not given, and so were generated for this run. */
    readonly madeUp: readonly Role[];
  };
  /** Undefined where nothing is traced. */
  readonly traces: TracesConfig | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly requestLog: RequestLog;
  /** How much memory the process may take; what the operator has asked for, and does not get because of that. */
  readonly memory: MemoryLimits & { readonly warnings: readonly string[] };
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

/**
 * The configuration that `env` describes. Each variable may also be given as `NAME_FILE`, the path of a file that holds
 * its value.
 * @param earlier secrets that an earlier call has made up, which are not made up anew.
 * @throws {ConfigError} which names all mistakes at once.
 */
export function loadConfig(
  env: Environment,
  readFile: ReadFile = (path) => readFileSync(path, 'utf8'),
  limits: MemoryLimits = memoryLimits(),
  earlier: Secrets = {},
): Config {
  const mistakes: string[] = [];
  const given = gather(Object.keys(variables.shape), env, readFile, mistakes);
  const result = variables.safeParse(given);
  const issues = result.error?.issues ?? [];
  for (const issue of issues) mistakes.push(`${issue.path.join('.')} ${issue.message}`);
  mistakes.push(...mistakesIn(given, readFile));
  // Keys are looked at also beside other mistakes, so that all are named at once.
  const right = result.data ?? variables.parse(withoutMistaken(given, issues));
  const madeUp = madeUpSecrets(right, earlier);
  const issuers = toIssuers(right, madeUp, { readFile, mistakes });
  // Where Herald's own variable has not switched traces on, nothing that is meant for other programs is looked at.
  const traces = given['HERALD_TRACES'] === 'true' ? readTraces(env, readFile, mistakes) : undefined;
  if (!result.success || mistakes.length > 0) throw new ConfigError(mistakes);
  return deepFreeze({ ...toConfig(result.data, limits, issuers, Object.keys(madeUp) as Role[]), traces });
}

/** The variables but those that have a mistake, which then have their defaults. */
function withoutMistaken(
  given: Readonly<Record<string, string>>,
  issues: readonly { readonly path: readonly PropertyKey[] }[],
): Record<string, string> {
  const mistaken = new Set(issues.map(({ path }) => path[0]));
  return Object.fromEntries(Object.entries(given).filter(([name]) => !mistaken.has(name)));
}

/** The configuration of an empty environment, but without any issuer, and with another journal where `url` names one. */
export function defaultConfig(url = 'memory:', limits: MemoryLimits = memoryLimits()): Config {
  return deepFreeze({
    ...toConfig({ ...variables.parse({}), HERALD_JOURNAL: url }, limits, [], []),
    traces: undefined,
  });
}

function toConfig(
  v: Variables,
  limits: MemoryLimits,
  issuers: readonly IssuerConfig[],
  madeUp: readonly Role[],
): Omit<Config, 'traces'> {
  const production = v.NODE_ENV === 'production';
  const memory = new MemoryFit(limits);
  return {
    production,
    server: toServer(v),
    events: { interval: v.HERALD_EVENTS_INTERVAL },
    streams: toStreams(v),
    hub: {
      legacy: v.HERALD_LEGACY,
      subscriptions: {
        enabled: v.HERALD_SUBSCRIPTIONS,
        grace: v.HERALD_SUBSCRIPTIONS_GRACE,
        anonymous: v.HERALD_SUBSCRIPTIONS_ANONYMOUS,
      },
      hubUrl:
        v.HERALD_RESOURCE ??
        `${v.HERALD_TLS_CERT_FILE ? 'https' : 'http'}://localhost:${v.PORT}${v.HERALD_BASE_PATH}${HUB_PATH}`,
      recentBytes: memory.bytesOf('recent', v.HERALD_RECENT_BYTES),
      flushInterval: v.HERALD_FLUSH_INTERVAL,
      quota: {
        each: { updates: v.HERALD_PUBLISH_RATE, bytes: v.HERALD_PUBLISH_BYTES },
        all: { updates: v.HERALD_PUBLISH_RATE_ALL, bytes: v.HERALD_PUBLISH_BYTES_ALL },
      },
      bodies: { timeout: v.HERALD_BODY_TIMEOUT, maxBytes: v.HERALD_MAX_BODIES },
      batches: { idle: v.HERALD_BATCH_IDLE },
      journal: toJournal(v, memory),
    },
    auth: {
      issuers,
      authorizeUrl: v.HERALD_AUTHORIZE_URL,
      resource: v.HERALD_RESOURCE,
      maxTokenAge: v.HERALD_MAX_TOKEN_AGE,
      anonymous: v.HERALD_ANONYMOUS,
      legacy: v.HERALD_LEGACY,
      cookieName: v.HERALD_COOKIE_NAME,
      publishOrigins: v.HERALD_PUBLISH_ORIGINS,
      protectEvents: v.HERALD_PROTECT_EVENTS,
      weak: ROLES.filter((role) => issuers.some((issuer) => keysOf(issuer, role).some(isWeak))),
      madeUp,
    },
    logLevel: v.LOG_LEVEL,
    requestLog: v.HERALD_REQUEST_LOG,
    memory: { ...limits, warnings: memory.warnings },
  };
}

function toStreams(v: Variables): Config['streams'] {
  return {
    heartbeat: v.HERALD_HEARTBEAT,
    maxAge: v.HERALD_MAX_AGE,
    writeTimeout: v.HERALD_WRITE_TIMEOUT,
    maxOutstanding: v.HERALD_MAX_OUTSTANDING,
    maxConnections: v.HERALD_MAX_CONNECTIONS,
    maxConnectionsPerAddress: v.HERALD_MAX_CONNECTIONS_PER_ADDRESS,
    maxConnectionsPerSubject: v.HERALD_MAX_CONNECTIONS_PER_SUBJECT,
    notices: v.HERALD_NOTICES,
    drain: {
      delay: v.HERALD_DRAIN_DELAY,
      window: v.HERALD_DRAIN_WINDOW,
      isAlone: !isShared(v.HERALD_JOURNAL),
    },
  };
}

function toServer(v: Variables): Config['server'] {
  const certFile = v.HERALD_TLS_CERT_FILE;
  const keyFile = v.HERALD_TLS_KEY_FILE;
  return {
    host: v.HOST ?? (v.NODE_ENV === 'production' ? '0.0.0.0' : '127.0.0.1'),
    port: v.PORT,
    internal: v.HERALD_INTERNAL_LISTEN,
    isAdminInternal: v.HERALD_ADMIN_INTERNAL,
    basePath: v.HERALD_BASE_PATH,
    maxBodyBytes: v.HERALD_MAX_BODY,
    maxHeadBytes: v.HERALD_MAX_HEAD,
    corsOrigins: v.HERALD_CORS_ORIGINS,
    corsHeaders: v.HERALD_CORS_HEADERS,
    trustProxy: v.HERALD_TRUST_PROXY,
    tls: certFile && keyFile ? { certFile, keyFile } : undefined,
  };
}

function deepFreeze<T extends object>(value: T): T {
  for (const child of Object.values(value)) {
    // A `KeyObject` is left as it is, because Node keeps its own state in it.
    if (typeof child === 'object' && child !== null && !(child instanceof KeyObject)) deepFreeze(child as object);
  }
  return Object.freeze(value);
}
