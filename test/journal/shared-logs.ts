import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { isPresence, type Journal, type ReadEntry } from '../../src/storage/journal/journal.js';
import { newRecordId, type PresenceRecord } from '../../src/storage/journal/presence-record.js';
import type { RedisJournal, RedisJournalOptions } from '../../src/storage/journal/redis/redis-journal.js';
import { RedisServer } from '../support/redis.js';
import { openRedis } from './open-redis.js';

/** A coming or going that is given out as so many events. */
export function record(events = 1): PresenceRecord {
  return { id: newRecordId(), events, content: 'who and what' };
}

/** Logs in one Redis, and the journals that share the newest of them, each as a process would. `await using` ends all. */
export class SharedLogs implements AsyncDisposable {
  private logs = 0;
  private readonly opened: RedisJournal[] = [];

  private constructor(readonly redis: RedisServer) {}

  static async start(program: string): Promise<SharedLogs> {
    return new SharedLogs(await RedisServer.start(program, { configuration: ['appendfsync no'] }));
  }

  get prefix(): string {
    return `test-${this.logs}`;
  }

  /** Closes what is open. What is opened from now on shares another log. */
  async begin(): Promise<void> {
    await Promise.all(this.opened.splice(0).map((journal) => journal.close()));
    this.logs += 1;
  }

  async open(more: Partial<RedisJournalOptions> = {}): Promise<RedisJournal> {
    const journal = await openRedis(this.redis.url, this.prefix, more);
    this.opened.push(journal);
    return journal;
  }

  /** The name of one of the log's keys. */
  key(name: string): string {
    return `{${this.prefix}}:${name}`;
  }

  /** What a replica has that lags behind from here on: a failover to it puts that into the place of the log. */
  async replica(): Promise<() => Promise<void>> {
    const dumps = await this.withClient(async (client) => {
      const keys = await client.keys(this.key('*'));
      return Promise.all(keys.map(async (name) => [name, await client.dumpBuffer(name)] as const));
    });
    return () =>
      this.withClient(async (client) => {
        const all = client.multi();
        all.del(...(await client.keys(this.key('*'))), this.key('log'));
        for (const [name, dump] of dumps) all.restore(name, 0, dump, 'REPLACE');
        await all.exec();
      });
  }

  private async withClient<T>(use: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.redis.url);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.begin();
    await this.redis[Symbol.asyncDispose]();
  }
}

/** What a listener to a journal is told, from the beginning on. */
export class Told {
  readonly entries: ReadEntry[] = [];
  readonly resets: number[] = [];

  constructor(private readonly journal: Journal) {
    journal.tail(
      0,
      (entries) => this.entries.push(...entries),
      (position) => this.resets.push(position),
    );
  }

  get positions(): number[] {
    return this.entries.map(({ position }) => position);
  }

  /** The updates' ids. */
  get updates(): string[] {
    return this.entries.flatMap((entry) => (isPresence(entry) ? [] : (entry.update?.id ?? [])));
  }

  /** Resolves once so many updates came, and the journal has followed the log up to a position. */
  async until(updates: number, head: number): Promise<void> {
    while (this.updates.length < updates || this.journal.head < head) await delay(5);
  }
}
