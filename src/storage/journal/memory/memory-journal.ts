import { randomBytes } from 'node:crypto';
import { guardListener } from '../guard-listener.js';
import {
  type Appended,
  type AppendOptions,
  type Entry,
  Journal,
  type Retention,
  type TailListener,
} from '../journal.js';
import { Queue } from '../../../shared/queue.js';
import { type Update, weightOf, weightOfText } from '../update.js';

interface Held extends Entry {
  readonly bytes: number;
  /** Wall clock, milliseconds. */
  readonly storedAt: number;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: string | undefined;
}

/** Bytes that an entry takes besides its update: the entry itself, and its places in the maps. */
const OVERHEAD = 200;

/** Keeps updates in this process's memory: fast, and gone with the process. */
export class MemoryJournal extends Journal {
  readonly secret: Buffer = randomBytes(32);
  private readonly entries = new Queue<Held>();
  /** Positions by id. A list of positions is made only for an id that was used again, which is rare. */
  private readonly positions = new Map<string, number | Queue<number>>();
  private readonly keys = new Map<string, Held>();
  private readonly listeners = new Set<TailListener>();
  private bytes = 0;
  private newest = 0;

  constructor(
    readonly retention: Retention,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  get head(): number {
    return this.newest;
  }

  get oldest(): number {
    return this.newest - this.entries.length + 1;
  }

  get lastId(): string | undefined {
    return this.entries.at(this.entries.length - 1)?.update.id;
  }

  append(update: Update, { idempotencyKey, fingerprint }: AppendOptions = {}): Promise<Appended> {
    this.trim();
    const earlier = idempotencyKey === undefined ? undefined : this.keys.get(idempotencyKey);
    if (earlier) {
      const same = earlier.fingerprint === fingerprint;
      return Promise.resolve(same ? { outcome: 'repeated', id: earlier.update.id } : { outcome: 'conflict' });
    }
    const position = ++this.newest;
    const bytes = OVERHEAD + weightOf(update) + weightOfText(idempotencyKey) + weightOfText(fingerprint);
    const held = { position, update, bytes, storedAt: this.now(), idempotencyKey, fingerprint };
    this.hold(held);
    this.trim();
    for (const listener of this.listeners) listener([held]);
    return Promise.resolve({ outcome: 'stored', position, id: update.id });
  }

  read(after: number, limit: number): Promise<readonly Entry[]> {
    this.trim();
    const from = Math.max(0, after + 1 - this.oldest);
    return Promise.resolve(this.entries.slice(from, from + limit));
  }

  locate(eventId: string): Promise<number | undefined> {
    this.trim();
    const found = this.positions.get(eventId);
    return Promise.resolve(found instanceof Queue ? found.at(0) : found);
  }

  tail(from: number, listener: TailListener): () => void {
    const guarded = guardListener(listener);
    const missed = this.entries.slice(Math.max(0, from + 1 - this.oldest), this.entries.length);
    if (missed.length > 0) guarded(missed);
    this.listeners.add(guarded);
    return () => this.listeners.delete(guarded);
  }

  close(): Promise<void> {
    this.listeners.clear();
    return Promise.resolve();
  }

  private hold(held: Held): void {
    const { position, update, idempotencyKey } = held;
    this.entries.push(held);
    this.bytes += held.bytes;
    const earlier = this.positions.get(update.id);
    if (earlier === undefined) this.positions.set(update.id, position);
    else if (earlier instanceof Queue) earlier.push(position);
    else this.positions.set(update.id, new Queue([earlier, position]));
    if (idempotencyKey !== undefined) this.keys.set(idempotencyKey, held);
  }

  private trim(): void {
    const { events, bytes, age } = this.retention;
    const eldest = this.now() - age;
    for (let first = this.entries.at(0); first; first = this.entries.at(0)) {
      if (this.entries.length <= events && this.bytes <= bytes && first.storedAt >= eldest) return;
      this.entries.shift();
      this.letGo(first);
    }
  }

  private letGo({ update, bytes, idempotencyKey }: Held): void {
    this.bytes -= bytes;
    if (idempotencyKey !== undefined) this.keys.delete(idempotencyKey);
    const positions = this.positions.get(update.id);
    if (positions instanceof Queue) positions.shift();
    if (!(positions instanceof Queue) || positions.length === 0) this.positions.delete(update.id);
  }
}
