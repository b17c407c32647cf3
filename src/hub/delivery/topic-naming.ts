import type { Update } from '../../journal/update.js';
import type { Grants } from '../grants.js';
import type { Interest } from '../interest.js';
import { encodeEntry, type RecentEntry } from './recent-log.js';

/**
 * The topics of an update that a reader may be told: those that it asked for by a matcher of its own. Of a private update
 * a pattern alone tells nothing that is not granted too, for among the topics may be the names of others who get it.
 */
export function topicsToName({ topics, private: isPrivate }: Update, interest: Interest, grants: Grants): string[] {
  return topics.filter(
    (topic) => interest.includes([topic]) && (!isPrivate || interest.names(topic) || grants.canRead([topic])),
  );
}

/** The entry that was asked for last: cohorts are offered an entry one after the other, and mostly name the same topics. */
let last: { readonly entry: RecentEntry; readonly topics: string; readonly named: RecentEntry } | undefined;

/** The same entry with a frame that names `topics`. */
export function nameTopics(entry: RecentEntry, topics: readonly string[]): RecentEntry {
  const key = topics.join('\n');
  if (last?.entry !== entry || last.topics !== key) last = { entry, topics: key, named: encodeEntry(entry, topics) };
  return last.named;
}
