import { topicAddresses } from '../../hub/matching/url-pattern/topic-addresses.js';
import type { Journal } from '../../storage/journal/journal.js';
import { openJournal } from '../../storage/open-journal.js';
import { openState } from '../../storage/open-state.js';
import type { SharedState } from '../../storage/state/shared-state.js';
import type { ResolvedOptions } from './herald.options.js';

/** Opens the journal that the options name. If that fails, a state that is open is closed, because nobody else would do it. */
export async function openJournalBeside({ hub, journal }: ResolvedOptions, opened?: SharedState): Promise<Journal> {
  try {
    return await openJournal({ ...journal, addresses: topicAddresses(hub.hubUrl) });
  } catch (error) {
    await opened?.close();
    throw error;
  }
}

/** Opens the state that goes with a journal. If that fails, the journal is closed, because nobody else would do it. */
export async function openStateBeside(opened: Journal, { hub, journal }: ResolvedOptions): Promise<SharedState> {
  try {
    return await openState(journal, hub.subscriptions.grace);
  } catch (error) {
    await opened.close();
    throw error;
  }
}
