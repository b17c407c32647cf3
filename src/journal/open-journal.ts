import type { Journal, Retention } from './journal.js';
import { MemoryJournal } from './memory-journal.js';
import { RedisJournal, type RedisJournalOptions } from './redis-journal.js';

export interface JournalOptions {
  /** Which engine, and where it keeps its updates. May hold a password: never log it. */
  readonly url: string;
  readonly retention: Retention;
  /** What the URL of a Redis does not say. */
  readonly redis?: Omit<RedisJournalOptions, 'url' | 'retention' | 'now'>;
}

type Open = (options: JournalOptions) => Promise<Journal>;

const REDIS = { prefix: 'herald', sentinels: [], sentinelName: 'mymaster', isCluster: false, replicas: 0 };

const openRedis: Open = ({ url, retention, redis = REDIS }) => RedisJournal.open({ ...redis, url, retention });

/** The engines, by the scheme of their URLs. */
const ENGINES: Readonly<Record<string, Open>> = {
  'memory:': ({ retention }) => Promise.resolve(new MemoryJournal(retention)),
  'redis:': openRedis,
  'rediss:': openRedis,
};

/**
 * The journal that `url` names, ready for use.
 * @throws {JournalUnavailableError} when it can't be opened.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const open = ENGINES[options.url.slice(0, options.url.indexOf(':') + 1)];
  if (!open) throw new Error('There is no journal engine for this URL: see HERALD_JOURNAL in the README.');
  return open(options);
}
