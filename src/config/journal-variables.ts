import { createSecureContext } from 'node:tls';
import { z } from 'zod';
import type { ReadFile } from './environment.js';
import type { MemoryFit } from './memory/memory-fit.js';
import { type Address, addresses, count, flag, journal, simpleName, size, span } from './fields/fields.js';

/** The variables that say where updates are kept, and for how long, with their defaults. */
export const JOURNAL_VARIABLES = {
  HERALD_JOURNAL: journal().default('memory:'),
  HERALD_REDIS_PREFIX: simpleName().default('herald'),
  HERALD_REDIS_SENTINELS: addresses().default([]),
  HERALD_REDIS_SENTINEL_NAME: simpleName().default('mymaster'),
  HERALD_REDIS_SENTINEL_USERNAME: z.string().optional(),
  HERALD_REDIS_SENTINEL_PASSWORD: z.string().optional(),
  HERALD_REDIS_TLS_CERT_FILE: z.string().optional(),
  HERALD_REDIS_TLS_KEY_FILE: z.string().optional(),
  HERALD_REDIS_TLS_CA_FILE: z.string().optional(),
  HERALD_REDIS_CLUSTER: flag().default(false),
  HERALD_REDIS_WAIT: count({ min: 0 }).default(0),
  HERALD_INDEX_BYTES: size({ min: 1024 }).optional(),
  HERALD_RETAIN_EVENTS: count({ min: 1 }).default(100_000),
  HERALD_RETAIN_BYTES: size({ min: 1024 }).optional(),
  HERALD_RETAIN_AGE: span({ min: 1_000 }).default(86_400_000),
  HERALD_PRESENCE_RETAIN_EVENTS: count({ min: 1 }).default(20_000),
  HERALD_PRESENCE_RETAIN_BYTES: size({ min: 1024 }).optional(),
  HERALD_PRESENCE_RETAIN_AGE: span({ min: 1_000 }).default(3_600_000),
};

type Variables = z.output<z.ZodObject<typeof JOURNAL_VARIABLES>>;

interface RetentionConfig {
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly age: number;
}

/** Where updates are kept, and for how long. */
export interface JournalConfig {
  /** May hold a password. */
  readonly url: string;
  readonly retention: RetentionConfig;
  /** How many comings and goings are kept, apart from the updates. */
  readonly presenceRetention: RetentionConfig;
  readonly redis: {
    readonly prefix: string;
    readonly sentinels: readonly Address[];
    readonly sentinelName: string;
    /** What the Sentinels ask for; undefined if they ask for nothing. */
    readonly sentinelLogin: { readonly username: string | undefined; readonly password: string } | undefined;
    /** PEM files: this process's own certificate and key, and the authorities that Redis's comes from. */
    readonly tls: {
      readonly certFile: string | undefined;
      readonly keyFile: string | undefined;
      readonly caFile: string | undefined;
    };
    readonly isCluster: boolean;
    readonly replicas: number;
    /** Bytes that the process's own index of updates by topic may take. */
    readonly indexBytes: number;
  };
}

/** Whether several processes may have the same log. */
export function isShared(url: string): boolean {
  return /^rediss?:/.test(url);
}

export function toJournal(v: Variables, memory: MemoryFit): JournalConfig {
  const [engine = ''] = v.HERALD_JOURNAL.split(':', 1);
  const isInMemory = engine === 'memory';
  return {
    url: v.HERALD_JOURNAL,
    retention: {
      events: v.HERALD_RETAIN_EVENTS,
      bytes: memory.bytesWhere(isInMemory, 'retained', v.HERALD_RETAIN_BYTES),
      age: v.HERALD_RETAIN_AGE,
    },
    presenceRetention: {
      events: v.HERALD_PRESENCE_RETAIN_EVENTS,
      bytes: memory.bytesWhere(isInMemory, 'presence', v.HERALD_PRESENCE_RETAIN_BYTES),
      age: v.HERALD_PRESENCE_RETAIN_AGE,
    },
    redis: {
      prefix: v.HERALD_REDIS_PREFIX,
      sentinels: v.HERALD_REDIS_SENTINELS,
      sentinelName: v.HERALD_REDIS_SENTINEL_NAME,
      sentinelLogin:
        v.HERALD_REDIS_SENTINEL_PASSWORD === undefined
          ? undefined
          : { username: v.HERALD_REDIS_SENTINEL_USERNAME, password: v.HERALD_REDIS_SENTINEL_PASSWORD },
      tls: {
        certFile: v.HERALD_REDIS_TLS_CERT_FILE,
        keyFile: v.HERALD_REDIS_TLS_KEY_FILE,
        caFile: v.HERALD_REDIS_TLS_CA_FILE,
      },
      isCluster: v.HERALD_REDIS_CLUSTER,
      replicas: v.HERALD_REDIS_WAIT,
      indexBytes: memory.bytesWhere(engine.startsWith('redis'), 'index', v.HERALD_INDEX_BYTES),
    },
  };
}

type Given = Readonly<Record<string, string>>;

/** What is wrong with the variables together, each of which is right. */
export function redisMistakes(given: Given, readFile: ReadFile): string[] {
  const mistakes: string[] = [];
  if (given['HERALD_REDIS_CLUSTER'] === 'true' && given['HERALD_REDIS_SENTINELS']) {
    mistakes.push('HERALD_REDIS_CLUSTER and HERALD_REDIS_SENTINELS exclude each other: a Cluster needs no Sentinels');
  }
  if (given['HERALD_REDIS_SENTINEL_USERNAME'] && !given['HERALD_REDIS_SENTINEL_PASSWORD']) {
    mistakes.push('HERALD_REDIS_SENTINEL_USERNAME needs HERALD_REDIS_SENTINEL_PASSWORD: Sentinels ask for both');
  }
  return [...mistakes, ...tlsMistakes(given, readFile)];
}

function tlsMistakes(given: Given, readFile: ReadFile): string[] {
  const [cert, key, ca] = ['CERT', 'KEY', 'CA'].map((part) => given[`HERALD_REDIS_TLS_${part}_FILE`]);
  if (!cert && !key && !ca) return [];
  if (!given['HERALD_JOURNAL']?.startsWith('rediss:')) {
    return ['HERALD_REDIS_TLS_… needs HERALD_JOURNAL=rediss://…: nothing else of the journal speaks TLS'];
  }
  if (!cert !== !key) {
    return ['HERALD_REDIS_TLS_CERT_FILE and HERALD_REDIS_TLS_KEY_FILE go together: set both or neither'];
  }
  try {
    const [certText, keyText, caText] = [cert, key, ca].map((path) => (path ? readFile(path) : undefined));
    createSecureContext({ cert: certText, key: keyText, ca: caText });
    return [];
  } catch {
    return ["HERALD_REDIS_TLS_… must be readable PEM files, and the key the certificate's own"];
  }
}
