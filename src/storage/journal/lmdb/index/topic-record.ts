/** What the index holds of a topic. */
export interface TopicRecord {
  /** How many positions it has, those in lists of their own included. */
  readonly count: number;
  /** How many lists of positions lie elsewhere, all before `positions`. */
  readonly chunks: number;
  /** The newest positions, in order: at least one. */
  readonly positions: readonly number[];
}

/** The most positions that lie together. More of them take fewer bytes, but those of a topic are written again often. */
export const CHUNK_POSITIONS = 128;

/** Bytes that a number takes at most. */
const LONGEST = 8;

const CONTINUES = 0x80;
const BITS = 0x7f;

/** A topic's record: its counts, the first of its positions, and how far each other one is from the one before. */
export function encodeTopic({ count, chunks, positions }: TopicRecord): Buffer {
  return encode([count, chunks], positions);
}

export function decodeTopic(bytes: Buffer): TopicRecord {
  const [counts, positions] = decode(bytes, 2);
  return { count: counts[0] ?? 0, chunks: counts[1] ?? 0, positions };
}

export function encodePositions(positions: readonly number[]): Buffer {
  return encode([], positions);
}

export function decodePositions(bytes: Buffer): readonly number[] {
  return decode(bytes, 0)[1];
}

/** Each number in as many bytes as it needs, seven bits in each, the lowest first. */
function encode(counts: readonly number[], positions: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(LONGEST * (counts.length + positions.length));
  let at = 0;
  for (const count of counts) at = write(bytes, at, count);
  let before = 0;
  for (const position of positions) {
    at = write(bytes, at, position - before);
    before = position;
  }
  return bytes.subarray(0, at);
}

function write(bytes: Buffer, at: number, number: number): number {
  let rest = number;
  while (rest > BITS) {
    // Not by shifting, which knows 32 bits only.
    bytes[at] = (rest % CONTINUES) | CONTINUES;
    rest = Math.floor(rest / CONTINUES);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function decode(
  bytes: Buffer,
  countsLength: number,
): readonly [counts: readonly number[], positions: readonly number[]] {
  const counts: number[] = [];
  const positions: number[] = [];
  let before = 0;
  let [number, factor] = [0, 1];
  for (const byte of bytes) {
    number += (byte & BITS) * factor;
    factor *= CONTINUES;
    if (byte & CONTINUES) continue;
    if (counts.length < countsLength) counts.push(number);
    else positions.push((before += number));
    [number, factor] = [0, 1];
  }
  return [counts, positions];
}
