import { Queue } from '../../../shared/queue.js';
import { steadyNow } from '../../../shared/time/steady-clock.js';
import type { AppendOptions, Entry, Retention, StoredEntry } from '../journal.js';
import type { Update } from '../update.js';
import { TextPositions } from './text-positions.js';

/** An entry with what the store must know of it besides. */
export type Held<Stored extends StoredEntry> = Stored & {
  /** The entry's own id: an update's, or a presence record's. */
  readonly id: string;
  readonly bytes: number;
  /** Wall clock, milliseconds. */
  readonly storedAt: number;
  readonly options: AppendOptions;
  /** What its id and its idempotency key are found by, which the store sets when it is held. */
  idHash: number;
  keyHash: number;
};

/** An index that is kept beside a store, and counts with it. */
export interface StoreIndex<Stored extends StoredEntry> {
  /** About how many bytes it takes. */
  readonly bytes: number;
  add(entry: Stored): void;
  delete(entry: Stored): void;
}

/** What times are kept relative to: V8 keeps small whole numbers within an object, and others beside it. */
const START = steadyNow();

/**
 * An update as it is held. It is small, because two garbage collections copy whatever is held, and collecting takes a sixth of
 * what an update in a batch costs.
 */
export class HeldUpdate implements Entry {
  idHash = 0;
  keyHash = 0;
  private readonly storedSince: number;

  constructor(
    readonly position: number,
    readonly update: Update,
    readonly bytes: number,
    storedAt: number,
    readonly options: AppendOptions,
  ) {
    this.storedSince = storedAt - START;
  }

  get id(): string {
    return this.update.id;
  }

  get storedAt(): number {
    return START + this.storedSince;
  }
}

/** The hash of no key, which no key has. */
const NO_KEY = 0;

/** Entries of one kind with a retention of their own, the oldest first, found by id and by idempotency key. */
export class MemoryStore<Stored extends StoredEntry> {
  private readonly entries = new Queue<Held<Stored>>();
  /** The earliest position of each id. */
  private readonly ids = new TextPositions((position) => this.at(position)?.id);
  /** The later positions of ids that were used again, which is rare. */
  private readonly repeated = new Map<string, Queue<number>>();
  private readonly keys = new TextPositions((position) => this.at(position)?.options.idempotencyKey);
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

  /** How many entries are held, and the bytes that count against the retention. */
  get usage(): { readonly updates: number; readonly bytes: number } {
    return { updates: this.entries.length, bytes: this.bytes + (this.index?.bytes ?? 0) };
  }

  get newest(): Held<Stored> | undefined {
    return this.entries.at(this.entries.length - 1);
  }

  /** The entry that is held with this idempotency key. */
  withKey(idempotencyKey: string): Held<Stored> | undefined {
    const position = this.keys.get(idempotencyKey);
    return position === undefined ? undefined : this.at(position);
  }

  /** The position of the earliest entry with this id. */
  positionOf(id: string): number | undefined {
    return this.ids.get(id);
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
    const { id, position, storedAt, options } = held;
    const { idempotencyKey } = options;
    held.idHash = this.ids.hashOf(id);
    held.keyHash = idempotencyKey === undefined ? NO_KEY : this.keys.hashOf(idempotencyKey);
    this.entries.push(held);
    this.bytes += held.bytes;
    this.index?.add(held);
    if (!this.ids.add(id, position)) this.repeat(id, position);
    if (idempotencyKey !== undefined) this.keys.add(idempotencyKey, position);
    this.trim(storedAt);
  }

  /** Takes out the entry at a position. What comes before it stays held. */
  remove(position: number): void {
    const index = this.entries.findIndex((one) => one.position >= position);
    const entry = this.entries.at(index);
    if (entry?.position !== position) return;
    this.entries.delete(index);
    this.forget(entry);
  }

  /** @param now the time, where whoever calls has looked at the clock. */
  trim(now = this.now()): void {
    const { events, bytes, age } = this.retention;
    const eldest = now - age;
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
    const { position, bytes, idHash, keyHash } = entry;
    this.bytes -= bytes;
    this.index?.delete(entry);
    if (keyHash !== NO_KEY) this.keys.delete(keyHash, position);
    // Not asked for where there are none: its id would have to be read from memory.
    if (this.repeated.size > 0 && this.repeated.has(entry.id)) this.forgetRepeated(entry);
    else this.ids.delete(idHash, position);
  }

  private repeat(id: string, position: number): void {
    const later = this.repeated.get(id);
    if (later) later.push(position);
    else this.repeated.set(id, new Queue([position]));
  }

  private forgetRepeated({ id, idHash, position }: Held<Stored>): void {
    const later = this.repeated.get(id);
    const [next] = later?.slice(0, 1) ?? [];
    if (!later || next === undefined) return;
    if (position < next) {
      this.ids.replace(idHash, position, next);
      later.shift();
    } else later.delete(later.findIndex((one) => one >= position));
    if (later.length === 0) this.repeated.delete(id);
  }
}
