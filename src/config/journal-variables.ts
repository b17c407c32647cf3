import { z } from 'zod';
import { type Address, addresses, count, duration, flag, journal, simpleName, size } from './fields.js';

/** The variables that say where updates are kept, and for how long, with their defaults. */
export const JOURNAL_VARIABLES = {
  HERALD_JOURNAL: journal().default('memory:'),
  HERALD_REDIS_PREFIX: simpleName().default('herald'),
  HERALD_REDIS_SENTINELS: addresses().default([]),
  HERALD_REDIS_SENTINEL_NAME: simpleName().default('mymaster'),
  HERALD_REDIS_CLUSTER: flag().default(false),
  HERALD_REDIS_WAIT: count({ min: 0 }).default(0),
  HERALD_INDEX_BYTES: size({ min: 1024 }).default(256 * 1024 ** 2),
  HERALD_RETAIN_EVENTS: count({ min: 1 }).default(100_000),
  HERALD_RETAIN_BYTES: size({ min: 1024 }).default(256 * 1024 ** 2),
  HERALD_RETAIN_AGE: duration({ min: 1_000 }).default(86_400_000),
  HERALD_PRESENCE_RETAIN_EVENTS: count({ min: 1 }).default(20_000),
  HERALD_PRESENCE_RETAIN_BYTES: size({ min: 1024 }).default(16 * 1024 ** 2),
  HERALD_PRESENCE_RETAIN_AGE: duration({ min: 1_000 }).default(3_600_000),
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
    readonly isCluster: boolean;
    readonly replicas: number;
    /** Bytes that the process's own index of updates by topic may take. */
    readonly indexBytes: number;
  };
}

export function toJournal(v: Variables): JournalConfig {
  return {
    url: v.HERALD_JOURNAL,
    retention: { events: v.HERALD_RETAIN_EVENTS, bytes: v.HERALD_RETAIN_BYTES, age: v.HERALD_RETAIN_AGE },
    presenceRetention: {
      events: v.HERALD_PRESENCE_RETAIN_EVENTS,
      bytes: v.HERALD_PRESENCE_RETAIN_BYTES,
      age: v.HERALD_PRESENCE_RETAIN_AGE,
    },
    redis: {
      prefix: v.HERALD_REDIS_PREFIX,
      sentinels: v.HERALD_REDIS_SENTINELS,
      sentinelName: v.HERALD_REDIS_SENTINEL_NAME,
      isCluster: v.HERALD_REDIS_CLUSTER,
      replicas: v.HERALD_REDIS_WAIT,
      indexBytes: v.HERALD_INDEX_BYTES,
    },
  };
}

/** What is wrong with the variables together, each of which is right. */
export function redisMistakes(given: Readonly<Record<string, string>>): string[] {
  if (given['HERALD_REDIS_CLUSTER'] !== 'true' || !given['HERALD_REDIS_SENTINELS']) return [];
  return ['HERALD_REDIS_CLUSTER and HERALD_REDIS_SENTINELS exclude each other: a Cluster needs no Sentinels'];
}
