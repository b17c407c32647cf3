import { firstIndex } from '../../../../shared/first-index.js';
import type { HeldTopic, TopicLookup, TopicPage, TopicQuery } from '../../topics/topic-lookup.js';
import { kindOf, type ListKind, prefixKey, topicKey } from './topic-keys.js';
import { TopicReader } from './topic-reader.js';
import { decodeTopic, type TopicRecord } from './topic-record.js';
import type { TopicTable } from './topic-table.js';
import type { ListedTopic, TopicTail } from './topic-tail.js';

/** Topics that one call looks at besides those that it gives: they may have nothing that is held any more. */
const LOOKS = 1_000;

/** What the index has at the moment. */
export interface TopicSource {
  readonly table: TopicTable;
  readonly tail: TopicTail;
  readonly from: number;
  /** What lies on the disk counts up to this position, and the tail has what comes after it. */
  readonly upTo: number;
  /** Every update from this position on is held. */
  readonly oldest: number;
}

/** Finds updates by topic: the older ones on the disk, and the newest ones in memory. */
export class LmdbTopics implements TopicLookup {
  private readonly reader: TopicReader;

  constructor(private readonly source: TopicSource) {
    this.reader = new TopicReader(source.table);
  }

  get from(): number {
    return this.source.from;
  }

  positionsAfter(topic: string, after: number, limit: number): readonly number[] {
    const { oldest, upTo, tail } = this.source;
    const least = Math.max(after + 1, oldest);
    const record = least <= upTo ? this.reader.topic(topic) : undefined;
    const found: number[] = [];
    if (record) {
      for (const position of this.reader.from(record.key, record, least)) {
        // A commit that is under way may have brought more of them.
        if (position > upTo || found.length >= limit) break;
        found.push(position);
      }
    }
    return [...found, ...tail.between(topic, least)].slice(0, limit);
  }

  positionsBefore(topic: string, before: number, limit: number): readonly number[] {
    const { oldest, upTo, tail } = this.source;
    const inTail = tail.between(topic, oldest, before);
    const found = inTail.toReversed().slice(0, limit);
    const record = found.length < limit ? this.reader.topic(topic) : undefined;
    if (!record) return found;
    for (const position of this.reader.back(record.key, record, Math.min(before - 1, upTo))) {
      if (position < oldest || found.length >= limit) break;
      found.push(position);
    }
    return found;
  }

  topics(query: TopicQuery): TopicPage {
    const { limit } = query;
    const topics: HeldTopic[] = [];
    let looks = limit + LOOKS;
    for (const listed of this.listed(query)) {
      if (topics.length >= limit || looks <= 0) return { topics, next: listed.key };
      looks -= 1;
      const held = this.heldTopic(listed.topic);
      if (held) topics.push(held);
    }
    return { topics, next: undefined };
  }

  /** By address, the topics that have it as their text come first, and then the others. */
  private *listed({ by, prefix, from }: TopicQuery): Iterable<ListedTopic> {
    const start = from === undefined ? undefined : Buffer.from(from, 'latin1');
    if (!start || kindOf(start) === 'topics') {
      for (const listed of this.listedAs('topics', prefix, start)) {
        // A key may have only the beginning of a text.
        if (listed.topic.startsWith(prefix)) yield listed;
      }
    }
    if (by === 'text') return;
    yield* this.listedAs('addresses', prefix, start && kindOf(start) === 'addresses' ? start : undefined);
  }

  /** What the disk and the tail have of a kind, in one order, each once. */
  private *listedAs(kind: ListKind, prefix: string, from: Buffer | undefined): Iterable<ListedTopic> {
    const beginning = prefixKey(kind, prefix);
    const start = from && from.compare(beginning) > 0 ? from : beginning;
    const first = start.toString('latin1');
    const inTail = this.source.tail.inOrder(kind);
    let next = firstIndex(inTail.length, (index) => (inTail[index]?.key ?? '') >= first);
    for (const row of this.source.table.range(start, beginning)) {
      const key = row.key.toString('latin1');
      for (let one = inTail[next]; one && one.key <= key; one = inTail[next]) {
        next += 1;
        if (one.key < key) yield one;
      }
      const topic = this.reader.textOf(kind === 'topics' ? row.key : row.value);
      if (topic !== undefined) yield { key, topic };
    }
    const end = beginning.toString('latin1');
    for (const one of inTail.slice(next)) {
      if (!one.key.startsWith(end)) return;
      yield one;
    }
  }

  private heldTopic(topic: string): HeldTopic | undefined {
    const { oldest, tail } = this.source;
    const inTail = tail.between(topic, oldest);
    const key = topicKey(topic);
    const value = this.source.table.get(key);
    const onDisk = value ? this.heldOnDisk(key, decodeTopic(value)) : { count: 0, newest: 0 };
    const count = inTail.length + onDisk.count;
    return count === 0 ? undefined : { topic, count, newest: inTail.at(-1) ?? onDisk.newest };
  }

  private heldOnDisk(key: Buffer, record: TopicRecord): { readonly count: number; readonly newest: number } {
    const { oldest, upTo } = this.source;
    let { count } = record;
    for (const position of this.reader.from(key, record, 0)) {
      if (position >= oldest) break;
      count -= 1;
    }
    let newest = 0;
    for (const position of this.reader.back(key, record, Infinity)) {
      newest = position;
      if (position <= upTo) break;
      // A commit that is under way has brought it, and the tail has it too.
      if (position >= oldest) count -= 1;
    }
    return { count, newest };
  }
}
