import { getHeapStatistics } from 'node:v8';

/**
 * The bytes that all streams together hold because their clients have not taken them yet. While these have reached the
 * limit, nobody is given more than small writes, so that many stalled readers can't use up the memory.
 */
export class OutstandingBytes {
  private bytes = 0;
  private readonly listeners: (() => void)[] = [];

  /** @param limit in bytes; by default an eighth of what V8 lets the heap grow to. */
  constructor(private readonly limit: number = Math.floor(getHeapStatistics().heap_size_limit / 8)) {}

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

  /** Counts bytes that a stream holds from now on, or, where `difference` is negative, no longer does. */
  add(difference: number): void {
    const wasExhausted = this.isExhausted;
    this.bytes += difference;
    if (wasExhausted && !this.isExhausted) for (const listener of this.listeners) listener();
  }
}
