import { digestOf } from '../disk/digest.js';

/*
 * The index is one ordered database. The first byte of a key says what it is:
 *
 *   0                      the state of the index, as JSON
 *   1, digest, position    positions of the topic with this digest, from this one on
 *   2, topic               what is held of a topic
 *   3, address, digest     the topic that has this address, where its address is not its own text
 *   4, digest              the text of a topic that is too long for a key
 *
 * Keys of one kind lie in the order of the bytes of their texts. A text that is too long is cut, and followed by a
 * byte that no text has and a digest of all of it.
 */
const STATE = 0;
const CHUNK = 1;
const TOPIC = 2;
const ADDRESS = 3;
const TEXT = 4;

/** Bytes of a text that a key has at most. LMDB's own limit is 511 bytes for a key where pages are smallest. */
const LONGEST = 400;

/** No byte of UTF-8. */
const CUT = 0xff;

const DIGEST = 32;
const POSITION = 6;
const LAST_POSITION = 2 ** 48 - 1;

/** A part of a surrogate pair without the other one: UTF-8 has the same bytes for all of them. */
const LONE_SURROGATE = /\p{Surrogate}/u;

export const STATE_KEY = Buffer.of(STATE);

/** Behind the state, and before everything else. */
export const FIRST_KEY = Buffer.of(CHUNK);

export const FIRST_TOPIC_KEY = Buffer.of(TOPIC);

export const FIRST_ADDRESS_KEY = Buffer.of(ADDRESS);

export type ListKind = 'topics' | 'addresses';

const KINDS = { topics: TOPIC, addresses: ADDRESS };

/** The key of a topic. No two topics have the same. */
export function topicKey(topic: string): Buffer {
  const key = Buffer.from(`\u0002${topic}`);
  // Most are short and have ASCII only, which needs no further look.
  const isPlain = key.length === topic.length + 1 || !LONE_SURROGATE.test(topic);
  if (isPlain && key.length <= LONGEST) return key;
  const digest = digestOf(Buffer.from(topic, 'utf16le'));
  return Buffer.concat([FIRST_TOPIC_KEY, cut(topic), Buffer.of(CUT), digest]);
}

/** The topic that has this key; undefined when the key is not that of a topic, or has only a part of it. */
export function topicOf(key: Buffer): string | undefined {
  return isCut(key) ? undefined : key.toString('utf8', 1);
}

/** The key of the text of a topic that is too long for a key. */
export function textKey(key: Buffer): Buffer {
  return Buffer.concat([Buffer.of(TEXT), key.subarray(-DIGEST)]);
}

/** What all keys of a topic's lists of positions begin with. */
export function chunksOf(key: Buffer): Buffer {
  return Buffer.concat([Buffer.of(CHUNK), digestOf(key)]);
}

/** The key of the list that begins with `position`. */
export function chunkKey(chunks: Buffer, position: number): Buffer {
  const key = Buffer.alloc(chunks.length + POSITION);
  chunks.copy(key);
  key.writeUIntBE(Math.min(position, LAST_POSITION), chunks.length, POSITION);
  return key;
}

/** The key under which the topic with the key `topic` is found by its address. */
export function addressKey(address: string, topic: Buffer): Buffer {
  const digest = digestOf(topic);
  return Buffer.concat([Buffer.of(ADDRESS), cut(address), Buffer.of(CUT), digest]);
}

/** What all keys of a kind begin with whose texts begin with `prefix`, and maybe others. */
export function prefixKey(kind: ListKind, prefix: string): Buffer {
  return Buffer.concat([Buffer.of(KINDS[kind]), cut(prefix)]);
}

export function kindOf(key: Buffer): ListKind {
  return key[0] === ADDRESS ? 'addresses' : 'topics';
}

/** The beginning of a text that a key has, where it does not have all of it. */
function cut(text: string): Buffer {
  const lone = LONE_SURROGATE.exec(text)?.index;
  return Buffer.from(lone === undefined ? text : text.slice(0, lone)).subarray(0, LONGEST);
}

function isCut(key: Buffer): boolean {
  return key.at(-DIGEST - 1) === CUT;
}
