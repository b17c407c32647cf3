import { getHeapStatistics } from 'node:v8';

/** An eighth of what V8 lets the heap grow to, in bytes. */
export function defaultOutstanding(): number {
  return Math.floor(getHeapStatistics().heap_size_limit / 8);
}

/**
 * The bytes that all streams together hold because their clients have not taken them yet. While these have reached the
 * limit, nobody is given more than small writes, so that many stalled readers can't use up the memory.
 */
export class OutstandingBytes {
  private bytes = 0;
  /** How many streams hold each large frame, which counts once. */
  private readonly frames = new Map<Buffer, number>();
  private readonly listeners: (() => void)[] = [];

  /** @param limit in bytes. */
  constructor(readonly limit: number = defaultOutstanding()) {}

  get total(): number {
    return this.bytes;
  }

  get isExhausted(): boolean {
    return this.bytes >= this.limit;
  }

  /** `listener` is called each time that there is room again. */
  onRoom(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Counts bytes that a stream holds for itself from now on, or, where `difference` is negative, no longer does. */
  add(difference: number): void {
    const wasExhausted = this.isExhausted;
    this.bytes += difference;
    if (wasExhausted && !this.isExhausted) for (const listener of this.listeners) listener();
  }

  /** Counts a frame that a stream holds, once for all streams that hold it. */
  hold(frame: Buffer): void {
    const holders = this.frames.get(frame) ?? 0;
    this.frames.set(frame, holders + 1);
    if (holders === 0) this.add(frame.length);
  }

  release(frame: Buffer): void {
    const holders = this.frames.get(frame) ?? 0;
    if (holders > 1) {
      this.frames.set(frame, holders - 1);
      return;
    }
    if (this.frames.delete(frame)) this.add(-frame.length);
  }
}
