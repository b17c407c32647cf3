import type { TopicAddresses } from '../../topics/topic-lookup.js';
import { LIMITS } from './index-limits.js';
import { addressKey, chunkKey, chunksOf, textKey, topicKey, topicOf } from './topic-keys.js';
import {
  decodePositions,
  decodeTopic,
  encodePositions,
  encodeTopic,
  extendTopic,
  type TopicRecord,
} from './topic-record.js';
import type { Edit, Row, TopicTable } from './topic-table.js';
import type { Indexed, TopicBlock } from './topic-tail.js';

/** Lists of trimmed positions that are removed at most when a topic gets a new list. */
const CHUNKS_ALONG = 4;

/** A record is written again when one in so many of its positions leads nowhere. */
const DROPPED = 4;

const NO_POSITIONS: TopicRecord = { count: 0, chunks: 0, positions: [] };

/** Changes of the index that one commit makes. */
export class TopicDraft {
  private readonly all = new Map<string, Edit>();
  /** Those of rows that change once. */
  private readonly more: Edit[] = [];

  constructor(
    private readonly table: TopicTable,
    private readonly addresses: TopicAddresses,
    /** No record is left before this position. */
    private readonly swept: number,
  ) {}

  /** How many rows change. */
  get count(): number {
    return this.all.size + this.more.length;
  }

  get edits(): readonly Edit[] {
    return [...this.all.values(), ...this.more];
  }

  put(key: Buffer, value: Buffer): void {
    this.all.set(key.toString('latin1'), { key, value, size: 0 });
  }

  remove(key: Buffer, size = 0): void {
    this.all.set(key.toString('latin1'), { key, value: undefined, size });
  }

  /** Adds updates beyond all others. Nothing else may follow in this draft but further calls of {@link put}. */
  add({ lists }: TopicBlock): void {
    for (const [topic, positions] of lists) this.extend(topic, positions);
  }

  /** Takes an update out of what has been added before. */
  delete({ position, topics }: Pick<Indexed, 'position' | 'topics'>): void {
    for (const topic of new Set(topics)) this.deleteFrom(topicKey(topic), position);
  }

  /**
   * Removes positions of a topic that lead to no record any more, and the topic when there are no others. It may leave
   * some, which are left out when the topic is read.
   * @param most rows that may change, more or less.
   * @returns whether there is nothing more to remove.
   */
  prune({ key, value }: Row, most: number): boolean {
    const record = decodeTopic(value);
    const isOver = (record.positions.at(-1) ?? 0) < this.swept;
    if (record.chunks > 0) {
      const rest = this.dropChunks(chunksOf(key), record, most);
      if (rest !== record) this.put(key, encodeTopic(rest));
      if (rest.chunks > 0) return !isOver;
    }
    if (isOver) this.end(key);
    else this.dropPositions(key);
    return true;
  }

  private putOnce(key: Buffer, value: Buffer): void {
    // While the map is empty nothing is looked up in it, so a row that is put only once need not be there.
    if (this.all.size === 0) this.more.push({ key, value, size: 0 });
    else this.put(key, value);
  }

  private get(key: Buffer): Buffer | undefined {
    const edit = this.all.size === 0 ? undefined : this.all.get(key.toString('latin1'));
    return edit ? edit.value : this.table.get(key);
  }

  private extend(topic: string, added: readonly number[]): void {
    const key = topicKey(topic);
    const value = this.get(key);
    const extended = value && extendTopic(value, added);
    if (extended) this.putOnce(key, extended);
    else this.extendLong(topic, key, value && decodeTopic(value), added);
  }

  /** The same for a topic that is new, or gets a new list. */
  private extendLong(
    topic: string,
    key: Buffer,
    before: TopicRecord = NO_POSITIONS,
    added: readonly number[] = [],
  ): void {
    if (before.count === 0) this.begin(topic, key);
    const positions = [...before.positions, ...added];
    const newest = positions.length - 1 - ((positions.length - 1) % LIMITS.chunk);
    const chunks = before.chunks + newest / LIMITS.chunk;
    const record = { count: before.count + added.length, chunks, positions: positions.slice(newest) };
    const prefix = newest > 0 ? chunksOf(key) : undefined;
    if (prefix) this.putChunks(prefix, positions.slice(0, newest));
    // So that what was trimmed of a topic with very many updates does not pile up until its turn comes.
    const isLong = prefix && before.chunks > 0;
    this.putOnce(key, encodeTopic(isLong ? this.dropChunks(prefix, record, CHUNKS_ALONG) : record));
  }

  private putChunks(prefix: Buffer, positions: readonly number[]): void {
    for (let start = 0; start < positions.length; start += LIMITS.chunk) {
      const list = positions.slice(start, start + LIMITS.chunk);
      this.putOnce(chunkKey(prefix, list[0] ?? 0), encodePositions(list));
    }
  }

  private begin(topic: string, key: Buffer): void {
    const address = this.addresses.of(topic);
    if (address !== undefined && address !== topic) this.putOnce(addressKey(address, key), key);
    if (topicOf(key) === undefined) this.putOnce(textKey(key), Buffer.from(topic, 'utf16le'));
  }

  private end(key: Buffer): void {
    const topic = topicOf(key) ?? this.removeText(textKey(key));
    const address = this.addresses.of(topic);
    if (address !== undefined && address !== topic) this.remove(addressKey(address, key));
    this.remove(key);
  }

  private removeText(key: Buffer): string {
    const text = this.get(key)?.toString('utf16le') ?? '';
    this.remove(key, 2 * text.length);
    return text;
  }

  /** Removes lists that lead to no record any more. */
  private dropChunks(prefix: Buffer, record: TopicRecord, most: number): TopicRecord {
    let { count, chunks } = record;
    for (const { key, value } of this.table.range(prefix, prefix)) {
      if (record.chunks - chunks >= most) break;
      // This draft has already removed or written the row.
      if (this.all.has(key.toString('latin1'))) continue;
      const positions = decodePositions(value);
      if ((positions.at(-1) ?? 0) >= this.swept) break;
      this.remove(key);
      count -= positions.length;
      chunks -= 1;
    }
    return chunks === record.chunks ? record : { count, chunks, positions: record.positions };
  }

  private dropPositions(key: Buffer): void {
    const value = this.get(key);
    if (!value) return;
    const { count, chunks, positions } = decodeTopic(value);
    const held = positions.filter((position) => position >= this.swept);
    // The record is written again only when enough of its positions have been trimmed, because a write costs a page.
    if (DROPPED * (positions.length - held.length) < positions.length) return;
    this.put(key, encodeTopic({ count: count - positions.length + held.length, chunks, positions: held }));
  }

  private deleteFrom(key: Buffer, position: number): void {
    const value = this.get(key);
    if (!value) return;
    const { count, chunks, positions } = decodeTopic(value);
    const rest = positions.filter((one) => one !== position);
    if (rest.length === positions.length) {
      if (chunks > 0) this.deleteFromChunk(key, { count, chunks, positions }, position);
    } else if (rest.length > 0) this.put(key, encodeTopic({ count: count - 1, chunks, positions: rest }));
    else if (chunks > 0) this.bringBack(key, count - 1, chunks);
    else this.end(key);
  }

  private deleteFromChunk(key: Buffer, { count, chunks, positions }: TopicRecord, position: number): void {
    const prefix = chunksOf(key);
    const found = this.chunkBefore(prefix, position);
    if (!found?.positions.includes(position)) return;
    const rest = found.positions.filter((one) => one !== position);
    if (rest.length > 0) this.put(found.key, encodePositions(rest));
    else this.remove(found.key);
    this.put(key, encodeTopic({ count: count - 1, chunks: rest.length > 0 ? chunks : chunks - 1, positions }));
  }

  /** Where no other positions of a topic are left than those in lists of their own, the last of them come back. */
  private bringBack(key: Buffer, count: number, chunks: number): void {
    const last = this.chunkBefore(chunksOf(key), Infinity);
    if (!last) {
      this.end(key);
      return;
    }
    this.remove(last.key);
    this.put(key, encodeTopic({ count, chunks: chunks - 1, positions: last.positions }));
  }

  /** The list that begins at `position` or before it, with the changes that it has had. */
  private chunkBefore(
    prefix: Buffer,
    position: number,
  ): { readonly key: Buffer; readonly positions: readonly number[] } | undefined {
    for (const { key } of this.table.backwards(chunkKey(prefix, position), prefix)) {
      const value = this.get(key);
      if (value) return { key, positions: decodePositions(value) };
    }
    return undefined;
  }
}
