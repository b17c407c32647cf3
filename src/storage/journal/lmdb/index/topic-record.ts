import { LIMITS } from './index-limits.js';

/** What the index holds of a topic. */
export interface TopicRecord {
  /** How many positions it has, those in lists of their own included. */
  readonly count: number;
  /** How many lists of positions lie elsewhere, all before `positions`. */
  readonly chunks: number;
  /** The newest positions, in order: at least one. */
  readonly positions: readonly number[];
}

/** Bytes that a number takes at most. */
const LONGEST = 8;

/** Numbers before the positions in a record. */
const HEAD = 4;

/** Bytes of memory that rows share. */
const MEMORY = 65_536;

const CONTINUES = 0x80;
const BITS = 0x7f;

/*
 * A topic's record is its count, how many lists lie elsewhere, how many positions follow, the newest of them, the first
 * of them, and how far each other one is from the one before. A list of positions is the same from the first one on.
 * Each number takes as many bytes as it needs, with seven bits in each, the lowest first.
 */

export function encodeTopic({ count, chunks, positions }: TopicRecord): Buffer {
  const bytes = reserve(LONGEST * (HEAD + positions.length));
  const at = writeHead(bytes, [count, chunks, positions.length, positions.at(-1) ?? 0]);
  return take(writePositions(bytes, at, positions, 0));
}

export function decodeTopic(bytes: Buffer): TopicRecord {
  const reader = new NumberReader(bytes);
  const [count, chunks] = [reader.next(), reader.next()];
  reader.next();
  reader.next();
  return { count, chunks, positions: reader.positions() };
}

/** The record with positions beyond its others; undefined when there would be too many of them. */
export function extendTopic(bytes: Buffer, positions: readonly number[]): Buffer | undefined {
  const reader = new NumberReader(bytes);
  const [count, chunks, length, newest] = [reader.next(), reader.next(), reader.next(), reader.next()];
  const added = positions.length;
  if (length + added > LIMITS.chunk) return undefined;
  const extended = reserve(bytes.length + LONGEST * (HEAD + added));
  const head = writeHead(extended, [count + added, chunks, length + added, positions.at(-1) ?? 0]);
  const at = head + bytes.copy(extended, head, reader.at);
  return take(writePositions(extended, at, positions, newest));
}

export function encodePositions(positions: readonly number[]): Buffer {
  const bytes = reserve(LONGEST * positions.length);
  return take(writePositions(bytes, 0, positions, 0));
}

export function decodePositions(bytes: Buffer): readonly number[] {
  return new NumberReader(bytes).positions();
}

/** Where rows are written, many in one piece of memory, because a commit of many rows has many of them. */
let memory = Buffer.alloc(0);

/** Memory for so many bytes at least. */
function reserve(length: number): Buffer {
  if (length > memory.length) memory = Buffer.allocUnsafeSlow(Math.max(length, MEMORY));
  return memory;
}

/** The first bytes of what was reserved. */
function take(length: number): Buffer {
  const taken = memory.subarray(0, length);
  memory = memory.subarray(length);
  return taken;
}

function writeHead(bytes: Buffer, numbers: readonly number[]): number {
  let at = 0;
  for (const number of numbers) at = write(bytes, at, number);
  return at;
}

function writePositions(bytes: Buffer, start: number, positions: readonly number[], newest: number): number {
  let [at, before] = [start, newest];
  for (const position of positions) {
    at = write(bytes, at, position - before);
    before = position;
  }
  return at;
}

function write(bytes: Buffer, start: number, number: number): number {
  let [at, rest] = [start, number];
  while (rest > BITS) {
    // Not by shifting, which knows 32 bits only.
    bytes[at] = (rest % CONTINUES) | CONTINUES;
    rest = Math.floor(rest / CONTINUES);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

class NumberReader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  next(): number {
    let [number, factor] = [0, 1];
    for (;;) {
      const byte = this.bytes[this.at] ?? 0;
      this.at += 1;
      number += (byte & BITS) * factor;
      if (byte < CONTINUES) return number;
      factor *= CONTINUES;
    }
  }

  positions(): readonly number[] {
    const positions: number[] = [];
    let before = 0;
    while (this.at < this.bytes.length) positions.push((before += this.next()));
    return positions;
  }
}
