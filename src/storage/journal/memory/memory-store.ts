import { Queue } from '../../../shared/queue.js';
import type { Retention, StoredEntry } from '../journal.js';

/** An entry with what the store must know of it besides. */
export type Held<Stored extends StoredEntry> = Stored & {
  /** The entry's own id: an update's, or a presence record's. */
  readonly id: string;
  readonly bytes: number;
  /** Wall clock, milliseconds. */
  readonly storedAt: number;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: string | undefined;
};

/** An index that is kept beside a store, and counts with it. */
export interface StoreIndex<Stored extends StoredEntry> {
  /** About how many bytes it takes. */
  readonly bytes: number;
  add(entry: Stored): void;
  delete(entry: Stored): void;
}

/** Entries of one kind with a retention of their own, the oldest first, found by id and by idempotency key. */
export class MemoryStore<Stored extends StoredEntry> {
  private readonly entries = new Queue<Held<Stored>>();
  /** Positions by id. A list of positions is made only for an id that was used again, which is rare. */
  private readonly positions = new Map<string, number | Queue<number>>();
  private readonly keys = new Map<string, Held<Stored>>();
  private bytes = 0;
  private trimmedUpTo = 0;

  constructor(
    private readonly retention: Retention,
    private readonly now: () => number,
    private readonly index?: StoreIndex<Stored>,
  ) {}

  /** Everything from this position on is held. */
  get oldest(): number {
    return this.trimmedUpTo + 1;
  }

  get newest(): Held<Stored> | undefined {
    return this.entries.at(this.entries.length - 1);
  }

  /** The entry that is held with this idempotency key. */
  withKey(idempotencyKey: string): Held<Stored> | undefined {
    return this.keys.get(idempotencyKey);
  }

  /** The position of the earliest entry with this id. */
  positionOf(id: string): number | undefined {
    const found = this.positions.get(id);
    return found instanceof Queue ? found.at(0) : found;
  }

  /** At most `limit` entries after a position. */
  after(position: number, limit: number): Held<Stored>[] {
    const from = this.entries.findIndex((entry) => entry.position > position);
    return this.entries.slice(from, from + limit);
  }

  /** The entry at a position. */
  at(position: number): Held<Stored> | undefined {
    // Where there are no holes, which is the rule, the entry is found at once.
    const guess = this.entries.at(position - (this.entries.at(0)?.position ?? 0));
    if (guess?.position === position) return guess;
    const entry = this.entries.at(this.entries.findIndex((one) => one.position >= position));
    return entry?.position === position ? entry : undefined;
  }

  hold(held: Held<Stored>): void {
    const { id, position, idempotencyKey } = held;
    this.entries.push(held);
    this.bytes += held.bytes;
    this.index?.add(held);
    const earlier = this.positions.get(id);
    if (earlier === undefined) this.positions.set(id, position);
    else if (earlier instanceof Queue) earlier.push(position);
    else this.positions.set(id, new Queue([earlier, position]));
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, held);
    this.trim();
  }

  /** Takes out the entry at a position. What comes before it stays held. */
  remove(position: number): void {
    const index = this.entries.findIndex((one) => one.position >= position);
    const entry = this.entries.at(index);
    if (entry?.position !== position) return;
    this.entries.delete(index);
    this.forget(entry);
  }

  trim(): void {
    const { events, bytes, age } = this.retention;
    const eldest = this.now() - age;
    for (let first = this.entries.at(0); first; first = this.entries.at(0)) {
      const isWithin = this.entries.length <= events && this.bytes + (this.index?.bytes ?? 0) <= bytes;
      if (isWithin && first.storedAt >= eldest) return;
      this.entries.shift();
      this.trimmedUpTo = first.position;
      this.forget(first);
    }
  }

  /** To be called when an entry has left. */
  private forget(entry: Held<Stored>): void {
    const { id, position, bytes, idempotencyKey } = entry;
    this.bytes -= bytes;
    this.index?.delete(entry);
    if (idempotencyKey !== undefined) this.keys.delete(idempotencyKey);
    const positions = this.positions.get(id);
    if (positions instanceof Queue) positions.delete(positions.findIndex((one) => one >= position));
    if (!(positions instanceof Queue) || positions.length === 0) this.positions.delete(id);
  }
}
