import { chunkKey, chunksOf, textKey, topicKey, topicOf } from './topic-keys.js';
import { decodePositions, decodeTopic, type TopicRecord } from './topic-record.js';
import type { TopicTable } from './topic-table.js';

/** Reads what the index has on the disk. */
export class TopicReader {
  constructor(private readonly table: TopicTable) {}

  /** What is held of a topic. */
  topic(topic: string): (TopicRecord & { readonly key: Buffer }) | undefined {
    const key = topicKey(topic);
    const value = this.table.get(key);
    return value && { ...decodeTopic(value), key };
  }

  /** The topic with this key; undefined when there is none. */
  textOf(key: Buffer): string | undefined {
    return topicOf(key) ?? this.table.get(textKey(key))?.toString('utf16le');
  }

  /** The positions of a topic from `least` on, in order. */
  *from(key: Buffer, { chunks, positions }: TopicRecord, least: number): Iterable<number> {
    if (chunks > 0 && (positions[0] ?? 0) > least) {
      for (const list of this.chunksFrom(chunksOf(key), least)) yield* list.filter((one) => one >= least);
    }
    yield* positions.filter((one) => one >= least);
  }

  /** The positions of a topic up to `most`, the newest first. */
  *back(key: Buffer, { chunks, positions }: TopicRecord, most: number): Iterable<number> {
    for (const one of positions.toReversed()) if (one <= most) yield one;
    if (chunks === 0) return;
    const prefix = chunksOf(key);
    for (const { value } of this.table.backwards(chunkKey(prefix, most), prefix)) {
      for (const one of decodePositions(value).toReversed()) if (one <= most) yield one;
    }
  }

  private *chunksFrom(prefix: Buffer, least: number): Iterable<readonly number[]> {
    const start = chunkKey(prefix, least);
    // The list that has the position may begin before it.
    for (const { key, value } of least > 0 ? this.table.backwards(start, prefix) : []) {
      if (!key.equals(start)) yield decodePositions(value);
      break;
    }
    for (const { value } of this.table.range(start, prefix)) yield decodePositions(value);
  }
}
