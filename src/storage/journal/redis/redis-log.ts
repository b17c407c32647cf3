import { randomBytes } from 'node:crypto';
import { inOrder } from '../in-order.js';
import type { Retention } from '../journal.js';
import { type RedisConnection, runScript } from '../../redis/redis-connection.js';
import { RedisClock } from '../../redis/redis-clock.js';
import { argumentsOf, type Batch } from './redis-draft.js';
import { type KnownPlace, type Place, placeOf, readRecord, readUpdate, type Row, type StreamRow } from './redis-row.js';
import { APPEND, LOCATE, LOOK, READ, READ_AT, REMOVE, UNTOLD } from './redis-script.js';

/** The state of the log, which every script answers with. */
export interface Report {
  readonly epoch: string;
  readonly head: number;
  /** The nonce of the newest entry. */
  readonly nonce: number;
  readonly oldest: number;
  readonly oldestPresence: number;
  readonly lastId: string | undefined;
}

/** A part of the log. */
export interface LogPart {
  readonly report: Report;
  /** No other row of those that were asked for is held up to this position. */
  readonly upTo: number;
  readonly rows: readonly Row[];
}

/** What a follower finds. */
interface Sight {
  readonly report: Report;
  /** The newest entry that is held up to a position. */
  readonly found?: Place;
  /** The newest removal. */
  readonly removal: string;
  /** The positions of the removals since the one that the follower has told of; undefined when some may be missing. */
  readonly removed: readonly number[] | undefined;
}

/** The removal that a log has at its beginning. */
export const NO_REMOVAL = '0-0';

/** What is kept of each of the two stores. */
interface Retentions {
  readonly updates: Retention;
  readonly presence: Retention;
}

/** The largest second half of a stream id: a range that begins after it begins with the next position. */
const LAST = '18446744073709551615';

/** Bytes of the rows that are read at once. */
const READ_BYTES = 1024 ** 2;

/** Positions that are looked at in one call. */
const POSITIONS = 512;

/** Nonces are whole numbers that JavaScript and Redis both hold exactly. */
const NONCE_BYTES = 6;

/** The scripts and commands on the log's keys, as functions that take and give numbers and entries. */
export class RedisLog {
  /** One of the keys. All of them have the same slot of a Cluster, because only the prefix is hashed. */
  readonly key: string;
  private readonly presenceKey: string;
  private readonly keys: readonly string[];
  private readonly writerKey: string;
  private readonly removalsKey: string;
  private readonly followersKey: string;
  private readonly clock = new RedisClock();
  /** By which Redis knows who follows the log here. */
  private readonly follower = randomBytes(8).toString('hex');

  /** @param now a clock for tests. Default: Redis's own, without its leaps, which is the same for every process. */
  constructor(
    private readonly prefix: string,
    readonly retentions: Retentions,
    private readonly now?: () => number,
  ) {
    this.key = this.named('log');
    this.presenceKey = this.named('presence');
    const others = ['ids', 'keys'].map((name) => this.named(name));
    const ofPresence = this.named('presence-keys');
    this.removalsKey = this.named('removals');
    this.followersKey = this.named('followers');
    const ofUpdates = [this.named('meta'), this.key, ...others];
    this.keys = [...ofUpdates, this.presenceKey, ofPresence, this.removalsKey, this.followersKey];
    this.writerKey = this.named(`writer:${randomBytes(8).toString('hex')}`);
  }

  /** Stores a batch, and answers with what became of each of its entries: see `append.lua`. */
  async append(
    connection: RedisConnection,
    { number, drafts }: Batch,
  ): Promise<{ report: Report; outcomes: string[] }> {
    const argv = [...this.common(), number, newNonce(), ...drafts.flatMap(argumentsOf)];
    const reply = await runScript(connection, APPEND, [...this.keys, this.writerKey], argv);
    const { report, rest } = this.reportIn(reply);
    return { report, outcomes: rest as string[] };
  }

  /** Whether a coming or going was ever stored in this log. */
  async hasPresence({ client }: RedisConnection): Promise<boolean> {
    return (await client.hexists(this.named('meta'), 'presence-oldest')) === 1;
  }

  /** The place of the earliest update with an id. */
  async locate(connection: RedisConnection, id: string): Promise<{ report: Report; found?: Place }> {
    const { report, rest } = this.reportIn(await runScript(connection, LOCATE, this.keys, [...this.common(), id]));
    const [row] = rest as string[];
    return { report, ...(row && { found: placeOf(row) }) };
  }

  /** The place of the newest entry that is held up to `position`. */
  async look(connection: RedisConnection, position: number): Promise<{ report: Report; found?: Place }> {
    const reply = await runScript(connection, LOOK, this.keys, [...this.common(), position, '', '']);
    const { report, rest } = this.reportIn(reply);
    const [row] = rest as string[];
    return { report, ...(row && { found: placeOf(row) }) };
  }

  /**
   * The same for the follower of this process, which gives a sign of life with it.
   * @param told the newest removal that it has told of.
   */
  async follow(connection: RedisConnection, position: number, told: string): Promise<Sight> {
    const reply = await runScript(connection, LOOK, this.keys, [...this.common(), position, this.follower, told]);
    const { report, rest } = this.reportIn(reply);
    const [row, removal, isKnown, ...removals] = rest as [string, string, number, ...string[]];
    const positions = removals.flatMap((text) => (text === '' ? [] : text.split(',').map(Number)));
    return { report, removal, removed: isKnown ? positions : undefined, ...(row && { found: placeOf(row) }) };
  }

  /** No sign of life of this process's follower is waited for any more. */
  async leave({ client }: RedisConnection): Promise<void> {
    await client.hdel(this.followersKey, this.follower);
  }

  /**
   * Removes updates.
   * @returns the removal; an empty text when the log has another epoch, or another nonce at one of the positions.
   */
  async remove(
    connection: RedisConnection,
    epoch: string,
    places: readonly KnownPlace[],
  ): Promise<{ report: Report; removal: string }> {
    const known = places.flatMap(({ position, nonce }) => [position, nonce ?? '']);
    const argv = [...this.common(), epoch, newNonce(), ...known];
    const { report, rest } = this.reportIn(await runScript(connection, REMOVE, this.keys, argv));
    return { report, removal: String(rest[0]) };
  }

  /** How many followers have given a sign of life within `lifetime` milliseconds, and not told of a removal yet. */
  async untold(connection: RedisConnection, removal: string, lifetime: number): Promise<number> {
    const argv = [...this.common(), removal.split('-', 1)[0] ?? '', lifetime];
    return Number(this.reportIn(await runScript(connection, UNTOLD, this.keys, argv)).rest[0]);
  }

  /**
   * The rows after `after`, at most `limit`; fewer, but at least one, when they are large. No other row is held up to
   * `upTo`.
   */
  async read(connection: RedisConnection, after: number, limit: number): Promise<LogPart> {
    const reply = await runScript(connection, READ, this.keys, [...this.common(), after, limit, READ_BYTES]);
    const { report, rest } = this.reportIn(reply);
    const [upTo, updates, presence] = rest as [string, StreamRow[], StreamRow[]];
    return { report, upTo: Number(upTo), rows: inOrder(updates.map(readUpdate), presence.map(readRecord)) };
  }

  /** The rows of updates at these positions: of the first ones of them, where they are many or large. */
  async readAt(connection: RedisConnection, positions: readonly number[]): Promise<LogPart> {
    const argv = [...this.common(), READ_BYTES, ...positions.slice(0, POSITIONS)];
    const { report, rest } = this.reportIn(await runScript(connection, READ_AT, this.keys, argv));
    const [upTo, rows] = rest as [string, StreamRow[]];
    return { report, upTo: Number(upTo), rows: rows.map(readUpdate) };
  }

  /**
   * The rows after `after`, for which it waits up to `block` milliseconds. Redis knows no limit on bytes here, so
   * `limit`, which each of the two streams has, must be low. There may be more where `isCut`. Rows of the other stream
   * may be missing, because a Redis as old as 7.0 wakes a waiting client with the rows of one. Removals after `told` are
   * waited for as well: `isRemoved` when there are some.
   */
  async wait(
    { client }: RedisConnection,
    after: number,
    limit: number,
    block: number,
    told: string,
  ): Promise<{ rows: Row[]; isCut: boolean; isRemoved: boolean }> {
    const from = `${after}-${LAST}`;
    const keys = [this.key, this.presenceKey, this.removalsKey];
    const reply = await client.xread('COUNT', limit, 'BLOCK', block, 'STREAMS', ...keys, from, from, told);
    const streams = new Map((reply ?? []) as [string, StreamRow[]][]);
    const updates = (streams.get(this.key) ?? []).map(readUpdate);
    const presence = (streams.get(this.presenceKey) ?? []).map(readRecord);
    // Where one stream was cut off, what the other one has after that place has to wait for what comes before it.
    const ends = [updates, presence].map((rows) => rows[limit - 1]?.position ?? Infinity);
    const upTo = Math.min(...ends);
    const rows = inOrder(updates, presence).filter(({ position }) => position <= upTo);
    return { rows, isCut: upTo < Infinity, isRemoved: streams.has(this.removalsKey) };
  }

  private reportIn(reply: unknown): { report: Report; rest: unknown[] } {
    const [epoch = '', head, nonce, oldest, oldestPresence, lastId = '', reading, told, ...rest] = reply as string[];
    this.clock.heard(Number(reading), Number(told));
    const report = {
      epoch,
      head: Number(head),
      nonce: Number(nonce),
      oldest: Number(oldest),
      oldestPresence: Number(oldestPresence),
      lastId: lastId === '' ? undefined : lastId,
    };
    return { report, rest };
  }

  private named(name: string): string {
    return `{${this.prefix}}:${name}`;
  }

  private common(): (string | number)[] {
    const { updates, presence } = this.retentions;
    const limits = [updates, presence].flatMap(({ events, bytes, age }) => [events, bytes, age]);
    // The first value is the epoch of a log that has to be begun. It is random each time, so that a log begun after a
    // loss is not taken for the one before.
    return [randomBytes(16).toString('hex'), this.now?.() ?? this.clock.time, ...limits];
  }
}

function newNonce(): number {
  return randomBytes(NONCE_BYTES).readUIntBE(0, NONCE_BYTES);
}
