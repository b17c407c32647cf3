import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DamageLog } from '../damage-log.js';
import { guardListener, guardTail } from '../guard-listener.js';
import {
  type Appended,
  type AppendOptions,
  Journal,
  JournalUnavailableError,
  type ReadEntry,
  type ResetListener,
  type Retention,
  type TailListener,
} from '../journal.js';
import { RedisAppender } from './redis-appender.js';
import { connectRedis, type RedisConnection, type RedisTarget } from '../../redis/redis-connection.js';
import { RedisFollower } from './redis-follower.js';
import { messageOf, RedisLink } from '../../redis/redis-link.js';
import { RedisLog, type Report, type Row } from './redis-log.js';
import { LOG_SCRIPTS } from './redis-script.js';
import { RedisTail } from './redis-tail.js';
import { RedisTimeline } from './redis-timeline.js';
import type { Update } from '../update.js';

export interface RedisJournalOptions extends RedisTarget {
  /** What all keys begin with. Hubs with different prefixes share one Redis and know nothing of each other. */
  readonly prefix: string;
  /** Replicas that must have an update before its publisher is told that it is stored. */
  readonly replicas: number;
  readonly retention: Retention;
  /** When aborted, Redis is not waited for at the start any longer. */
  readonly signal?: AbortSignal | undefined;
  /** A clock for tests, in milliseconds. Default: Redis's own. */
  readonly now?: () => number;
}

/** Milliseconds that the start waits for Redis. */
const START_PATIENCE = 10_000;

/** Milliseconds that a read waits while there is no connection. */
const READ_PATIENCE = 1_000;

/** Milliseconds that the answer to a stored append waits at most until this process has followed the log up to it. */
const DELIVERY_PATIENCE = 500;

/**
 * Keeps updates in a Redis stream that any number of processes share: ids and order are the same for all of them. One
 * connection appends and reads, another one follows the stream; `head` is the position that the follower has reached.
 */
export class RedisJournal extends Journal {
  private readonly logger = new Logger('Journal');
  private readonly damage = new DamageLog('another program has written into the stream; readers are told of a gap');
  private readonly tails = new Set<RedisTail>();
  private readonly appender: RedisAppender;
  private readonly follower: RedisFollower;
  private resets = 0;
  private oldestHeld: number;
  private newestId: string | undefined;

  private ownSecret: { readonly epoch: string; readonly secret: Buffer } | undefined;

  private constructor(
    private readonly log: RedisLog,
    private readonly commands: RedisLink,
    following: RedisLink,
    replicas: number,
    start: { readonly report: Report; readonly newest: number },
  ) {
    super();
    this.oldestHeld = start.report.oldest;
    this.newestId = start.report.lastId;
    this.appender = new RedisAppender(commands, log, replicas, (report) => this.note(report));
    const { epoch, head } = start.report;
    this.follower = new RedisFollower(following, log, new RedisTimeline(epoch, head, start.newest), {
      rows: (rows) => this.take(rows),
      reset: (position, lost) => this.reset(position, lost),
      report: (report) => this.note(report),
    });
  }

  /**
   * Connects to Redis.
   * @throws {JournalUnavailableError} when it can't be reached within 10 seconds.
   */
  static async open({
    prefix,
    replicas,
    retention,
    signal,
    now,
    ...target
  }: RedisJournalOptions): Promise<RedisJournal> {
    const log = new RedisLog(prefix, retention, now);
    const logger = new Logger('Journal');
    const commands = new RedisLink(() => connectRedis(target, log.key, LOG_SCRIPTS), tellOfRedis(logger));
    const following = new RedisLink(
      () => connectRedis(target, log.key, LOG_SCRIPTS),
      () => undefined,
    );
    try {
      const start = await log.look(await commands.get(START_PATIENCE, signal), 0);
      await following.get(START_PATIENCE, signal);
      return new RedisJournal(log, commands, following, replicas, start);
    } catch (error) {
      await Promise.all([commands.close(), following.close()]);
      throw new JournalUnavailableError(
        `Herald can't start without its journal. ${messageOf(error)}: check HERALD_JOURNAL and whether Redis is up.`,
      );
    }
  }

  get head(): number {
    return this.follower.head;
  }

  get oldest(): number {
    return Math.min(this.oldestHeld, this.head + 1);
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
    return this.log.retention;
  }

  override get isAvailable(): boolean {
    return this.commands.current !== undefined && this.follower.isConnected;
  }

  async append(update: Update, options: AppendOptions = {}): Promise<Appended> {
    const appended = await this.appender.append(update, options);
    // So that a publisher that reads from this process next finds its own update.
    if (appended.outcome === 'stored') await this.follower.reached(appended.position, DELIVERY_PATIENCE);
    return appended;
  }

  async read(after: number, limit: number): Promise<readonly ReadEntry[]> {
    const { head } = this;
    const { report, rows } = await this.ask((connection) => this.log.read(connection, after, limit));
    const isShort = (rows[0]?.position ?? report.head + 1) > Math.max(after + 1, report.oldest);
    if (report.epoch !== this.follower.epoch || report.head < head || isShort || !this.follower.admits(rows)) {
      throw notFollowed();
    }
    this.note(report);
    this.reportDamage(rows);
    return rows;
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
    const tail = new RedisTail(from, this, guardTail(listener), onReset && guardListener(onReset));
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
    await Promise.all([this.commands.close(), this.follower.close()]);
  }

  private async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await this.commands.ask(question, READ_PATIENCE);
    } catch {
      throw new JournalUnavailableError("The journal's Redis can't be read at the moment.");
    }
  }

  private reportDamage(rows: readonly Row[]): void {
    for (const { position, update } of rows) if (!update) this.damage.report(position);
  }

  private take(rows: readonly Row[]): void {
    this.reportDamage(rows);
    this.newestId = rows.findLast(({ update }) => update)?.update?.id ?? this.newestId;
    for (const tail of this.tails) tail.take(rows);
  }

  private reset(position: number, lost: number): void {
    this.resets += 1;
    this.oldestHeld = Math.min(this.oldestHeld, position + 1);
    this.logger.error({ msg: 'Redis has lost its newest entries', position, lost, resets: this.resets });
    // The connection for commands may lead to a server that is no longer the master.
    if (this.commands.current) this.commands.drop(this.commands.current, 'Redis has lost entries');
    for (const tail of this.tails) tail.reset(position);
  }

  private note({ epoch, oldest, head, lastId }: Report): void {
    if (epoch !== this.follower.epoch) return;
    this.oldestHeld = Math.max(this.oldestHeld, oldest);
    if (head === this.head) this.newestId = lastId;
  }
}

/** Says when Redis goes and when it comes back, and not each attempt in between. */
function tellOfRedis(logger: Logger): (trouble: string | undefined) => void {
  let awaySince: number | undefined;
  return (trouble) => {
    if (trouble !== undefined) {
      awaySince ??= performance.now();
      logger.warn(`Redis is away: ${trouble}`);
    } else if (awaySince !== undefined) {
      logger.log({ msg: 'Redis is back', away: Math.round(performance.now() - awaySince) });
      awaySince = undefined;
    }
  };
}

function notFollowed(): JournalUnavailableError {
  return new JournalUnavailableError(
    'Redis has another log than the one that this process follows, and the loss is being worked out: try again later.',
  );
}
