import { messageOf, type RedisLink } from '../../redis/redis-link.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import type { Place, RedisLog, Report, Row } from './redis-log.js';
import { RedisTimeline } from './redis-timeline.js';

/** The most rows that one read asks for, of the rows that are there. It ends sooner where they are large. */
const ROWS = 512;

/** The most rows that are waited for: few, because each of them may be large. */
const NEW_ROWS = 16;

/** Milliseconds that the follower waits for new rows. If none come, it checks whether the log is still the same. */
const BLOCK = 1_000;

/** Milliseconds that the follower waits for a connection at most before it asks for one again. */
const PATIENCE = 60_000;

export interface FollowerEvents {
  /** Called with new rows. They follow the rows before, unless the entries in between have been trimmed. */
  rows(rows: readonly Row[]): void;
  /** Called when the log has lost the `lost` entries after `position`, from where it continues. */
  reset(position: number, lost: number): void;
  /** Called with the state of the log, each time that the follower has checked it. */
  report(report: Report): void;
}

/**
 * Follows the stream on a connection of its own. Each row must continue the log that was followed; after a break, and
 * when a row does not fit, the follower finds out from which position on the log in Redis is another one.
 */
export class RedisFollower {
  private readonly done: Promise<void>;
  private readonly waiting = new Set<() => void>();
  /** Whether there are more rows in the log than those that have been read. */
  private isBehind = false;

  constructor(
    private readonly link: RedisLink,
    private readonly log: RedisLog,
    private timeline: RedisTimeline,
    private readonly events: FollowerEvents,
  ) {
    this.done = this.run();
  }

  /** The position of the newest row that was handed on. */
  get head(): number {
    return this.timeline.head;
  }

  get isConnected(): boolean {
    return this.link.current !== undefined;
  }

  get epoch(): string {
    return this.timeline.epoch;
  }

  /** Whether these entries may belong to the log that was followed: none has another nonce than the one remembered. */
  admits(places: readonly Place[]): boolean {
    return places.every(({ position, nonce }) => this.timeline.admits(position, nonce));
  }

  /** Resolves when `position` has been handed on; or after `patience` milliseconds, or when the connection is lost. */
  reached(position: number, patience: number): Promise<void> {
    if (this.head >= position || !this.link.current) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.head < position && this.link.current) return;
        finish();
      };
      const finish = (): void => {
        clearTimeout(timer);
        this.waiting.delete(look);
        resolve();
      };
      const timer = setTimeout(finish, patience);
      this.waiting.add(look);
    });
  }

  async close(): Promise<void> {
    await this.link.close();
    await this.done;
  }

  private async run(): Promise<void> {
    while (!this.link.isClosed) {
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await this.link.get(PATIENCE).then(
        (connection) => this.useOne(connection),
        () => undefined,
      );
      this.wake();
    }
  }

  private async useOne(connection: RedisConnection): Promise<void> {
    try {
      await this.verify(connection);
      // oxlint-disable-next-line no-await-in-loop -- one answer after the other
      while (!this.link.isClosed) await this.step(connection);
    } catch (error) {
      this.link.drop(connection, messageOf(error));
    }
  }

  private async step(connection: RedisConnection): Promise<void> {
    const rows = await this.next(connection);
    const [first] = rows;
    if (!first || !this.continues(first)) {
      const isSame = await this.verify(connection);
      if (!first || !isSame) return;
    }
    for (const { position, nonce } of rows) this.timeline.push(position, nonce);
    this.events.rows(rows);
    this.wake();
  }

  /** The next rows: waited for, unless there are more already than could be waited for at once. */
  private async next(connection: RedisConnection): Promise<readonly Row[]> {
    if (this.isBehind) {
      const { report, rows } = await this.log.read(connection, this.head, ROWS);
      this.isBehind = (rows.at(-1)?.position ?? report.head) < report.head;
      return rows;
    }
    const rows = await this.log.wait(connection, this.head, NEW_ROWS, BLOCK);
    this.isBehind = rows.length === NEW_ROWS;
    return rows;
  }

  private continues({ position, previous }: Row): boolean {
    return position === this.head + 1 && this.timeline.admits(position - 1, previous);
  }

  private wake(): void {
    for (const look of this.waiting) look();
  }

  /**
   * Returns whether the log in Redis is still the one that was followed. If it is not, goes back to the newest position
   * that both have in common.
   */
  private async verify(connection: RedisConnection): Promise<boolean> {
    const { head } = this;
    const { report, nonce } = await this.log.look(connection, head);
    const isSame =
      report.epoch === this.epoch && report.head >= head && (nonce === undefined || this.timeline.admits(head, nonce));
    if (!isSame) {
      const position = report.epoch === this.epoch ? await this.findCommon(connection, report) : 0;
      this.goBack(report.epoch, position);
    }
    this.events.report(report);
    return isSame;
  }

  private goBack(epoch: string, position: number): void {
    const lost = this.head - position;
    if (epoch === this.epoch) this.timeline.cut(position);
    else this.timeline = new RedisTimeline(epoch, position, undefined);
    this.events.reset(position, lost);
  }

  /**
   * The newest position up to which the log in Redis is the one that was followed. Entries that are older than the
   * remembered nonces are taken to be the same, because they were replicated long ago.
   */
  private async findCommon(connection: RedisConnection, { head, oldest }: Report): Promise<number> {
    let same = Math.min(head, this.timeline.oldest - 1);
    let other = Math.min(head, this.head) + 1;
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      // oxlint-disable-next-line no-await-in-loop -- a binary search
      const { nonce } = await this.log.look(connection, middle);
      if (middle < oldest || (nonce !== undefined && this.timeline.admits(middle, nonce))) same = middle;
      else other = middle;
    }
    return same;
  }
}
