import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../../shared/errors/message-of.js';
import { guardListener } from '../guard-listener.js';
import { JournalUnavailableError, type RemovalListener } from '../journal.js';
import { COMMAND_TIMEOUT, type RedisConnection } from '../../redis/redis-connection.js';
import type { RedisLink } from '../../redis/redis-link.js';
import type { LogPart, RedisLog } from './redis-log.js';
import type { KnownPlace } from './redis-row.js';

/** Updates that one call of the script removes at most. */
const BATCH = 256;

/** Milliseconds that a removal waits while there is no connection. */
const PATIENCE = 3_000;

/** Milliseconds after which a follower that gives no sign of life is not waited for: it gives one each second. */
const LIFETIME = 4_000;

/** Milliseconds before the first and at most before each further question whether everybody has told of a removal. */
const FIRST_DELAY = 2;
const LONGEST_DELAY = 50;

/** What was removed while something was being read. */
interface Removed {
  readonly positions: Set<number>;
  isUnknown: boolean;
}

/** Removes updates from the log, and tells whoever remembers them. */
export class RedisRemovals {
  private readonly listeners = new Set<RemovalListener>();
  private readonly underWay = new Set<Removed>();

  /** @param replicas how many replicas must have a removal before it counts as done. */
  constructor(
    private readonly link: RedisLink,
    private readonly log: RedisLog,
    private readonly replicas: number,
  ) {}

  on(listener: RemovalListener): () => void {
    const guarded = guardListener(listener);
    this.listeners.add(guarded);
    return () => this.listeners.delete(guarded);
  }

  /** Tells everybody in this process. The updates must be gone from Redis. */
  tell(positions: readonly number[] | undefined): void {
    for (const removed of this.underWay) {
      if (!positions) removed.isUnknown = true;
      for (const position of positions ?? []) removed.positions.add(position);
    }
    for (const listener of this.listeners) listener(positions);
  }

  /** Reads a part of the log, and leaves out what everybody has been told of before the answer has come. */
  async leaveOut(read: () => Promise<LogPart>): Promise<LogPart> {
    const removed: Removed = { positions: new Set(), isUnknown: false };
    this.underWay.add(removed);
    try {
      const part = await read();
      if (removed.isUnknown) throw new JournalUnavailableError('Updates were removed meanwhile: try again.');
      const rows = part.rows.filter(({ store, position }) => store === 'presence' || !removed.positions.has(position));
      return { ...part, rows };
    } finally {
      this.underWay.delete(removed);
    }
  }

  /**
   * Removes updates, and resolves once every follower that gives signs of life has told of it.
   * @param epoch of the log that the places belong to.
   * @returns the head of the log.
   */
  async remove(epoch: string, places: readonly KnownPlace[]): Promise<number> {
    let head = 0;
    let newest = '';
    for (let start = 0; start < places.length; start += BATCH) {
      const batch = places.slice(start, start + BATCH);
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const [{ report, removal }, confirmed] = await this.ask((connection) =>
        Promise.all([this.log.remove(connection, epoch, batch), this.confirmation(connection)]),
      );
      if (removal === '') throw new JournalUnavailableError('Redis has another log than the one that is meant.');
      if (confirmed < this.replicas) throw unconfirmed(confirmed, this.replicas);
      head = report.head;
      newest = removal;
    }
    if (newest !== '') await this.untilTold(newest);
    return head;
  }

  /** Has nobody wait for this process any more, whose follower must have ended. */
  close(): void {
    this.listeners.clear();
    const { current } = this.link;
    if (current) this.log.leave(current).catch(() => undefined);
  }

  /** How many replicas have what was sent before. */
  private confirmation({ client }: RedisConnection): Promise<number> {
    return this.replicas === 0 ? Promise.resolve(0) : client.wait(this.replicas, COMMAND_TIMEOUT / 2);
  }

  private async untilTold(removal: string): Promise<void> {
    for (let pause = FIRST_DELAY; ; pause = Math.min(2 * pause, LONGEST_DELAY)) {
      // oxlint-disable-next-line no-await-in-loop -- until the answer is the right one
      await delay(pause);
      // oxlint-disable-next-line no-await-in-loop -- until the answer is the right one
      if ((await this.ask((connection) => this.log.untold(connection, removal, LIFETIME))) === 0) return;
    }
  }

  private async ask<T>(question: (connection: RedisConnection) => Promise<T>): Promise<T> {
    try {
      return await this.link.ask(question, PATIENCE);
    } catch (error) {
      throw new JournalUnavailableError('Redis does not answer: it is not known whether the updates were removed.', {
        cause: new Error(messageOf(error)),
      });
    }
  }
}

function unconfirmed(confirmed: number, replicas: number): JournalUnavailableError {
  return new JournalUnavailableError(`Removed, but only ${confirmed} of ${replicas} replicas confirmed it: try again.`);
}
