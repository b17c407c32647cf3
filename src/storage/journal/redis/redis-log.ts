import { randomBytes } from 'node:crypto';
import type { AppendOptions, ReadEntry, Retention } from '../journal.js';
import { type RedisConnection, runScript } from '../../redis/redis-connection.js';
import { APPEND, LOCATE, LOOK, READ } from './redis-script.js';
import type { Update } from '../update.js';

/** What an append script is given for one update. */
export interface Draft {
  readonly update: Update;
  readonly content: string;
  readonly options: AppendOptions;
}

export interface Batch {
  readonly number: number;
  readonly drafts: readonly Draft[];
}

/** The state of the log, which every script answers with. */
export interface Report {
  readonly epoch: string;
  readonly head: number;
  readonly oldest: number;
  readonly lastId: string | undefined;
}

/** Identifies an entry: the same position with another nonce is another entry. */
export interface Place {
  readonly position: number;
  readonly nonce: number;
}

/** An entry as the stream has it; damaged where another program has put something into its place. */
export type Row = ReadEntry &
  Place & {
    /** The nonce of the entry before it. */
    readonly previous: number;
    /** Milliseconds, on Redis's clock. */
    readonly storedAt: number;
  };

/** The largest second half of a stream id: a range that begins after it begins with the next position. */
const LAST = '18446744073709551615';

/** Bytes of the rows that are read at once. */
const READ_BYTES = 1024 ** 2;

/** A row as Redis gives it: its stream id, and its fields with their names. */
type StreamRow = [string, string[]];

/** Nonces are whole numbers that JavaScript and Redis both hold exactly. */
const NONCE_BYTES = 6;

/** The scripts and commands on the log's keys, as functions that take and give numbers and updates. */
export class RedisLog {
  /** One of the keys. All of them have the same slot of a Cluster, because only the prefix is hashed. */
  readonly key: string;
  private readonly keys: readonly string[];
  private readonly writerKey: string;

  /** @param now a clock for tests. Default: Redis's own, which is the same for every process. */
  constructor(
    private readonly prefix: string,
    readonly retention: Retention,
    private readonly now?: () => number,
  ) {
    this.keys = ['meta', 'log', 'ids', 'keys'].map((name) => this.named(name));
    this.key = this.named('log');
    this.writerKey = this.named(`writer:${randomBytes(8).toString('hex')}`);
  }

  /** Stores a batch, and answers with what became of each of its updates: see `append.lua`. */
  async append(
    connection: RedisConnection,
    { number, drafts }: Batch,
  ): Promise<{ report: Report; outcomes: string[] }> {
    const updates = drafts.flatMap(({ update, content, options }) => [
      update.id,
      content,
      options.idempotencyKey ?? '',
      options.fingerprint ?? '',
    ]);
    const nonce = randomBytes(NONCE_BYTES).readUIntBE(0, NONCE_BYTES);
    const argv = [...this.common(), number, nonce, ...updates];
    const reply = await runScript(connection, APPEND, [...this.keys, this.writerKey], argv);
    const { report, rest } = readReport(reply);
    return { report, outcomes: rest };
  }

  async locate(connection: RedisConnection, id: string): Promise<{ report: Report; found?: Place }> {
    const { report, rest } = readReport(await runScript(connection, LOCATE, this.keys, [...this.common(), id]));
    return { report, ...(rest[0] && { found: { position: Number(rest[0]), nonce: Number(rest[1]) } }) };
  }

  /** The nonce of the newest entry, and that of the entry at `position` if it is held. */
  async look(
    connection: RedisConnection,
    position: number,
  ): Promise<{ report: Report; newest: number; nonce?: number }> {
    const { report, rest } = readReport(await runScript(connection, LOOK, this.keys, [...this.common(), position]));
    return { report, newest: Number(rest[0]), ...(rest[1] && { nonce: Number(rest[1]) }) };
  }

  /** The rows after `after`, at most `limit`; fewer, but at least one, when they are large. */
  async read(connection: RedisConnection, after: number, limit: number): Promise<{ report: Report; rows: Row[] }> {
    const reply = await runScript(connection, READ, this.keys, [...this.common(), after, limit, READ_BYTES]);
    const { report, rest } = readReport(reply);
    return { report, rows: (rest as unknown as StreamRow[]).map(readRow) };
  }

  /**
   * The rows after `after`, for which it waits up to `block` milliseconds. Redis knows no limit on bytes here, so
   * `limit` must be low.
   */
  async wait({ client }: RedisConnection, after: number, limit: number, block: number): Promise<Row[]> {
    const reply = await client.xread('COUNT', limit, 'BLOCK', block, 'STREAMS', this.key, `${after}-${LAST}`);
    const [stream] = (reply ?? []) as [string, StreamRow[]][];
    return stream ? stream[1].map(readRow) : [];
  }

  private named(name: string): string {
    return `{${this.prefix}}:${name}`;
  }

  private common(): (string | number)[] {
    const { events, bytes, age } = this.retention;
    // The first value is the epoch of a log that has to be begun. It is random each time, so that a log begun after a
    // loss is not taken for the one before.
    return [randomBytes(16).toString('hex'), this.now?.() ?? '', events, bytes, age];
  }
}

/** The part of an update that Redis need not look into. */
export function contentOf(update: Update): string {
  return JSON.stringify({ ...update, id: undefined });
}

function readReport(reply: unknown): { report: Report; rest: string[] } {
  const [epoch = '', head = '', length = '', lastId = '', ...rest] = reply as string[];
  const oldest = Number(head) - Number(length) + 1;
  return { report: { epoch, head: Number(head), oldest, lastId: length === '0' ? undefined : lastId }, rest };
}

function readRow([streamId, [, previous, , storedAt, , id = '', , , , content = '']]: StreamRow): Row {
  const [position, nonce] = streamId.split('-');
  const update = updateOf(id, content);
  return {
    position: Number(position),
    nonce: Number(nonce),
    previous: Number(previous),
    storedAt: Number(storedAt),
    ...(update && { update }),
  };
}

/** The update; undefined when `content` is not what {@link contentOf} has written. */
function updateOf(id: string, content: string): Update | undefined {
  try {
    const { topics, data, private: isPrivate, type, retry } = JSON.parse(content) as Partial<Update>;
    if (id === '' || !Array.isArray(topics) || typeof data !== 'string') return undefined;
    if (!topics.every((topic) => typeof topic === 'string')) return undefined;
    const optional = { ...(type !== undefined && { type }), ...(retry !== undefined && { retry }) };
    return { topics, data, id, private: isPrivate !== false, ...optional };
  } catch {
    return undefined;
  }
}
