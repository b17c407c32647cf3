import { DamageLog } from '../damage-log.js';
import { guardTail } from '../guard-listener.js';
import {
  type Appended,
  type AppendOptions,
  Journal,
  JournalUnavailableError,
  type ReadEntry,
  type Retention,
  type TailListener,
} from '../journal.js';
import { DirectoryLock, syncDirectories } from './lmdb-lock.js';
import { encodeRecord, headOf, readRecord, type RecordHead } from './lmdb-record.js';
import { SWEEP_ENTRIES } from './lmdb-pages.js';
import { LmdbStore, type Placed } from './lmdb-store.js';
import { LmdbWindow } from './lmdb-window.js';
import { type Update, weightOf, weightOfText } from '../update.js';

/** What one commit takes at most, so that the first in a long queue does not wait for the last. */
const GROUP_ENTRIES = 1_024;
const GROUP_CHARACTERS = 4 * 1024 ** 2;

/** The most characters of updates that may wait for the disk; more updates are refused. */
const MAX_WAITING = 64 * 1024 ** 2;

/** Bytes after which one `read` stops; the entry that reaches the limit is still given. */
const READ_BYTES = 256 * 1024;

/** Entries that a follower which is behind is told in one turn of the event loop. */
const FEED_ENTRIES = 256;

/** Milliseconds between two looks for trimmed entries, such as those that have grown too old. */
const SWEEP_INTERVAL = 1_000;

/** Milliseconds for which nothing is tried after a failure. */
const REST = 1_000;

/** An append on its way to the disk. */
interface Pending {
  readonly update: Update;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: string | undefined;
  readonly size: number;
  readonly stored: Promise<Appended>;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
}

interface Follower {
  cursor: number;
  readonly listener: (entries: readonly ReadEntry[]) => void;
}

/**
 * Keeps updates in an LMDB database: an append is answered once it is on the disk. One commit is under way at a time,
 * and whatever is appended meanwhile shares the next one, so that many updates share one sync of the disk.
 */
export class LmdbJournal extends Journal {
  private readonly waiting: Pending[] = [];
  private waitingSize = 0;
  private readonly pendingKeys = new Map<string, Pending>();
  private readonly followers = new Set<Follower>();
  private readonly damage = new DamageLog(
    'readers are told of a gap; stop the service and run `herald journal verify`',
  );
  private isRunning = false;
  private running: Promise<void> = Promise.resolve();
  /** Rejects while the files can't be opened again after a failure. */
  private ready: Promise<void> = Promise.resolve();
  private failure: { readonly error: unknown; readonly until: number } | undefined;
  private isClosing = false;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly lock: DirectoryLock,
    private readonly store: LmdbStore,
    private readonly window: LmdbWindow,
    readonly retention: Retention,
    private readonly now: () => number,
  ) {
    super();
    this.timer = setInterval(() => this.sweep(), SWEEP_INTERVAL).unref();
  }

  /**
   * Opens the journal in the directory `path`, and creates it if there is none. How long it takes does not depend on
   * how much the journal holds.
   * @throws {JournalOpenError} when another process uses the journal, or it can't be read.
   */
  static async open(path: string, retention: Retention, now: () => number = Date.now): Promise<LmdbJournal> {
    const lock = await DirectoryLock.take(path);
    try {
      const store = new LmdbStore(path);
      await syncDirectories(path);
      return new LmdbJournal(lock, store, new LmdbWindow(store, retention, now), retention, now);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Made at random when the journal is created, and never changed. */
  get id(): string {
    return this.store.id;
  }

  get secret(): Buffer {
    return this.store.secret;
  }

  /** Bytes that the files take, including pages that trimming has freed and that are not used again yet. */
  get size(): number {
    return this.store.size;
  }

  get head(): number {
    return this.window.newest;
  }

  get oldest(): number {
    return this.window.oldest;
  }

  get lastId(): string | undefined {
    return this.window.isEmpty ? undefined : this.window.newestId;
  }

  append(update: Update, { idempotencyKey, fingerprint }: AppendOptions = {}): Promise<Appended> {
    try {
      this.refuseIfUnable();
      const repeated = idempotencyKey === undefined ? undefined : this.findRepeated(idempotencyKey, fingerprint);
      return repeated ?? this.enqueue(update, idempotencyKey, fingerprint);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async read(after: number, limit: number): Promise<readonly ReadEntry[]> {
    await this.ready;
    return this.entriesAfter(after, limit);
  }

  async locate(eventId: string): Promise<number | undefined> {
    await this.ready;
    for (const position of this.store.positionsOf(eventId, this.window.oldest)) {
      const bytes = this.store.get(position);
      const entry = bytes && this.entryOf({ position, bytes });
      // For a damaged entry the index alone counts, because the entry's own id can't be read any more.
      if (entry && (!entry.update || entry.update.id === eventId)) return position;
    }
    return undefined;
  }

  tail(from: number, listener: TailListener): () => void {
    const follower: Follower = { cursor: from, listener: guardTail(listener) };
    this.followers.add(follower);
    this.feed(follower);
    return () => this.followers.delete(follower);
  }

  /** Stores the appends that are under way, and closes the files. */
  async close(): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    clearInterval(this.timer);
    this.followers.clear();
    await this.running;
    await this.ready.catch(() => undefined);
    await this.store.close();
    await this.lock.release();
  }

  private refuseIfUnable(): void {
    if (this.isClosing) throw new JournalUnavailableError('The journal is closed.');
    if (this.waitingSize > MAX_WAITING)
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
    if (this.store.isOpen) {
      this.failure = undefined;
      return true;
    }
    this.rest(this.failure.error);
    this.reopen();
    return false;
  }

  /** The answer to an append whose idempotency key is held already or waits for the disk; undefined for a new key. */
  private findRepeated(idempotencyKey: string, fingerprint: string | undefined): Promise<Appended> | undefined {
    const pending = this.pendingKeys.get(idempotencyKey);
    if (pending) return pending.stored.then(() => repetition(pending.update.id, pending.fingerprint === fingerprint));
    const position = this.store.positionOfKey(idempotencyKey);
    const bytes = position === undefined || position < this.window.oldest ? undefined : this.store.get(position);
    // A damaged entry does not hold its key any more, like a trimmed one.
    const earlier = bytes && readRecord(bytes);
    if (earlier?.idempotencyKey !== idempotencyKey) return undefined;
    return Promise.resolve(repetition(earlier.update.id, earlier.fingerprint === fingerprint));
  }

  private enqueue(update: Update, idempotencyKey?: string, fingerprint?: string): Promise<Appended> {
    const settlers: Partial<Pick<Pending, 'resolve' | 'reject'>> = {};
    const stored = new Promise<Appended>((resolve, reject) => Object.assign(settlers, { resolve, reject }));
    const size = weightOf(update) + weightOfText(idempotencyKey) + weightOfText(fingerprint);
    const pending = { update, idempotencyKey, fingerprint, size, stored, ...settlers } as Pending;
    this.waiting.push(pending);
    this.waitingSize += size;
    if (idempotencyKey !== undefined) this.pendingKeys.set(idempotencyKey, pending);
    this.start();
    return stored;
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
      isDone = await this.commit(this.takeGroup());
    } while (this.waiting.length > 0 || (isDone && this.hasMuchToSweep()));
    // In the same turn as the last check of what waits, so that a later append starts a new run.
    this.isRunning = false;
  }

  private takeGroup(): Pending[] {
    let count = 0;
    let size = 0;
    for (const pending of this.waiting.slice(0, GROUP_ENTRIES)) {
      if (count > 0 && size + pending.size > GROUP_CHARACTERS) break;
      count += 1;
      size += pending.size;
    }
    this.waitingSize -= size;
    return this.waiting.splice(0, count);
  }

  private async commit(group: readonly Pending[]): Promise<boolean> {
    try {
      const placed = this.place(group);
      const remove = this.window.garbage(group.length > 0 ? 2 * group.length + 16 : SWEEP_ENTRIES);
      await this.store.write({ append: placed, remove });
      this.window.removed(remove);
      this.accept(group, placed);
      return true;
    } catch (error) {
      this.fail(error, group);
      await this.ready.catch(() => undefined);
      return false;
    }
  }

  private place(group: readonly Pending[]) {
    const storedAt = Math.max(this.now(), this.window.newestHead.storedAt);
    let { total } = this.window.newestHead;
    return group.map(({ update, idempotencyKey, fingerprint }, index) => {
      const bytes = encodeRecord({ update, storedAt, idempotencyKey, fingerprint }, total);
      const head: RecordHead = headOf(bytes);
      ({ total } = head);
      return { position: this.window.newest + 1 + index, bytes, head, id: update.id, idempotencyKey };
    });
  }

  /** The group is on the disk: tells followers and publishers. */
  private accept(
    group: readonly Pending[],
    placed: readonly { head: RecordHead; position: number; id: string }[],
  ): void {
    const before = this.window.newest;
    const last = placed.at(-1);
    if (!last) return;
    this.window.appended(last.position, last.head, last.id);
    const entries = group.map(({ update }, index) => ({ position: before + 1 + index, update }));
    for (const follower of this.followers) {
      // A follower that is further behind is being fed by `feed`, and gets these entries that way.
      if (follower.cursor === before) this.tell(follower, entries);
    }
    for (const [index, pending] of group.entries()) {
      this.forgetKey(pending);
      pending.resolve({ outcome: 'stored', position: before + 1 + index, id: pending.update.id });
    }
  }

  /** Rejects everything that waits. Appends of the next moments would fail as well, and are refused at once. */
  private fail(error: unknown, group: readonly Pending[]): void {
    const all = [...group, ...this.waiting.splice(0)];
    this.waitingSize = 0;
    this.rest(error);
    if (this.store.mustReopen) this.reopen();
    for (const pending of all) {
      this.forgetKey(pending);
      pending.reject(error);
    }
  }

  /** For the next {@link REST} milliseconds, all appends are refused for the same reason. */
  private rest(error: unknown): void {
    this.failure = { error, until: performance.now() + REST };
  }

  private reopen(): void {
    this.ready = this.store.reopen().then(
      () => this.window.recover(),
      (cause: unknown) => {
        throw new JournalUnavailableError('The journal could not be opened again after a failure.', { cause });
      },
    );
    // Readers that await `ready` see the error themselves; here it must not become an unhandled rejection.
    this.ready.catch(() => undefined);
  }

  private forgetKey({ idempotencyKey }: Pending): void {
    if (idempotencyKey !== undefined) this.pendingKeys.delete(idempotencyKey);
  }

  private hasMuchToSweep(): boolean {
    return !this.isClosing && this.window.garbageCount >= SWEEP_ENTRIES;
  }

  /**
   * Removes trimmed entries when no append does so along the way. Goes on after appends were refused, because the
   * removal may make room for them.
   */
  private sweep(): void {
    if (!this.store.isOpen && !this.hasRecovered()) return;
    if (this.window.garbageCount > 0) this.start();
  }

  /** Gives a follower what it has missed, part by part, until it has caught up with the others. */
  private feed(follower: Follower): void {
    if (!this.followers.has(follower) || follower.cursor >= this.window.newest) return;
    if (!this.store.isOpen) {
      setTimeout(() => this.feed(follower), REST).unref();
      return;
    }
    this.tell(follower, this.entriesAfter(follower.cursor, FEED_ENTRIES));
    setImmediate(() => this.feed(follower));
  }

  private tell(follower: Follower, entries: readonly ReadEntry[]): void {
    follower.cursor = entries.at(-1)?.position ?? follower.cursor;
    if (entries.length > 0) follower.listener(entries);
  }

  private entriesAfter(after: number, limit: number): ReadEntry[] {
    const entries: ReadEntry[] = [];
    if (limit <= 0) return entries;
    let read = 0;
    for (const placed of this.store.from(Math.max(after + 1, this.window.oldest))) {
      entries.push(this.entryOf(placed));
      read += placed.bytes.length;
      if (entries.length >= limit || read >= READ_BYTES) break;
    }
    return entries;
  }

  private entryOf({ position, bytes }: Placed): ReadEntry {
    const record = readRecord(bytes);
    if (record) return { position, update: record.update };
    this.damage.report(position);
    return { position };
  }
}

function repetition(id: string, isSame: boolean): Appended {
  return isSame ? { outcome: 'repeated', id } : { outcome: 'conflict' };
}
