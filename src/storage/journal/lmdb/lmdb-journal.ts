import { steadyFrom, steadyNow } from '../../../shared/time/steady-clock.js';
import { DamageLog } from '../damage-log.js';
import { inOrder } from '../in-order.js';
import {
  type Appended,
  type AppendOptions,
  Journal,
  type JournalUsage,
  JournalUnavailableError,
  type Obstacle,
  type Reading,
  type RemovalListener,
  type Retention,
  type StoredEntry,
  type TailListener,
} from '../journal.js';
import type { PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';
import { NO_ADDRESSES, type TopicAddresses, type TopicLookup } from '../topics/topic-lookup.js';
import { BackupDesk } from './backup/backup-desk.js';
import { DirectoryLock, syncDirectories } from './disk/lmdb-lock.js';
import { SWEEP_ENTRIES } from './disk/lmdb-pages.js';
import { LmdbReopening } from './disk/lmdb-reopening.js';
import { LmdbTrouble } from './disk/lmdb-trouble.js';
import { LmdbIndex } from './index/lmdb-index.js';
import { LmdbEnvironment } from './lmdb-environment.js';
import type { Identified } from './lmdb-kind.js';
import { LmdbFollowers } from './lmdb-followers.js';
import { LmdbRemovals } from './lmdb-removals.js';
import { LmdbQueue, type Pending, stageAll } from './lmdb-queue.js';
import { LmdbStore } from './lmdb-store.js';

/** Milliseconds between two looks for trimmed entries, such as those that have grown too old. */
const SWEEP_INTERVAL = 1_000;

interface Settings {
  readonly retention: Retention;
  readonly presenceRetention: Retention;
  readonly now: () => number;
  readonly addresses: TopicAddresses;
}

/**
 * Keeps the log in an LMDB database: an append is answered once it is on the disk. One commit is under way at a time,
 * and whatever is appended meanwhile, of either kind, shares the next one, so that many share one sync of the disk.
 */
export class LmdbJournal extends Journal {
  override readonly kind: string = 'lmdb';
  readonly retention: Retention;
  private readonly queue = new LmdbQueue();
  private readonly followers = new LmdbFollowers(this);
  private readonly updates: LmdbStore<Update>;
  private readonly presence: LmdbStore<PresenceRecord>;
  private readonly index: LmdbIndex;
  private readonly removals: LmdbRemovals;
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  private readonly reopening: LmdbReopening;
  private readonly backups: BackupDesk;
  private readonly trouble = new LmdbTrouble();
  /** Whether it is to be found out if there is room for an update. */
  private isInDoubt = true;
  private isClosing = false;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly lock: DirectoryLock,
    private readonly environment: LmdbEnvironment,
    { retention, presenceRetention, now, addresses }: Settings,
  ) {
    super();
    this.retention = retention;
    const damage = new DamageLog('readers are told of a gap; stop the service and run `herald journal verify`');
    this.updates = new LmdbStore(environment.updates, retention, now, damage);
    this.presence = new LmdbStore(environment.presence, presenceRetention, now, damage);
    this.index = new LmdbIndex(environment.topics, this.updates, addresses);
    this.removals = new LmdbRemovals(environment, this.updates, this.index);
    this.reopening = new LmdbReopening(environment, [this.updates, this.presence, this.index]);
    this.backups = new BackupDesk(environment, () => this.start());
  }

  /**
   * Opens the journal in the directory `path`, and creates it if there is none. How long it takes does not depend on
   * how much the journal holds.
   * @param now a clock for tests, in milliseconds. Default: `steadyNow`.
   * @param addresses with those of another base than before, the index of topics is made anew.
   * @throws {JournalOpenError} when another process uses the journal, or it can't be read.
   */
  static async open(
    path: string,
    retention: Retention,
    now: () => number = steadyNow,
    presenceRetention: Retention = retention,
    addresses: TopicAddresses = NO_ADDRESSES,
  ): Promise<LmdbJournal> {
    const lock = await DirectoryLock.take(path);
    try {
      const environment = new LmdbEnvironment(path);
      await syncDirectories(path);
      const journal = new LmdbJournal(lock, environment, { retention, presenceRetention, now, addresses });
      await journal.findRoom();
      await journal.backups.listen(lock);
      journal.timer = setInterval(() => journal.sweep(), SWEEP_INTERVAL).unref();
      if (journal.index.isDue) journal.start();
      // What was stored while the machine's clock was ahead would get no older until that comes to the same time.
      if (now === steadyNow) steadyFrom(Math.max(journal.updates.newestTime, journal.presence.newestTime));
      return journal;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Made at random when the journal is created, and never changed. */
  get id(): string {
    return this.environment.id;
  }

  get secret(): Buffer {
    return this.environment.secret;
  }

  override get usage(): Required<Omit<JournalUsage, 'indexBytes'>> {
    return { ...this.updates.usage, fileBytes: this.environment.size };
  }

  get head(): number {
    return Math.max(this.updates.newest, this.presence.newest);
  }

  get oldest(): number {
    return this.updates.oldest;
  }

  get oldestPresence(): number {
    return this.presence.oldest;
  }

  get lastId(): string | undefined {
    const [update, presence] = [this.updates.newestWhole, this.presence.newestWhole];
    return (update && update.position > (presence?.position ?? 0) ? update : presence)?.lastId;
  }

  /** Whether the files are open: they are not for a while after a failure. */
  get isReadable(): boolean {
    return this.environment.isOpen;
  }

  override get obstacle(): Obstacle | undefined {
    return this.trouble.obstacle;
  }

  append(update: Update, options: AppendOptions = {}): Promise<Appended> {
    return this.take(this.updates, update, options);
  }

  appendPresence(
    record: PresenceRecord,
    { idempotencyKey }: { readonly idempotencyKey?: string } = {},
  ): Promise<Appended> {
    return this.take(this.presence, record, idempotencyKey === undefined ? {} : { idempotencyKey });
  }

  async read(after: number, limit: number): Promise<Reading> {
    await this.reopening.done;
    return this.readNow(after, limit);
  }

  /** What {@link read} gives, while the journal {@link isReadable}. */
  readNow(after: number, limit: number): Reading {
    const updates = this.updates.read(after, limit, Math.max(after, this.head));
    const presence = this.presence.read(after, limit, updates.upTo);
    const { upTo } = presence;
    // Where many comings and goings lie between the updates, those after the last one that was read have to wait.
    const first = upTo < updates.upTo ? updates.entries.filter(({ position }) => position < upTo) : updates.entries;
    const all = inOrder(first, presence.entries);
    const entries = all.length > limit ? all.slice(0, limit) : all;
    const last = all.length > limit ? (entries.at(-1)?.position ?? after) : upTo;
    return { entries, upTo: last, oldest: updates.oldest, oldestPresence: presence.oldest };
  }

  get topics(): TopicLookup | undefined {
    return this.index.topics;
  }

  async readAt(positions: readonly number[]): Promise<Reading> {
    await this.reopening.done;
    return { ...this.updates.readAt(positions), oldestPresence: this.oldestPresence };
  }

  remove(positions: readonly number[]): Promise<void> {
    try {
      this.refuseIfUnable();
      const removed = this.removals.add(positions);
      this.start();
      return removed;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  onRemoved(listener: RemovalListener): () => void {
    return this.removals.onRemoved(listener);
  }

  async locate(eventId: string): Promise<number | undefined> {
    await this.reopening.done;
    return this.updates.positionWithId(eventId);
  }

  tail(from: number, listener: TailListener): () => void {
    return this.followers.add(from, listener);
  }

  /** Stores the appends that are under way, and closes the files. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    clearInterval(this.timer);
    this.followers.clear();
    this.removals.clear();
    await this.running;
    await this.reopening.done.catch(() => undefined);
    await this.environment.close();
    await this.backups.close();
    await this.lock.release();
  }

  private refuseIfUnable(): void {
    if (this.isClosing) throw new JournalUnavailableError('The journal is closed.');
    if (this.queue.isFull)
      throw new JournalUnavailableError('Too many updates are waiting for the disk: try again later.');
    if (!this.hasRecovered()) throw this.trouble.error as Error;
  }

  /**
   * Whether there was no failure, or writing may be tried again after it. Tries to open the files again if they are
   * closed.
   */
  private hasRecovered(): boolean {
    if (this.trouble.isResting) return false;
    if (this.environment.isOpen) return true;
    this.trouble.has(this.trouble.error);
    this.reopening.begin();
    return false;
  }

  private take<Content extends Identified>(
    store: LmdbStore<Content>,
    content: Content,
    options: AppendOptions,
  ): Promise<Appended> {
    try {
      this.refuseIfUnable();
      const appended = this.queue.add(store, content, options);
      if (!this.queue.isEmpty) this.start();
      return appended;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Begins to commit at the end of this turn of the event loop, so that all appends of the turn share a commit. */
  private start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.running = new Promise((resolve) => {
      setImmediate(() => void this.run().then(resolve));
    });
  }

  private async run(): Promise<void> {
    let isDone: boolean;
    do {
      // One after the other: the next group is what has gathered meanwhile.
      // oxlint-disable-next-line no-await-in-loop
      await this.findRoom();
      // oxlint-disable-next-line no-await-in-loop
      await this.takeOut();
      this.backups.serve();
      // oxlint-disable-next-line no-await-in-loop
      isDone = await this.commit(this.index.isFull ? [] : this.queue.takeGroup());
    } while (!this.queue.isEmpty || !this.removals.isEmpty || this.backups.isAsked || (isDone && this.hasMuchToDo()));
    // In the same turn as the last check of what waits, so that a later append starts a new run.
    this.isRunning = false;
  }

  /** Finds out whether there is room for an update, where that is in doubt, without storing one. */
  private async findRoom(): Promise<void> {
    if (!this.isInDoubt || !this.environment.isOpen) return;
    this.isInDoubt = false;
    try {
      await this.environment.roomFor(this.trouble.needed);
      this.trouble.isOver();
    } catch (error) {
      this.trouble.isSeen(error);
      if (this.environment.mustReopen) await this.endFailed([], error);
    }
  }

  /** Takes out some of the updates that are to be removed. */
  private async takeOut(): Promise<void> {
    if (this.removals.isEmpty) return;
    try {
      await this.removals.next();
    } catch (error) {
      await this.endFailed([], error);
    }
  }

  private async commit(group: readonly Pending[]): Promise<boolean> {
    try {
      const entries = stageAll(group, this.head);
      const topics = { isOptional: !this.index.isFull, edits: this.index.change(group.length) };
      if (group.length === 0 && topics.edits.length === 0 && this.garbageCount === 0) return true;
      const limit = group.length > 0 ? 2 * group.length + 16 : SWEEP_ENTRIES;
      const [updates, presence] = [this.updates.change(limit), this.presence.change(limit)];
      const isIndexed = await this.environment.write({ updates, presence, topics });
      this.accept(group, entries);
      if (group.length > 0) this.trouble.isOver();
      this.index.committed(isIndexed);
      return true;
    } catch (error) {
      this.updates.discard();
      this.presence.discard();
      this.index.discard();
      await this.endFailed(group, error);
      return false;
    }
  }

  /** The group is on the disk: tells followers and publishers. */
  private accept(group: readonly Pending[], entries: readonly StoredEntry[]): void {
    const before = this.head;
    this.updates.committed();
    this.presence.committed();
    this.index.appended(entries);
    if (entries.length > 0) this.followers.tell(before, entries);
    for (const [index, pending] of group.entries()) {
      this.queue.decided(pending);
      pending.resolve({ outcome: 'stored', position: entries[index]?.position ?? 0, id: pending.id });
    }
  }

  /**
   * Rejects everything that waits, and waits for the files where they must be opened again. Appends of the next moments
   * would fail as well, and are refused at once.
   */
  private async endFailed(group: readonly Pending[], error: unknown): Promise<void> {
    const all = [...group, ...this.queue.takeAll()];
    this.trouble.has(error, Math.max(0, ...group.map(({ size }) => size)));
    if (this.environment.mustReopen) this.reopening.begin();
    for (const pending of all) {
      this.queue.decided(pending);
      pending.reject(error);
    }
    this.removals.fail(error);
    await this.reopening.done.catch(() => undefined);
  }

  private get garbageCount(): number {
    return Math.max(this.updates.garbageCount, this.presence.garbageCount);
  }

  private hasMuchToDo(): boolean {
    return !this.isClosing && (this.garbageCount >= SWEEP_ENTRIES || this.index.isDue);
  }

  /**
   * Removes trimmed entries when no append does so along the way, and goes on with the index. Goes on after appends were
   * refused, because the removal may make room for them.
   */
  private sweep(): void {
    if (!this.environment.isOpen && !this.hasRecovered()) return;
    this.isInDoubt = this.trouble.isOngoing && !this.trouble.isResting;
    if (this.isInDoubt || this.garbageCount > 0 || this.index.isDue || this.index.isUntidy) this.start();
  }
}
