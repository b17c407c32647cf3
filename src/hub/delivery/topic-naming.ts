import { LRUCache } from 'lru-cache';
import type { Update } from '../../storage/journal/update.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { encodeEntry, type RecentEntry } from './recent-log.js';

/** All frames that are remembered. Bytes. */
const REMEMBERED_BYTES = 16 * 1024 ** 2;

/**
 * Frames that name the topics of their update, made once for each set of topics that somebody may be told, because
 * cohorts that name the same ones are offered an entry one after the other.
 */
export class TopicNaming {
  /** How many frames were made. */
  encodings = 0;
  private readonly named = new LRUCache<string, RecentEntry>({
    maxSize: REMEMBERED_BYTES,
    sizeCalculation: ({ bytes }, key) => 200 + bytes.chunked.length + key.length,
  });
  /** Neither ids nor positions tell updates apart: the one may come again, the other be taken by another after a loss. */
  private readonly numbers = new WeakMap<Update, number>();
  private lastNumber = 0;

  /** The same entry with a frame that names what this reader may be told. */
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
 * The topics of an update that a reader may be told: those that it asked for by a matcher of its own. Of a private update
 * a pattern alone tells nothing that is not granted too, for among the topics may be the names of others who get it.
 */
function topicsToName({ topics, private: isPrivate }: Update, interest: Interest, grants: Grants): string[] {
  return topics.filter(
    (topic) => interest.includes([topic]) && (!isPrivate || interest.names(topic) || grants.canRead([topic])),
  );
}
