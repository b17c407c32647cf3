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

  hold(held: Held<Stored>): void {
    const { id, position, idempotencyKey } = held;
    this.entries.push(held);
    this.bytes += held.bytes;
    const earlier = this.positions.get(id);
    if (earlier === undefined) this.positions.set(id, position);
    else if (earlier instanceof Queue) earlier.push(position);
    else this.positions.set(id, new Queue([earlier, position]));
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, held);
    this.trim();
  }

  trim(): void {
    const { events, bytes, age } = this.retention;
    const eldest = this.now() - age;
    for (let first = this.entries.at(0); first; first = this.entries.at(0)) {
      if (this.entries.length <= events && this.bytes <= bytes && first.storedAt >= eldest) return;
      this.entries.shift();
      this.letGo(first);
    }
  }

  private letGo({ id, position, bytes, idempotencyKey }: Held<Stored>): void {
    this.trimmedUpTo = position;
    this.bytes -= bytes;
    if (idempotencyKey !== undefined) this.keys.delete(idempotencyKey);
    const positions = this.positions.get(id);
    if (positions instanceof Queue) positions.shift();
    if (!(positions instanceof Queue) || positions.length === 0) this.positions.delete(id);
  }
}
