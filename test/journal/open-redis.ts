import type { Retention } from '../../src/storage/journal/journal.js';
import { RedisJournal, type RedisJournalOptions } from '../../src/storage/journal/redis/redis-journal.js';
import type { Update } from '../../src/storage/journal/update.js';

/** So much that a test reaches none of it. */
export const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

/** An update of which the test needs the id. */
export function update(id: string, data = id): Update {
  return { topics: ['https://example.com/t'], data, id, private: false };
}

/** Opens the log with this prefix, as one of the processes that share it. */
export function openRedis(url: string, prefix: string, more: Partial<RedisJournalOptions> = {}): Promise<RedisJournal> {
  return RedisJournal.open({
    url,
    sentinels: [],
    sentinelName: 'mymaster',
    isCluster: false,
    prefix,
    replicas: 0,
    indexBytes: 2 ** 28,
    retention: PLENTY,
    presenceRetention: PLENTY,
    ...more,
  });
}
