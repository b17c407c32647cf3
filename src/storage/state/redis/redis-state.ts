import { hash, randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { JournalUnavailableError } from '../../journal/journal.js';
import { connectRedis, type RedisConnection, runScript } from '../../redis/redis-connection.js';
import type { RedisTarget } from '../../redis/redis-target.js';
import { messageOf } from '../../../shared/errors/message-of.js';
import { RedisClock } from '../../redis/redis-clock.js';
import { RedisLink } from '../../redis/redis-link.js';
import {
  CHANGE,
  FORGET,
  LIST,
  RELEASE,
  RENEW,
  REPORT,
  REVOKE,
  REVOKED,
  STATE_SCRIPTS,
  UNREVOKE,
} from './redis-state-script.js';
import {
  type Arrival,
  type Departure,
  type Entered,
  type Lease,
  type LivingProcess,
  type ProcessReport,
  type Revoked,
  SharedState,
} from '../shared-state.js';

export interface RedisStateOptions extends RedisTarget {
  /** What all keys begin with. */
  readonly prefix: string;
  /** Milliseconds for which a lease that nobody has can be taken up. */
  readonly grace: number;
  /** When aborted, Redis is not waited for at the start any longer. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds without a sign of life after which a process counts as dead. For tests. */
  readonly lifetime?: number;
}

/**
 * The default of `lifetime`. A process that was only late, or without Redis for a moment, takes its leases up again
 * within the grace period that follows.
 */
const LIFETIME = 5_000;

/** Milliseconds in which a process should tell that leases are over. After that, another process does. */
const TELLING = 30_000;

/** Milliseconds that the start, and anything else, waits for Redis. */
const START_PATIENCE = 10_000;
const PATIENCE = 1_000;

/** How many leases one call asks for, and bytes after which it gives no more; how many revocations it sends or gives. */
const PAGE = 100;
const PAGE_BYTES = 256 * 1024;
const REVOKED_PAGE = 1_000;

/** In the order in which the scripts name them. */
const LEASE_TABLES = [
  'leases',
  'order',
  'away',
  'places',
  'ending',
  'holders',
  'held',
  'answers',
  'serials',
  'matched',
  'indexed',
];

/** A process of another version may report further fields. */
const reportSchema = z.looseObject({
  host: z.string(),
  version: z.string(),
  startedAt: z.string(),
  connections: z.number(),
  format: z.number().optional(),
});

/** The state of a hub of any number of processes, in the Redis that has its log. */
export class RedisState extends SharedState {
  readonly processId = randomBytes(8).toString('hex');
  /**
   * The name by which the state knows this process. Each release changes it, so that what is left under the former name
   * does not count for this process.
   */
  private holder = this.processId;
  /** The number of the last changes that were answered. */
  private changes = 0;
  private readonly clock = new RedisClock();
  private readonly leaseKeys: readonly string[];
  private readonly revocationKeys: readonly string[];
  private readonly processKeys: readonly string[];
  /** The epoch and version up to which this process knows the revocations. */
  private known = { epoch: '', version: 0 };

  private constructor(
    private readonly link: RedisLink,
    { prefix }: RedisStateOptions,
    private readonly common: readonly [lifetime: number, grace: number],
  ) {
    super();
    const named = (name: string): string => `{${prefix}}:${name}`;
    this.leaseKeys = LEASE_TABLES.map((table) => named(`presence:${table}`));
    this.revocationKeys = ['names', 'changes', 'about'].map((table) => named(`revoked:${table}`));
    this.processKeys = [named('processes')];
  }

  /** @throws {JournalUnavailableError} when Redis can't be reached within 10 seconds. */
  static async open(options: RedisStateOptions): Promise<RedisState> {
    const { prefix, grace, lifetime = LIFETIME } = options;
    const link = new RedisLink(
      () => connectRedis(options, `{${prefix}}:processes`, STATE_SCRIPTS),
      // The journal's own connection tells of the same trouble.
      () => undefined,
    );
    try {
      await link.get(START_PATIENCE, options.signal);
      const state = new RedisState(link, options, [lifetime, grace]);
      await state.readClock();
      return state;
    } catch (error) {
      await link.close();
      throw new JournalUnavailableError(`The shared state in Redis can't be read: ${messageOf(error)}.`);
    }
  }

  async change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[] | undefined> {
    const reply = await this.lease(CHANGE, this.changes + 1, ...changes.flatMap(argumentsOf));
    this.changes += 1;
    const allDetails = changes.flatMap((change) => (change.kind === 'enter' ? [change.details] : []));
    return (
      reply &&
      inGroups(reply, 3).map(([kind, subscriber = '', serial], index) => ({
        lease: { serial: Number(serial), subscriber, details: allDetails[index] ?? '' },
        isNew: kind === 'n',
      }))
    );
  }

  async renew(held: number): Promise<readonly Lease[] | undefined> {
    await this.readClock();
    const reply = await this.lease(RENEW, held, SharedState.LARGEST_END, TELLING);
    return reply && inGroups(reply, 2).map(([subscriber = '', lease = '']) => leaseOf(subscriber, lease));
  }

  async forget(subscribers: readonly string[]): Promise<void> {
    for (let at = 0; at < subscribers.length;) {
      const args = this.leaseArguments(...subscribers.slice(at));
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that Redis serves others in between
      at += Number(await this.run(FORGET, this.leaseKeys, args));
    }
  }

  async release(): Promise<readonly Lease[]> {
    // oxlint-disable-next-line no-await-in-loop -- until nothing is left
    while ((await this.run(RELEASE, this.leaseKeys, this.leaseArguments())) !== 0);
    this.holder = randomBytes(8).toString('hex');
    // The leases may be taken up at another process; if they are not, a `renew` there finds that they are over.
    return [];
  }

  async *list(after: number, matchers?: readonly string[]): AsyncIterable<Lease> {
    if (matchers?.length === 0) return;
    const digests = matchers?.map(digestOf) ?? [];
    for (let from = String(after); from !== '';) {
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const reply = await this.lease(LIST, from, PAGE, PAGE_BYTES, ...digests);
      // Otherwise leases of an earlier version are yet to be indexed.
      if (!reply) continue;
      const [next = '', ...rows] = reply;
      for (const [subscriber = '', text = ''] of inGroups(rows, 2)) yield leaseOf(subscriber, text);
      from = next;
    }
  }

  async find(subscriber: string): Promise<Lease | undefined> {
    const [leases = '', , , , ending = ''] = this.leaseKeys;
    return this.ask(async ({ client }) => {
      const [lease, over] = await Promise.all([client.hget(leases, subscriber), client.zscore(ending, subscriber)]);
      return lease && !over ? leaseOf(subscriber, lease) : undefined;
    });
  }

  async revoke(...revoked: readonly Revoked[]): Promise<void> {
    const epoch = randomBytes(8).toString('hex');
    for (let at = 0; at < revoked.length; at += REVOKED_PAGE) {
      const page = revoked.slice(at, at + REVOKED_PAGE).flatMap(([name, limit]) => [name, String(limit)]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that Redis serves others in between
      await this.run(REVOKE, this.revocationKeys, [epoch, ...page]);
    }
  }

  async forgetRevoked(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += REVOKED_PAGE) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that Redis serves others in between
      await this.run(UNREVOKE, this.revocationKeys, names.slice(at, at + REVOKED_PAGE));
    }
  }

  async revocations(known: Iterable<Revoked>): Promise<readonly Revoked[]> {
    const changed: Revoked[] = [];
    for (;;) {
      const { epoch, version } = this.known;
      const args = [epoch, version, REVOKED_PAGE];
      // oxlint-disable-next-line no-await-in-loop -- one page after the other
      const [newEpoch = '', newest, ...rest] = (await this.run(REVOKED, this.revocationKeys, args)) as string[];
      // Redis has lost revocations, by a failover or because it was emptied: each process gives back those that it
      // knows.
      // oxlint-disable-next-line no-await-in-loop -- at most once
      if (epoch !== '' && (newEpoch !== epoch || Number(newest) < version)) await this.revoke(...known);
      const rows = inGroups(rest, 3);
      for (const [, name = '', limit] of rows) changed.push([name, Number(limit)]);
      const isFromStart = newEpoch !== epoch;
      const last = Number(rows.at(-1)?.[0] ?? (isFromStart ? 0 : Math.min(version, Number(newest))));
      this.known = { epoch: newEpoch, version: last };
      if (rows.length < REVOKED_PAGE) return changed;
    }
  }

  async processes(report: ProcessReport): Promise<readonly LivingProcess[]> {
    const [lifetime] = this.common;
    const args = [this.processId, JSON.stringify(report), lifetime];
    const rows = inGroups((await this.run(REPORT, this.processKeys, args)) as string[], 2);
    return rows.flatMap(([id = '', text = '']) => {
      const parsed = reportSchema.safeParse(JSON.parse(text));
      return parsed.success ? [{ ...parsed.data, id, isThis: id === this.processId }] : [];
    });
  }

  close(): Promise<void> {
    return this.link.close();
  }

  private async readClock(): Promise<void> {
    const [seconds, microseconds] = await this.ask(({ client }) => client.time());
    this.clock.heard(Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000));
  }

  private async lease(script: string, ...args: readonly (string | number)[]): Promise<string[] | undefined> {
    const reply = await this.run(script, this.leaseKeys, this.leaseArguments(...args));
    return Array.isArray(reply) ? reply.map(String) : undefined;
  }

  private leaseArguments(...args: readonly (string | number)[]): (string | number)[] {
    return [this.holder, ...this.common, this.clock.time, ...args];
  }

  private run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    return this.ask((connection) => runScript(connection, script, keys, args));
  }

  private async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await this.link.ask(question, PATIENCE);
    } catch (error) {
      throw new JournalUnavailableError('The shared state in Redis is out of reach at the moment: try again later.', {
        cause: new Error(messageOf(error)),
      });
    }
  }
}

function argumentsOf(change: Arrival | Departure): (string | number)[] {
  if (change.kind === 'leave') return ['l', change.ref, '', '', '', '', ''];
  const { ref, key, details, matchers, isResuming } = change;
  const digests = matchers.map(digestOf).join('\n');
  return ['e', ref, key, details, digests, `urn:uuid:${randomUUID()}`, isResuming ? '1' : ''];
}

/** What Redis knows a matcher by, because its key may be long. It is the digest that scripts can make too. */
function digestOf(matcher: string): string {
  return hash('sha1', matcher);
}

/** `text` begins with `serial LF key LF details`. */
function leaseOf(subscriber: string, text: string): Lease {
  const [serial, , details = ''] = text.split('\n', 3);
  return { serial: Number(serial), subscriber, details };
}

function inGroups(items: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
