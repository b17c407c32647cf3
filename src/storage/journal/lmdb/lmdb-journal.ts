import { DamageLog } from '../damage-log.js';
import { inOrder } from '../in-order.js';
import {
  type Appended,
  type AppendOptions,
  Journal,
  JournalUnavailableError,
  type Reading,
  type Retention,
  type StoredEntry,
  type TailListener,
} from '../journal.js';
import type { PresenceRecord } from '../presence-record.js';
import type { Update } from '../update.js';
import { SWEEP_ENTRIES } from './disk/lmdb-pages.js';
import { LmdbEnvironment } from './lmdb-environment.js';
import type { Identified } from './lmdb-kind.js';
import { LmdbFollowers } from './lmdb-followers.js';
import { DirectoryLock, syncDirectories } from './lmdb-lock.js';
import { LmdbQueue, type Pending } from './lmdb-queue.js';
import { LmdbStore } from './lmdb-store.js';

/** Milliseconds between two looks for trimmed entries, such as those that have grown too old. */
const SWEEP_INTERVAL = 1_000;

/** Milliseconds for which nothing is tried after a failure. */
const REST = 1_000;

/**
 * Keeps the log in an LMDB database: an append is answered once it is on the disk. One commit is under way at a time,
 * and whatever is appended meanwhile, of either kind, shares the next one, so that many share one sync of the disk.
 */
export class LmdbJournal extends Journal {
  private readonly queue = new LmdbQueue();
  private readonly followers = new LmdbFollowers(this);
  private readonly updates: LmdbStore<Update>;
  private readonly presence: LmdbStore<PresenceRecord>;
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  /** Rejects while the files can't be opened again after a failure. */
  private ready: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown; readonly until: number } | undefined;
  private isClosing = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly lock: DirectoryLock,
    private readonly environment: LmdbEnvironment,
    readonly retention: Retention,
    now: () => number,
    presenceRetention: Retention,
  ) {
    super();
    const damage = new DamageLog('readers are told of a gap; stop the service and run `herald journal verify`');
    this.updates = new LmdbStore(environment.updates, retention, now, damage);
    this.presence = new LmdbStore(environment.presence, presenceRetention, now, damage);
    this.timer = setInterval(() => this.sweep(), SWEEP_INTERVAL).unref();
  }

  /**
   * Opens the journal in the directory `path`, and creates it if there is none. How long it takes does not depend on
   * how much the journal holds.
   * @throws {JournalOpenError} when another process uses the journal, or it can't be read.
   */
  static async open(
    path: string,
    retention: Retention,
    now: () => number = Date.now,
    presenceRetention: Retention = retention,
  ): Promise<LmdbJournal> {
    const lock = await DirectoryLock.take(path);
    try {
      const environment = new LmdbEnvironment(path);
      await syncDirectories(path);
      return new LmdbJournal(lock, environment, retention, now, presenceRetention);
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

  /** Bytes that the files take, including pages that trimming has freed and that are not used again yet. */
  get size(): number {
    return this.environment.size;
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
    return update && update.position > (presence?.position ?? 0) ? update.lastId : presence?.lastId;
  }

  /** Whether the files are open: they are not for a while after a failure. */
  get isReadable(): boolean {
    return this.environment.isOpen;
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
    await this.ready;
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

  get topics(): undefined {
    return undefined;
  }

  readAt(): Promise<Reading> {
    return Promise.reject(new JournalUnavailableError('This journal can not be read at positions yet.'));
  }

  remove(): Promise<void> {
    return Promise.reject(new JournalUnavailableError('Updates can not be taken out of this journal yet.'));
  }

  onRemoved(): () => void {
    return () => undefined;
  }

  async locate(eventId: string): Promise<number | undefined> {
    await this.ready;
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
    await this.running;
    await this.ready.catch(() => undefined);
    await this.environment.close();
    await this.lock.release();
  }

  private refuseIfUnable(): void {
    if (this.isClosing) throw new JournalUnavailableError('The journal is closed.');
    if (this.queue.isFull)
      throw new JournalUnavailableError('Too many updates are waiting for the disk: try again later.');
    if (!this.hasRecovered()) throw this.failure?.error as Error;
  }

  /**
   * Whether there was no failure, or writing may be tried again after it. Tries to open the files again if they are
   * closed.
   */
  private hasRecovered(): boolean {
    if (!this.failure) return true;
    if (performance.now() < this.failure.until) return false;
    if (this.environment.isOpen) {
      this.failure = undefined;
      return true;
    }
    this.rest(this.failure.error);
    this.reopen();
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
      isDone = await this.commit(this.queue.takeGroup());
    } while (!this.queue.isEmpty || (isDone && this.hasMuchToSweep()));
    // In the same turn as the last check of what waits, so that a later append starts a new run.
    this.isRunning = false;
  }

  private async commit(group: readonly Pending[]): Promise<boolean> {
    try {
      const entries = this.stage(group);
      const limit = group.length > 0 ? 2 * group.length + 16 : SWEEP_ENTRIES;
      await this.environment.write({ updates: this.updates.change(limit), presence: this.presence.change(limit) });
      this.accept(group, entries);
      return true;
    } catch (error) {
      this.updates.discard();
      this.presence.discard();
      this.fail(error, group);
      await this.ready.catch(() => undefined);
      return false;
    }
  }

  private stage(group: readonly Pending[]): readonly StoredEntry[] {
    let position = this.head;
    return group.map((pending) => {
      position += pending.positions;
      return pending.stage(position);
    });
  }

  /** The group is on the disk: tells followers and publishers. */
  private accept(group: readonly Pending[], entries: readonly StoredEntry[]): void {
    const before = this.head;
    this.updates.committed();
    this.presence.committed();
    if (entries.length > 0) this.followers.tell(before, entries);
    for (const [index, pending] of group.entries()) {
      this.queue.decided(pending);
      pending.resolve({ outcome: 'stored', position: entries[index]?.position ?? 0, id: pending.id });
    }
  }

  /** Rejects everything that waits. Appends of the next moments would fail as well, and are refused at once. */
  private fail(error: unknown, group: readonly Pending[]): void {
    const all = [...group, ...this.queue.takeAll()];
    this.rest(error);
    if (this.environment.mustReopen) this.reopen();
    for (const pending of all) {
      this.queue.decided(pending);
      pending.reject(error);
    }
  }

  /** For the next {@link REST} milliseconds, all appends are refused for the same reason. */
  private rest(error: unknown): void {
    this.failure = { error, until: performance.now() + REST };
  }

  private reopen(): void {
    this.ready = this.openAgain();
    // Readers that await `ready` see the error themselves; here it must not become an unhandled rejection.
    this.ready.catch(() => undefined);
  }

  private async openAgain(): Promise<void> {
    try {
      await this.environment.reopen();
    } catch (cause) {
      throw new JournalUnavailableError('The journal could not be opened again after a failure.', { cause });
    }
    this.updates.recover();
    this.presence.recover();
  }

  private hasMuchToSweep(): boolean {
    return !this.isClosing && Math.max(this.updates.garbageCount, this.presence.garbageCount) >= SWEEP_ENTRIES;
  }

  /**
   * Removes trimmed entries when no append does so along the way. Goes on after appends were refused, because the
   * removal may make room for them.
   */
  private sweep(): void {
    if (!this.environment.isOpen && !this.hasRecovered()) return;
    if (this.updates.garbageCount > 0 || this.presence.garbageCount > 0) this.start();
  }
}
