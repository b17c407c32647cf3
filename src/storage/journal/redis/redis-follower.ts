import { messageOf } from '../../../shared/errors/message-of.js';
import type { RedisLink } from '../../redis/redis-link.js';
import type { RedisConnection } from '../../redis/redis-connection.js';
import type { RedisLog, Report } from './redis-log.js';
import type { KnownPlace, Place, Row } from './redis-row.js';
import { RedisTimeline } from './redis-timeline.js';

/** The most rows that one read asks for, of the rows that are there. It ends sooner where they are large. */
const ROWS = 512;

/** The most rows of each stream that are waited for: few, because each of them may be large. */
const NEW_ROWS = 16;

/** Milliseconds that the follower waits for new rows. If none come, it checks whether the log is still the same. */
const BLOCK = 1_000;

/** Milliseconds that the follower waits for a connection at most before it asks for one again. */
const PATIENCE = 60_000;

export interface FollowerEvents {
  /**
   * Called with new rows. They follow the rows before, unless the entries in between have been trimmed. Trimmed updates
   * are missing only between two calls, and `report` has been called with what is held by then.
   */
  rows(rows: readonly Row[]): void;
  /** Called when the log has lost the `lost` entries after `position`, from where it continues. */
  reset(position: number, lost: number): void;
  /** Called with positions whose updates were removed; with undefined when these may be any. */
  removed(positions: readonly number[] | undefined): void;
  /** Called with the state of the log, each time that the follower has checked it. */
  report(report: Report): void;
}

/**
 * Follows both streams on a connection of its own. Each row must continue the log that was followed; after a break, and
 * when a row does not fit, the follower finds out from which position on the log in Redis is another one. Where it is
 * none, what lies between was trimmed.
 */
export class RedisFollower {
  private readonly done: Promise<void>;
  private readonly waiting = new Set<() => void>();
  /** Whether there are more rows in the log than those that have been read. */
  private isBehind = false;
  private verifiedAt = -Infinity;
  /** Whether there is something to find, or to say, for which the next look at the log must not wait. */
  private isDue = false;

  constructor(
    private readonly link: RedisLink,
    private readonly log: RedisLog,
    private timeline: RedisTimeline,
    /** The newest removal that was told. */
    private told: string,
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
    return places.every((place) => this.timeline.admits(place));
  }

  /** Positions with what is remembered of them. */
  placesAt(positions: readonly number[]): KnownPlace[] {
    return positions.map((position) => ({ position, nonce: this.timeline.nonceAt(position) }));
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
    if (this.isDue || performance.now() - this.verifiedAt >= BLOCK) await this.verify(connection);
    else await (this.isBehind ? this.readOn(connection) : this.waitForMore(connection));
  }

  /**
   * Hands on new rows as far as each of them continues the one before. The rest is read again, because what lies in
   * between may be missing only from this answer.
   */
  private async waitForMore(connection: RedisConnection): Promise<void> {
    const { rows, isCut, isRemoved } = await this.log.wait(connection, this.head, NEW_ROWS, BLOCK, this.told);
    this.isDue = isRemoved || rows.length === 0;
    const end = rows.findIndex((row, index) => !this.continues(row, rows[index - 1]));
    this.isBehind = isCut || end !== -1;
    this.handOn(end === -1 ? rows : rows.slice(0, end));
  }

  /**
   * Hands on rows that are there already. What is missing between them was trimmed, because one script has read both
   * streams.
   */
  private async readOn(connection: RedisConnection): Promise<void> {
    const { report, upTo, rows } = await this.log.read(connection, this.head, ROWS);
    const [first] = rows;
    const isSame = (first && this.continues(first, undefined)) || (await this.verify(connection));
    if (!isSame) return;
    this.events.report(report);
    this.handOn(rows);
    this.isBehind = upTo < report.head;
    if (this.isBehind || this.head >= report.head) return;
    // Nothing is held after the last row: its successors were trimmed.
    this.timeline.skip(report.head, report.nonce);
    this.wake();
  }

  /** Whether nothing lies between a row and the one before it, which is by default the newest that was handed on. */
  private continues({ position, events, previous }: Row, before: Place | undefined): boolean {
    const start = position - events;
    if (before) return start === before.position && previous === before.nonce;
    return start === this.head && this.timeline.admits({ position: start, nonce: previous });
  }

  private handOn(rows: readonly Row[]): void {
    for (const row of rows) this.timeline.push(row);
    if (rows.length > 0) this.events.rows(rows);
    this.wake();
  }

  private wake(): void {
    for (const look of this.waiting) look();
  }

  /**
   * Returns whether the log in Redis is still the one that was followed, and nothing was removed from it. If it is not,
   * goes back to the newest position that both have in common. What was removed is told first, because it is not lost.
   */
  private async verify(connection: RedisConnection): Promise<boolean> {
    const { head } = this;
    const { report, found, removal, removed } = await this.log.follow(connection, head, this.told);
    this.verifiedAt = performance.now();
    // Another look says that they were told: somebody waits for it.
    this.isDue = removal !== this.told;
    if (this.isDue) this.tellRemoved(removal, removed);
    const isSame = report.epoch === this.epoch && report.head >= head && this.isHeld(found, report);
    if (!isSame) {
      const position = report.epoch === this.epoch ? await this.findCommon(connection, report) : 0;
      this.goBack(report.epoch, position);
    }
    this.isBehind = report.head > this.head;
    this.events.report(report);
    return isSame && !this.isDue;
  }

  private tellRemoved(removal: string, positions: readonly number[] | undefined): void {
    this.told = removal;
    if (positions) for (const position of positions) this.timeline.remove(position);
    else this.timeline.removeAny();
    this.events.removed(positions);
  }

  /**
   * Whether the newest entry that Redis has up to the head was followed, and the newest update that was followed is not
   * missing: it may have been lost although nothing else has its place, because that was trimmed in the meantime.
   */
  private isHeld(found: Place | undefined, { oldest }: Report): boolean {
    const { newestUpdate } = this.timeline;
    const isMissing = newestUpdate >= oldest && newestUpdate > (found?.position ?? 0);
    return !isMissing && (!found || this.timeline.admits(found));
  }

  private goBack(epoch: string, position: number): void {
    const lost = this.head - position;
    if (epoch === this.epoch) this.timeline.cut(position);
    else this.timeline = new RedisTimeline(epoch, position, undefined);
    this.events.reset(position, lost);
  }

  /**
   * The newest position up to which the log in Redis is the one that was followed. Entries that are older than the
   * remembered nonces are taken to be the same, because they were replicated long ago. Of a stretch of which Redis
   * holds nothing, nobody can say that it is the same, so what is returned is the place of an entry before it.
   */
  private async findCommon(connection: RedisConnection, { head, oldest }: Report): Promise<number> {
    let same = Math.min(head, this.timeline.oldest - 1);
    let other = Math.min(head, this.head) + 1;
    let common = same;
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      // oxlint-disable-next-line no-await-in-loop -- a binary search
      const { found } = await this.log.look(connection, middle);
      if (found ? this.timeline.admits(found) : middle < oldest) {
        same = middle;
        common = Math.max(common, found?.position ?? middle);
      } else other = middle;
    }
    return common;
  }
}
