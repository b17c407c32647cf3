import type { JournalOptions } from './open-journal.js';
import { MemoryState } from './state/memory/memory-state.js';
import type { SharedState } from './state/shared-state.js';

type StateOptions = Pick<JournalOptions, 'url' | 'redis' | 'signal'>;

/**
 * Opens the shared state that goes with the journal. The journal must be open already.
 * @param grace milliseconds for which a lease that nobody has can be taken up.
 * @throws {JournalUnavailableError} when the state can't be reached.
 */
export async function openState({ url, redis, signal }: StateOptions, grace: number): Promise<SharedState> {
  const [scheme] = url.split(':', 1);
  if (scheme === 'lmdb') {
    const { LmdbState } = await import('./state/lmdb/lmdb-state.js');
    return LmdbState.open(url.slice('lmdb:'.length), grace);
  }
  if (scheme === 'redis' || scheme === 'rediss') {
    const { RedisState } = await import('./state/redis/redis-state.js');
    return RedisState.open({ ...redis, url, grace, signal });
  }
  return new MemoryState(grace);
}
