import { firstIndex } from './first-index.js';

/** A first-in, first-out list with constant-time `push`, `shift` and `at`; an array's `shift` moves every element. */
export class Queue<T> {
  private items: (T | undefined)[];
  private start = 0;

  constructor(items: readonly T[] = []) {
    this.items = [...items];
  }

  get length(): number {
    return this.items.length - this.start;
  }

  push(item: T): void {
    this.items.push(item);
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.items[this.start];
    this.items[this.start++] = undefined;
    // The rest is moved only when at least half of the array is empty, so `shift` takes constant time on average.
    if (this.start >= 1_024 && this.start * 2 >= this.items.length) {
      this.items = this.items.slice(this.start);
      this.start = 0;
    }
    return item;
  }

  /** Takes out the item that came last. */
  pop(): T | undefined {
    return this.length === 0 ? undefined : this.items.pop();
  }

  /** Takes out the item at `index`, which moves those that follow. The first one leaves as with `shift`. */
  delete(index: number): void {
    if (index === 0) this.shift();
    else if (index > 0 && index < this.length) this.items.splice(this.start + index, 1);
  }

  /** The item at `index`, counted from the front. */
  at(index: number): T | undefined {
    return index < 0 ? undefined : this.items[this.start + index];
  }

  /** The index of the first item for which `isMeant` holds, or `length`; it must hold for all items after that one. */
  findIndex(isMeant: (item: T) => boolean): number {
    return firstIndex(this.length, (index) => isMeant(this.items[this.start + index] as T));
  }

  slice(from: number, to: number): T[] {
    return this.items.slice(this.start + from, this.start + Math.min(to, this.length)) as T[];
  }
}
