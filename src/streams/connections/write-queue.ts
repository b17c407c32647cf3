import type { OutstandingBytes } from '../registry/outstanding-bytes.js';

/** The largest write that a socket is given, in bytes. A stalled reader costs the part of one that it has not taken. */
export const PIECE = 64 * 1024;

interface Waiting {
  readonly bytes: Buffer;
  /** How many of them have been taken from the queue. */
  taken: number;
}

/** What waits behind the write that is under way on a socket, in order, and leaves in pieces. */
export class WriteQueue {
  /** Bytes that wait. */
  length = 0;
  /**
   * Bytes of writes no larger than a piece. A larger write is a frame that readers share, and `outstanding` counts it.
   */
  ownLength = 0;
  private readonly waiting: Waiting[] = [];

  constructor(private readonly outstanding: OutstandingBytes) {}

  push(bytes: Buffer): void {
    this.waiting.push({ bytes, taken: 0 });
    this.length += bytes.length;
    if (bytes.length > PIECE) this.outstanding.hold(bytes);
    else this.ownLength += bytes.length;
  }

  /** The next piece: small writes together, or a part of a large one; undefined when nothing waits. */
  shift(): Buffer | undefined {
    const [first] = this.waiting;
    if (!first) return undefined;
    const piece = first.bytes.length > PIECE ? this.takeFrom(first) : this.takeSmall();
    this.length -= piece.length;
    return piece;
  }

  clear(): void {
    for (const { bytes } of this.waiting.splice(0)) if (bytes.length > PIECE) this.outstanding.release(bytes);
    this.length = 0;
    this.ownLength = 0;
  }

  private takeFrom(large: Waiting): Buffer {
    const piece = large.bytes.subarray(large.taken, large.taken + PIECE);
    large.taken += piece.length;
    if (large.taken === large.bytes.length) {
      this.waiting.shift();
      this.outstanding.release(large.bytes);
    }
    return piece;
  }

  private takeSmall(): Buffer {
    const taken: Buffer[] = [];
    let size = 0;
    for (const { bytes } of this.waiting) {
      if (size + bytes.length > PIECE) break;
      taken.push(bytes);
      size += bytes.length;
    }
    this.waiting.splice(0, taken.length);
    this.ownLength -= size;
    return taken.length === 1 && taken[0] ? taken[0] : Buffer.concat(taken, size);
  }
}
