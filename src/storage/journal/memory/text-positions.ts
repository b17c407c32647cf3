import { randomBytes } from 'node:crypto';

/** Slots of an empty table: a power of two. */
const LEAST = 64;

const EMPTY = 0;

/**
 * Finds the position of an entry by a text of it: an id, or an idempotency key. It is a hash table with open addressing,
 * and keeps no text: whoever has the entries is asked for that of a position. A `Map` of a hundred thousand texts took a
 * quarter of what it costs to append an update, because each of its steps reads another text from memory.
 */
export class TextPositions {
  /** The hash of each slot's text, never 0; or `EMPTY`. */
  private hashes = new Int32Array(LEAST);
  private positions = new Float64Array(LEAST);
  private count = 0;
  /** Random, so that nobody can choose ids which all fall into the same slots. */
  private readonly seed = randomBytes(4).readInt32LE();
  private lastText: string | undefined;
  private lastHash = 0;

  /** @param textOf gives the text of the entry at a position. */
  constructor(private readonly textOf: (position: number) => string | undefined) {}

  /**
   * What a text is found by, never 0. Whoever keeps it has it for {@link delete}, and the text need not be read from memory
   * again. That of the last text is remembered, because what is added has mostly just been looked for.
   */
  hashOf(text: string): number {
    if (this.lastText !== text) {
      this.lastText = text;
      this.lastHash = this.hash(text);
    }
    return this.lastHash;
  }

  /** The position that a text was set to. */
  get(text: string): number | undefined {
    const slot = this.slotOf(text, this.hashOf(text));
    return slot === -1 ? undefined : this.positions[slot];
  }

  /** Sets the position of a text, unless it has one, which stays. Answers whether it had none. */
  add(text: string, position: number): boolean {
    const hash = this.hashOf(text);
    if (this.slotOf(text, hash) !== -1) return false;
    if (2 * (this.count + 1) > this.hashes.length) this.resize(2 * this.hashes.length);
    this.count += 1;
    this.put(hash, position);
    return true;
  }

  /** Sets another position for the text with this hash that has this one. */
  replace(hash: number, position: number, by: number): void {
    const slot = this.slotAt(hash, position);
    if (slot !== -1) this.positions[slot] = by;
  }

  /** Takes out the text with this hash that has this position. */
  delete(hash: number, position: number): void {
    const slot = this.slotAt(hash, position);
    if (slot === -1) return;
    this.empty(slot);
    this.count -= 1;
    if (this.hashes.length > LEAST && 8 * this.count < this.hashes.length) this.resize(this.hashes.length / 2);
  }

  private hash(text: string): number {
    let hash = this.seed;
    // Two characters at a time, because each update has two texts.
    const even = text.length & ~1;
    for (let index = 0; index < even; index += 2) {
      hash = Math.imul(hash ^ text.charCodeAt(index) ^ (text.charCodeAt(index + 1) << 16), 0x5bd1e995);
      hash ^= hash >>> 15;
    }
    if (even < text.length) hash = Math.imul(hash ^ text.charCodeAt(even), 0x5bd1e995);
    hash ^= hash >>> 15;
    return hash || 1;
  }

  private slotOf(text: string, hash: number): number {
    const { hashes, positions } = this;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (hashes[slot] === hash && this.textOf(positions[slot] ?? 0) === text) return slot;
    }
    return -1;
  }

  private slotAt(hash: number, position: number): number {
    const { hashes, positions } = this;
    const mask = hashes.length - 1;
    for (let slot = hash & mask; hashes[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (hashes[slot] === hash && positions[slot] === position) return slot;
    }
    return -1;
  }

  private put(hash: number, position: number): void {
    const { hashes, positions } = this;
    const mask = hashes.length - 1;
    let slot = hash & mask;
    while (hashes[slot] !== EMPTY) slot = (slot + 1) & mask;
    hashes[slot] = hash;
    positions[slot] = position;
  }

  /** Empties a slot, and moves what follows it to where it is still found. */
  private empty(slot: number): void {
    const { hashes, positions } = this;
    const mask = hashes.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; hashes[next] !== EMPTY; next = (next + 1) & mask) {
      const hash = hashes[next] ?? EMPTY;
      // How far it lies behind the slot that it would be in if nothing were in the way.
      if (((next - hash) & mask) < ((next - hole) & mask)) continue;
      hashes[hole] = hash;
      positions[hole] = positions[next] ?? 0;
      hole = next;
    }
    hashes[hole] = EMPTY;
  }

  private resize(slots: number): void {
    const { hashes, positions } = this;
    this.hashes = new Int32Array(slots);
    this.positions = new Float64Array(slots);
    hashes.forEach((hash, slot) => {
      if (hash !== EMPTY) this.put(hash, positions[slot] ?? 0);
    });
  }
}
