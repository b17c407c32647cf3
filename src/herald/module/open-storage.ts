import { topicAddresses } from '../../hub/matching/url-pattern/topic-addresses.js';
import type { Journal } from '../../storage/journal/journal.js';
import { openJournal } from '../../storage/open-journal.js';
import { openState } from '../../storage/open-state.js';
import type { SharedState } from '../../storage/state/shared-state.js';
import type { ResolvedOptions } from './herald.options.js';

/**
 * Opens the journal that the options name. If that fails, a state of the application's own is closed, because nobody else would
 * do it.
 * @param opened that state, where there is one.
 */
export async function openJournalBeside(
  { hub, journal }: ResolvedOptions,
  opened?: SharedState | null,
): Promise<Journal> {
  if (opened === null) throw notMade('state');
  try {
    return await openJournal({ ...journal, addresses: topicAddresses(hub.hubUrl) });
  } catch (error) {
    await opened?.close();
    throw error;
  }
}

/** Opens the state that goes with a journal. If that fails, the journal is closed, because nobody else would do it. */
export async function openStateBeside(opened: Journal | null, { hub, journal }: ResolvedOptions): Promise<SharedState> {
  if (opened === null) throw notMade('journal');
  try {
    return await openState(journal, hub.subscriptions.grace);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Nest hands on null for what a factory has failed to make, beside telling of the failure. */
function notMade(what: string): Error {
  return new Error(`There is no ${what} for the hub: another error says why.`);
}
