import { LRUCache } from 'lru-cache';
import { type Update, weightOf } from '../../storage/journal/update.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { encodeEntry, encodeRecord, type RecentEntry, weightOfFrame } from './log/recent-entry.js';
import { REMEMBERED_BYTES } from './log/remembered-bytes.js';
import type { WireBytes } from '../../streams/frames/wire-bytes.js';

/** What the frames of a cohort name. */
export interface Naming {
  readonly frames: TopicNaming;
  readonly topics: boolean;
  /** Whether the trace is named that an update belongs to. */
  readonly trace: boolean;
  /** Whether they are records, for readers in the same process, and no frames of an event stream. Default: no. */
  readonly asRecords?: boolean;
}

/**
 * Makes frames that name the topics of their update, or its trace, once for each set of topics that somebody may be told:
 * cohorts that are told the same topics are offered an entry one after the other. A frame is made when it is about to be
 * written, so that no more of them are held than are being written, however many cohorts are told different topics.
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

  /** The same entry with a frame that names these topics, and its trace where that is asked for; or with a record. */
  nameIn(entry: RecentEntry, topics: readonly string[], { trace = false, asRecord = false } = {}): RecentEntry {
    return new NamedEntry(entry, { topics, trace, asRecord }, this);
  }

  /** The frame of an entry with these topics. */
  frameOf(entry: RecentEntry, { topics, trace, asRecord }: Named): WireBytes {
    const form = asRecord ? ' record' : trace ? ' trace' : '';
    const key = `${this.numberOf(entry.update)}${form}\n${topics.join('\n')}`;
    const known = this.named.get(key);
    if (known) return known.bytes;
    const named = asRecord ? encodeRecord(entry, topics) : encodeEntry(entry, topics, trace);
    this.encodings += 1;
    this.named.set(key, named);
    return named.bytes;
  }

  private numberOf(update: Update): number {
    const known = this.numbers.get(update);
    if (known !== undefined) return known;
    this.lastNumber += 1;
    this.numbers.set(update, this.lastNumber);
    return this.lastNumber;
  }
}

/** What one frame names. */
interface Named {
  readonly topics: readonly string[];
  readonly trace: boolean;
  readonly asRecord: boolean;
}

/** An entry whose frame is made anew each time that it is asked for, unless the naming still remembers it. */
class NamedEntry implements RecentEntry {
  readonly position: number;
  readonly update: Update;
  readonly storedAt: number | undefined;

  constructor(
    private readonly entry: RecentEntry,
    private readonly named: Named,
    private readonly naming: TopicNaming,
  ) {
    this.position = entry.position;
    this.update = entry.update;
    this.storedAt = entry.storedAt;
  }

  get bytes(): WireBytes {
    return this.naming.frameOf(this.entry, this.named);
  }
}

/**
 * The topics of an update that a reader may be told, of those that its matchers match: all, unless the update is
 * private. Then a topic must be granted or be asked for exactly, because another topic that a pattern matches may reveal
 * who else gets the update.
 */
export function topicsToName(
  matched: readonly string[],
  { private: isPrivate }: Update,
  interest: Interest,
  grants: Grants,
): readonly string[] {
  if (!isPrivate) return matched;
  return matched.filter((topic) => interest.names(topic) || grants.canRead([topic]));
}
