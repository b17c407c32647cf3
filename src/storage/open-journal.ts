import { steadyNow } from '../shared/time/steady-clock.js';
import { type Journal, JournalOpenError, type Retention } from './journal/journal.js';
import { MemoryJournal } from './journal/memory/memory-journal.js';
import type { RedisJournalOptions } from './journal/redis/redis-journal.js';
import { loadEngine } from './load-engine.js';
import type { TopicAddresses } from './journal/topics/topic-lookup.js';

export interface JournalOptions {
  /** Which engine, and where it keeps its updates. May hold a password: never log it. */
  readonly url: string;
  readonly retention: Retention;
  /** How many comings and goings are kept, apart from the updates. */
  readonly presenceRetention: Retention;
  /** What tells the addresses of topics, for the index of topics. */
  readonly addresses: TopicAddresses;
  /** What the URL of a Redis does not say. */
  readonly redis: Omit<RedisJournalOptions, 'url' | 'retention' | 'presenceRetention' | 'now' | 'signal' | 'addresses'>;
  /** When aborted, an engine that is away is not waited for any longer. */
  readonly signal?: AbortSignal | undefined;
}

type Open = (options: JournalOptions) => Promise<Journal>;

const openRedis: Open = async ({ url, retention, presenceRetention, redis, addresses, signal }) => {
  const { RedisJournal } = await loadEngine('ioredis', () => import('./journal/redis/redis-journal.js'));
  return RedisJournal.open({ ...redis, url, retention, presenceRetention, addresses, signal });
};

/** The engines, by the scheme of their URLs. What an engine needs is loaded only where it is used. */
const ENGINES: ReadonlyMap<string, Open> = new Map<string, Open>([
  [
    'memory',
    ({ retention, presenceRetention, addresses }) =>
      Promise.resolve(new MemoryJournal(retention, steadyNow, presenceRetention, addresses)),
  ],
  [
    'lmdb',
    async ({ url, retention, presenceRetention, addresses }) => {
      const { LmdbJournal } = await loadEngine('lmdb', () => import('./journal/lmdb/lmdb-journal.js'));
      return LmdbJournal.open(url.slice('lmdb:'.length), retention, steadyNow, presenceRetention, addresses);
    },
  ],
  ['redis', openRedis],
  ['rediss', openRedis],
]);

/**
 * The journal that `url` names, ready for use.
 * @throws {JournalOpenError} {@link JournalUnavailableError} when it can't be opened; the message says what to do.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const open = ENGINES.get(options.url.split(':', 1)[0] ?? '');
  if (!open) throw new JournalOpenError(`There is no journal engine of this name: ${[...ENGINES.keys()].join(', ')}.`);
  return open(options);
}
