import type { Update } from '../../update.js';
import { FIRST_ADDRESS_KEY, FIRST_TOPIC_KEY } from '../index/topic-keys.js';
import { TopicReader } from '../index/topic-reader.js';
import { decodeTopic } from '../index/topic-record.js';
import { storedState } from '../index/topic-state.js';
import type { TopicTable } from '../index/topic-table.js';
import { isTakenOut, type Placed, readRecord } from '../lmdb-record.js';
import type { LmdbTable } from '../lmdb-table.js';

/**
 * Checks the index of topics against the updates, both ways, and gives one sentence for each fault. Updates that the
 * index does not have yet are none; nor are its places for updates that have been trimmed, which go later.
 * @param records gives all updates in order.
 */
export function* topicFaults(
  topics: TopicTable,
  updates: LmdbTable<Update>,
  records: (table: LmdbTable<Update>) => Iterable<Placed>,
): Iterable<string> {
  const state = storedState(topics);
  if (!state || state.isStale) return;
  const reader = new TopicReader(topics);
  let [places, isWhole] = [0, true];
  for (const placed of records(updates)) {
    const { position } = placed;
    if (position > state.upTo) break;
    const { found, lost, isDamaged } = lookFor(reader, updates, placed);
    isWhole &&= !isDamaged;
    places += found;
    if (lost > 0 && position >= state.from) yield `Entry ${position} is not found by ${lost} of its topics.`;
  }
  yield* rowFaults(topics, reader);
  // What a damaged entry had in the index is not known, and then the number proves nothing.
  const surplus = isWhole ? placesFrom(topics, reader, updates.first ?? 0) - places : 0;
  if (surplus > 0) yield `The index of topics has ${surplus} place(s) for entries that are not there.`;
}

/** By how many of its topics an update is found, and by how many not. */
function lookFor(
  reader: TopicReader,
  { kind }: LmdbTable<Update>,
  placed: Placed,
): { readonly found: number; readonly lost: number; readonly isDamaged: boolean } {
  const record = readRecord(kind, placed);
  const all = [...new Set(record?.content.topics)];
  const found = all.filter((topic) => isFound(reader, topic, placed.position)).length;
  return { found, lost: all.length - found, isDamaged: !record && !isTakenOut(placed.bytes) };
}

function isFound(reader: TopicReader, topic: string, position: number): boolean {
  const record = reader.topic(topic);
  const [found] = record ? reader.from(record.key, record, position) : [];
  return found === position;
}

/** How many places the index has for positions from `first` on. Walks over them. */
function placesFrom(topics: TopicTable, reader: TopicReader, first: number): number {
  let places = 0;
  for (const { key, value } of topics.range(FIRST_TOPIC_KEY, FIRST_TOPIC_KEY)) {
    for (const position of reader.from(key, decodeTopic(value), first)) places += Number(position > 0);
  }
  return places;
}

/** The faults within the index. */
function* rowFaults(topics: TopicTable, reader: TopicReader): Iterable<string> {
  let [counts, texts, addresses] = [0, 0, 0];
  for (const { key, value } of topics.range(FIRST_TOPIC_KEY, FIRST_TOPIC_KEY)) {
    const record = decodeTopic(value);
    const { length } = [...reader.from(key, record, 0)];
    counts += Number(length !== record.count);
    texts += Number(reader.textOf(key) === undefined);
  }
  for (const { value } of topics.range(FIRST_ADDRESS_KEY, FIRST_ADDRESS_KEY)) addresses += Number(!topics.get(value));
  if (counts > 0) yield `The index of topics has a wrong number of places for ${counts} topics.`;
  if (texts > 0) yield `The index of topics lacks the text of ${texts} topics.`;
  if (addresses > 0) yield `The index of topics has ${addresses} address(es) of topics that are not there.`;
}
