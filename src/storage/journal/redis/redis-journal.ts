import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DamageLog } from '../damage-log.js';
import { guardListener } from '../guard-listener.js';
import {
  type Appended,
  type AppendOptions,
  isPresence,
  Journal,
  type JournalUsage,
  JournalUnavailableError,
  type Obstacle,
  type Reading,
  type RemovalListener,
  type ResetListener,
  type Retention,
  type TailListener,
} from '../journal.js';
import { eventIdOf, type PresenceRecord } from '../presence-record.js';
import { RedisAppender } from './redis-appender.js';
import { RedisAdvice } from '../../redis/redis-advice.js';
import { connectRedis, type RedisConnection } from '../../redis/redis-connection.js';
import type { RedisTarget } from '../../redis/redis-target.js';
import { type Draft, draftOfRecord, draftOfUpdate } from './redis-draft.js';
import { RedisFollower } from './redis-follower.js';
import { RedisIndexer } from './redis-indexer.js';
import { messageOf } from '../../../shared/errors/message-of.js';
import { RecurringTrouble, type TroubleWords } from '../../../shared/recurring-trouble.js';
import { RedisLink } from '../../redis/redis-link.js';
import { RedisWrites } from '../../redis/redis-writes.js';
import { type LogPart, NO_REMOVAL, RedisLog, type Report } from './redis-log.js';
import { RedisRemovals } from './redis-removals.js';
import type { Row } from './redis-row.js';
import { LOG_SCRIPTS } from './redis-script.js';
import { RedisTail } from './redis-tail.js';
import { RedisTimeline } from './redis-timeline.js';
import { NO_ADDRESSES, type TopicAddresses, type TopicLookup } from '../topics/topic-lookup.js';
import type { Update } from '../update.js';

export interface RedisJournalOptions extends RedisTarget {
  /** What all keys begin with. Hubs with different prefixes share one Redis and know nothing of each other. */
  readonly prefix: string;
  /** Replicas that must have an update before its publisher is told that it is stored. */
  readonly replicas: number;
  readonly retention: Retention;
  /** How many comings and goings are kept. Default: as many as updates. */
  readonly presenceRetention?: Retention;
  /** Default: nobody looks for addresses. */
  readonly addresses?: TopicAddresses | undefined;
  /** Bytes that this process's index of the updates by topic may take: beyond them the oldest leave it. */
  readonly indexBytes: number;
  /** When aborted, Redis is not waited for at the start any longer. */
  readonly signal?: AbortSignal | undefined;
  /** A clock for tests, in milliseconds. Default: Redis's own. */
  readonly now?: () => number;
}

/** What the log is found to be at the start. */
interface Start extends Report {
  readonly hasPresence: boolean;
  /** The newest removal. */
  readonly removal: string;
}

/** Milliseconds that the start waits for Redis. */
const START_PATIENCE = 10_000;

/** Milliseconds that a read waits while there is no connection. */
const READ_PATIENCE = 1_000;

/** Milliseconds that the answer to a stored append waits at most until this process has followed the log up to it. */
const DELIVERY_PATIENCE = 500;

/**
 * Keeps updates, and comings and goings, in two Redis streams that any number of processes share: ids and order are the
 * same for all of them. One connection appends and reads, another one follows the streams; `head` is the position that
 * the follower has reached.
 */
export class RedisJournal extends Journal {
  override readonly kind: string = 'redis';
  private readonly logger = new Logger('Journal');
  private readonly damage = new DamageLog('another program has written into the stream; readers are told of a gap');
  private readonly tails = new Set<RedisTail>();
  private readonly appender: RedisAppender;
  private readonly follower: RedisFollower;
  private readonly indexer: RedisIndexer;
  private readonly removals: RedisRemovals;
  private readonly writes: RedisWrites;
  /** Whether a coming or going was ever stored, as far as this process knows. */
  private hasPresence: boolean;
  private resets = 0;
  private oldestHeld: number;
  private oldestPresenceHeld: number;
  private newestId: string | undefined;

  private ownSecret: { readonly epoch: string; readonly secret: Buffer } | undefined;

  private constructor(
    private readonly log: RedisLog,
    private readonly commands: RedisLink,
    following: RedisLink,
    { replicas, addresses = NO_ADDRESSES, indexBytes }: RedisJournalOptions,
    start: Start,
  ) {
    super();
    this.hasPresence = start.hasPresence;
    this.oldestHeld = start.oldest;
    this.oldestPresenceHeld = start.oldestPresence;
    this.newestId = start.lastId;
    this.appender = new RedisAppender(commands, log, replicas, (report) => this.note(report));
    this.removals = new RedisRemovals(commands, log, replicas);
    const { epoch, head, nonce } = start;
    this.follower = new RedisFollower(following, log, new RedisTimeline(epoch, head, nonce), start.removal, {
      rows: (rows) => this.take(rows),
      reset: (position, lost) => this.reset(position, lost),
      removed: (positions) => this.letGo(positions),
      report: (report) => this.note(report),
    });
    this.writes = new RedisWrites(commands, log.key, new RecurringTrouble(this.logger, 'writing to Redis'));
    this.indexer = new RedisIndexer(this, addresses, indexBytes);
  }

  /**
   * Connects to Redis.
   * @throws {JournalUnavailableError} when it can't be reached within 10 seconds.
   */
  static async open(options: RedisJournalOptions): Promise<RedisJournal> {
    const { prefix, retention, presenceRetention = retention, signal, now } = options;
    const log = new RedisLog(prefix, { updates: retention, presence: presenceRetention }, now);
    const logger = new Logger('Journal');
    const advice = new RedisAdvice(logger);
    const tell = tellOfRedis(logger);
    const commands = new RedisLink(
      () => connectRedis(options, log.key, LOG_SCRIPTS),
      (trouble) => {
        tell(trouble);
        // The server that is the master now may be another one, with settings of its own.
        if (commands.current) void advice.look(commands.current);
      },
    );
    const following = new RedisLink(
      () => connectRedis(options, log.key, LOG_SCRIPTS),
      () => undefined,
    );
    try {
      const connection = await commands.get(START_PATIENCE, signal);
      const { report, removal } = await log.follow(connection, 0, NO_REMOVAL);
      const hasPresence = await log.hasPresence(connection);
      await following.get(START_PATIENCE, signal);
      const journal = new RedisJournal(log, commands, following, options, { ...report, hasPresence, removal });
      await journal.writes.look();
      return journal;
    } catch (error) {
      await Promise.all([commands.close(), following.close()]);
      throw new JournalUnavailableError(
        `Herald can't start without its journal. ${messageOf(error)}: check HERALD_JOURNAL and whether Redis is up.`,
      );
    }
  }

  override get usage(): JournalUsage {
    return { indexBytes: this.indexer.bytes };
  }

  get head(): number {
    return this.follower.head;
  }

  get oldest(): number {
    return Math.min(this.oldestHeld, this.head + 1);
  }

  get oldestPresence(): number {
    return Math.min(this.oldestPresenceHeld, this.head + 1);
  }

  get lastId(): string | undefined {
    return this.newestId;
  }

  /**
   * Derived from the log's epoch, which is random and never disclosed: a log that was begun anew has another secret.
   */
  get secret(): Buffer {
    const { epoch } = this.follower;
    if (this.ownSecret?.epoch !== epoch) {
      this.ownSecret = { epoch, secret: createHash('sha256').update(`cursors of ${epoch}`).digest() };
    }
    return this.ownSecret.secret;
  }

  get retention(): Retention {
    return this.log.retentions.updates;
  }

  override get obstacle(): Obstacle | undefined {
    const isAway = this.commands.current === undefined || !this.follower.isConnected;
    return this.writes.obstacle ?? (isAway ? 'away' : undefined);
  }

  append(update: Update, options: AppendOptions = {}): Promise<Appended> {
    return this.store(draftOfUpdate(update, options));
  }

  async appendPresence(record: PresenceRecord, options: { readonly idempotencyKey?: string } = {}): Promise<Appended> {
    const appended = await this.store(draftOfRecord(record, options));
    this.notePresence();
    return appended;
  }

  read(after: number, limit: number): Promise<Reading> {
    return this.readRows((connection) => this.log.read(connection, after, limit));
  }

  get topics(): TopicLookup | undefined {
    return this.indexer.topics;
  }

  readAt(positions: readonly number[]): Promise<Reading> {
    return this.readRows((connection) => this.log.readAt(connection, positions));
  }

  async remove(positions: readonly number[]): Promise<void> {
    const places = this.follower.placesAt([...new Set(positions)]);
    const head = await this.removals.remove(this.follower.epoch, places);
    // Whoever follows the log has been told by now, unless it is this process and its follower that are cut off.
    this.letGo(positions.filter((position) => position <= head));
  }

  onRemoved(listener: RemovalListener): () => void {
    return this.removals.on(listener);
  }

  async locate(eventId: string): Promise<number | undefined> {
    const { report, found } = await this.ask((connection) => this.log.locate(connection, eventId));
    if (found) await this.follower.reached(found.position, READ_PATIENCE);
    const isFollowed = !found || (this.follower.head >= found.position && this.follower.admits([found]));
    // A reader that comes from another process may name an entry that was appended after a loss which this process has
    // not noticed yet.
    if (report.epoch !== this.follower.epoch || !isFollowed) throw notFollowed();
    this.note(report);
    return found?.position;
  }

  tail(from: number, listener: TailListener, onReset?: ResetListener): () => void {
    const tail = new RedisTail(from, this, guardListener(listener), onReset && guardListener(onReset));
    this.tails.add(tail);
    tail.goOn();
    return () => {
      this.tails.delete(tail);
      tail.stop();
    };
  }

  async close(): Promise<void> {
    for (const tail of this.tails) tail.stop();
    this.tails.clear();
    this.indexer.stop();
    await this.follower.close();
    this.removals.close();
    this.writes.close();
    await this.commands.close();
  }

  private notePresence(): void {
    if (this.hasPresence) return;
    this.hasPresence = true;
    this.logger.log(
      'The log in Redis now keeps comings and goings of subscribers apart from the updates, which earlier builds of Herald ' +
        'do not know: see docs/operations.md before you go back to one.',
    );
  }

  private async store(draft: Draft): Promise<Appended> {
    const appended = await this.appender.append(draft);
    // So that a publisher that reads from this process next finds its own entry.
    if (appended.outcome === 'stored') await this.follower.reached(appended.position, DELIVERY_PATIENCE);
    return appended;
  }

  private async readRows(question: (connection: RedisConnection) => Promise<LogPart>): Promise<Reading> {
    const { head } = this;
    const { report, rows, upTo } = await this.removals.leaveOut(() => this.ask(question));
    if (report.epoch !== this.follower.epoch || report.head < head || !this.follower.admits(rows)) throw notFollowed();
    this.note(report);
    this.reportDamage(rows);
    const { oldest, oldestPresence } = report;
    return { entries: rows, upTo, oldest, oldestPresence };
  }

  private async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await this.commands.ask(question, READ_PATIENCE);
    } catch (error) {
      throw new JournalUnavailableError("The journal's Redis can't be read at the moment.", {
        cause: new Error(messageOf(error)),
      });
    }
  }

  private reportDamage(rows: readonly Row[]): void {
    for (const row of rows) if (lastEventIdOf(row) === undefined) this.damage.report(row.position);
  }

  private take(rows: readonly Row[]): void {
    this.reportDamage(rows);
    this.newestId = lastEventIdOf(rows.findLast((row) => lastEventIdOf(row) !== undefined)) ?? this.newestId;
    // Before everybody else, so that whoever is told of an entry finds it in the index.
    this.indexer.take(rows);
    for (const tail of this.tails) tail.take(rows);
  }

  private letGo(positions: readonly number[] | undefined): void {
    if (!positions) this.logger.warn('It is not known which updates were removed from Redis: all are read again.');
    this.indexer.remove(positions);
    for (const tail of this.tails) tail.remove(positions);
    this.removals.tell(positions);
  }

  private reset(position: number, lost: number): void {
    this.resets += 1;
    this.oldestHeld = Math.min(this.oldestHeld, position + 1);
    this.oldestPresenceHeld = Math.min(this.oldestPresenceHeld, position + 1);
    this.logger.error({ msg: 'Redis has lost its newest entries', position, lost, resets: this.resets });
    // The connection for commands may lead to a server that is no longer the master.
    if (this.commands.current) this.commands.drop(this.commands.current, 'Redis has lost entries');
    this.indexer.reset(position);
    for (const tail of this.tails) tail.reset(position);
  }

  private note({ epoch, oldest, oldestPresence, head, lastId }: Report): void {
    if (epoch !== this.follower.epoch) return;
    this.oldestHeld = Math.max(this.oldestHeld, oldest);
    this.indexer.trim(this.oldestHeld);
    this.oldestPresenceHeld = Math.max(this.oldestPresenceHeld, oldestPresence);
    if (head === this.head) this.newestId = lastId;
  }
}

/** The id of the last event of a row; undefined when the row is damaged. */
function lastEventIdOf(row: Row | undefined): string | undefined {
  if (!row) return undefined;
  return isPresence(row) ? eventIdOf(row.record, row.record.events - 1) : row.update?.id;
}

const ABSENCE: TroubleWords = {
  level: 'warn',
  failed: (reason) => `Redis is away: ${reason}`,
  over: 'Redis is back',
};

/** Says when Redis goes and when it comes back, and not each attempt in between. */
function tellOfRedis(logger: Logger): (trouble: string | undefined) => void {
  const absence = new RecurringTrouble(logger, 'Redis', ABSENCE);
  return (trouble) => (trouble === undefined ? absence.isOver() : absence.has(trouble));
}

function notFollowed(): JournalUnavailableError {
  return new JournalUnavailableError(
    'Redis has another log than the one that this process follows, and the loss is being worked out: try again later.',
  );
}
