import { LRUCache } from 'lru-cache';
import { type Update, weightOf } from '../../storage/journal/update.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { encodeEntry, type RecentEntry, weightOfFrame } from './recent-log.js';

/** All frames that are remembered. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/**
 * Makes frames that name the topics of their update, once for each set of topics that somebody may be told: cohorts
 * that are told the same topics are offered an entry one after the other.
 */
export class TopicNaming {
  /** How many frames were made. */
  encodings = 0;
  private readonly named = new LRUCache<string, RecentEntry>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ update, bytes }, key) =>
      200 + weightOf(update) + weightOfFrame(bytes.chunked.length) + key.length,
  });
  /** Numbers for updates, because ids may be used again, and after a loss another update may have the position. */
  private readonly numbers = new WeakMap<Update, number>();
  private lastNumber = 0;

  /** The same entry with a frame that names the topics that a reader with these matchers and grants may be told. */
  nameIn(entry: RecentEntry, interest: Interest, grants: Grants): RecentEntry {
    const topics = topicsToName(entry.update, interest, grants);
    const key = `${this.numberOf(entry.update)}\n${topics.join('\n')}`;
    const known = this.named.get(key);
    if (known) return known;
    const named = encodeEntry(entry, topics);
    this.encodings += 1;
    this.named.set(key, named);
    return named;
  }

  private numberOf(update: Update): number {
    const known = this.numbers.get(update);
    if (known !== undefined) return known;
    this.lastNumber += 1;
    this.numbers.set(update, this.lastNumber);
    return this.lastNumber;
  }
}

/**
 * The topics of an update that a reader may be told: those that its matchers match. A topic of a private update must
 * also be granted or be asked for exactly: other topics that a pattern matches may reveal who else gets the update.
 */
function topicsToName({ topics, private: isPrivate }: Update, interest: Interest, grants: Grants): string[] {
  return topics.filter(
    (topic) => interest.includes([topic]) && (!isPrivate || interest.names(topic) || grants.canRead([topic])),
  );
}
