import { randomBytes } from 'node:crypto';
import { steadyNow } from '../../../shared/time/steady-clock.js';
import { guardListener } from '../guard-listener.js';
import {
  type Appended,
  type AppendOptions,
  type Entry,
  Journal,
  type JournalUsage,
  type PresenceEntry,
  type Reading,
  type RemovalListener,
  type Retention,
  type StoredEntry,
  type TailListener,
} from '../journal.js';
import { inOrder } from '../in-order.js';
import { eventIdOf, type PresenceRecord } from '../presence-record.js';
import { type Update, weightOf, weightOfText } from '../update.js';
import { NO_ADDRESSES, type TopicAddresses, type TopicLookup } from '../topics/topic-lookup.js';
import { HeldUpdate, MemoryStore } from './memory-store.js';
import { MemoryTopics } from './memory-topics.js';

/** Bytes that an entry takes besides its update: the entry itself, and its places in the maps. */
const OVERHEAD = 200;

/** Bytes of an idempotency key's options besides its text. */
const KEYED = 100;

/** The options of entries without an idempotency key. */
const UNKEYED: AppendOptions = {};

/** Keeps updates in this process's memory: fast, and gone with the process. */
export class MemoryJournal extends Journal {
  override readonly kind: string = 'memory';
  readonly secret: Buffer = randomBytes(32);
  private readonly updates: MemoryStore<Entry>;
  private readonly presence: MemoryStore<PresenceEntry>;
  private readonly index: MemoryTopics;
  private readonly listeners = new Set<TailListener>();
  private readonly removals = new Set<RemovalListener>();
  private newest = 0;

  constructor(
    readonly retention: Retention,
    private readonly now: () => number = steadyNow,
    presenceRetention: Retention = retention,
    addresses: TopicAddresses = NO_ADDRESSES,
  ) {
    super();
    this.index = new MemoryTopics(addresses, () => this.oldest);
    this.updates = new MemoryStore(retention, now, this.index);
    this.presence = new MemoryStore(presenceRetention, now);
  }

  get head(): number {
    return this.newest;
  }

  get oldest(): number {
    return this.updates.oldest;
  }

  get oldestPresence(): number {
    return this.presence.oldest;
  }

  get lastId(): string | undefined {
    const update = this.updates.newest;
    const presence = this.presence.newest;
    if (!presence || (update && update.position > presence.position)) return update?.id;
    return eventIdOf(presence, presence.record.events - 1);
  }

  override get usage(): JournalUsage {
    return { ...this.updates.usage, indexBytes: this.index.bytes };
  }

  append(update: Update, options: AppendOptions = UNKEYED): Appended | Promise<Appended> {
    const storedAt = this.now();
    this.updates.trim(storedAt);
    const { idempotencyKey } = options;
    const earlier = idempotencyKey === undefined ? undefined : this.updates.withKey(idempotencyKey);
    if (earlier) {
      // Asked for only here, because a fingerprint may take as long to make as an update to append.
      const same = earlier.options.fingerprint === options.fingerprint;
      return same ? { outcome: 'repeated', id: earlier.id } : { outcome: 'conflict' };
    }
    const position = ++this.newest;
    const bytes = OVERHEAD + weightOf(update) + weightOfKey(idempotencyKey);
    const held = new HeldUpdate(position, update, bytes, storedAt, options);
    this.updates.hold(held);
    this.tell(held);
    return { outcome: 'stored', position, id: update.id };
  }

  appendPresence(record: PresenceRecord, options: Pick<AppendOptions, 'idempotencyKey'> = UNKEYED): Promise<Appended> {
    const storedAt = this.now();
    this.presence.trim(storedAt);
    const { idempotencyKey } = options;
    const earlier = idempotencyKey === undefined ? undefined : this.presence.withKey(idempotencyKey);
    if (earlier) return Promise.resolve({ outcome: 'repeated', id: eventIdOf(earlier, earlier.record.events - 1) });
    this.newest += record.events;
    const position = this.newest;
    const { id, content, events } = record;
    const bytes = 2 * OVERHEAD + weightOfText(id) + weightOfText(content) + weightOfKey(idempotencyKey);
    const held = { position, record, id, bytes, storedAt, options, idHash: 0, keyHash: 0 };
    this.presence.hold(held);
    this.tell(held);
    return Promise.resolve({ outcome: 'stored', position, id: eventIdOf(record, events - 1) });
  }

  read(after: number, limit: number): Promise<Reading> {
    this.trim();
    const entries = this.entriesAfter(after, limit);
    const upTo = entries.length < limit ? this.newest : (entries.at(-1)?.position ?? after);
    const { oldest, oldestPresence } = this;
    return Promise.resolve({ entries, upTo: Math.max(after, upTo), oldest, oldestPresence });
  }

  get topics(): TopicLookup {
    this.updates.trim();
    return this.index;
  }

  readAt(positions: readonly number[]): Promise<Reading> {
    this.trim();
    const entries = positions.map((position) => this.updates.at(position)).filter((entry) => entry !== undefined);
    const { oldest, oldestPresence } = this;
    return Promise.resolve({ entries, upTo: positions.at(-1) ?? 0, oldest, oldestPresence });
  }

  locate(eventId: string): Promise<number | undefined> {
    this.trim();
    return Promise.resolve(this.updates.positionOf(eventId));
  }

  tail(from: number, listener: TailListener): () => void {
    const guarded = guardListener(listener);
    const missed = this.entriesAfter(from, Infinity);
    if (missed.length > 0) guarded(missed);
    this.listeners.add(guarded);
    return () => this.listeners.delete(guarded);
  }

  remove(positions: readonly number[]): Promise<void> {
    for (const position of positions) this.updates.remove(position);
    for (const listener of this.removals) listener(positions);
    return Promise.resolve();
  }

  onRemoved(listener: RemovalListener): () => void {
    const guarded = guardListener(listener);
    this.removals.add(guarded);
    return () => this.removals.delete(guarded);
  }

  close(): Promise<void> {
    this.listeners.clear();
    this.removals.clear();
    return Promise.resolve();
  }

  private tell(entry: StoredEntry): void {
    for (const listener of this.listeners) listener([entry]);
  }

  private trim(): void {
    this.updates.trim();
    this.presence.trim();
  }

  private entriesAfter(after: number, limit: number): StoredEntry[] {
    return inOrder(this.updates.after(after, limit), this.presence.after(after, limit)).slice(0, limit);
  }
}

function weightOfKey(idempotencyKey: string | undefined): number {
  return idempotencyKey === undefined ? 0 : KEYED + weightOfText(idempotencyKey);
}
