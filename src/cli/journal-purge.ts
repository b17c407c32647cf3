import { History } from '../hub/history/history.js';
import { Removal, type Removed } from '../hub/history/removal.js';
import { topicAddresses } from '../hub/matching/url-pattern/topic-addresses.js';
import { Background } from '../shared/background.js';
import { HUB_PATH } from '../shared/hub-path.js';
import type { Retention } from '../storage/journal/journal.js';
import { storedState } from '../storage/journal/lmdb/index/topic-state.js';
import { LmdbJournal } from '../storage/journal/lmdb/lmdb-journal.js';
import { withEnvironment } from '../storage/journal/lmdb/offline/lmdb-offline.js';

/** Whoever takes something out wants nothing else to go. */
const EVERYTHING: Retention = { events: Infinity, bytes: Infinity, age: Infinity };

/**
 * Takes updates out of the LMDB journal of a stopped service, and tells the ids of each that it has taken out. Relative
 * patterns are relative to the URL of the hub that has used the journal.
 */
export async function purge(path: string, what: Removed, tell: (ids: readonly string[]) => void): Promise<number> {
  const base = await withEnvironment(path, ({ topics }) => Promise.resolve(storedState(topics)?.base));
  const hubUrl = new URL(base ?? `http://localhost${HUB_PATH}`);
  const journal = await LmdbJournal.open(path, EVERYTHING, Date.now, EVERYTHING, topicAddresses(hubUrl));
  try {
    return await new Removal(journal, new History(journal, new Background()), hubUrl).remove(what, tell);
  } finally {
    await journal.close();
  }
}
