import type { Found } from '../log/wanted-positions.js';
import { NewestOfTopics } from './newest-of-topics.js';

/** The states that the README of delivery draws. */
export type ConflationState = 'resting' | 'due' | 'pausing' | 'holding' | 'over';

/**
 * The pace of a cohort with `max_rate`. Its readers see the log up to a horizon, which moves to the head when something
 * wanted is held back beyond it, and at most once in an interval. Nothing is held but the positions of the newest update of
 * each topic, and not even these where the topics are many: the log has the rest.
 */
export class Conflation {
  private current: ConflationState = 'resting';
  private seenUpTo: number;
  /** The position of the first entry that is held back. */
  private heldFrom: number | undefined;
  /** The position of the first entry of the last offer. */
  private offeredFrom: number;
  /** What is held back; undefined where it is too much, or where it may have changed. */
  private newest: NewestOfTopics | undefined;
  /** What the last offer has, up to the horizon; undefined where it has to be found in the log. */
  private offered: Found | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly interval: number;

  /**
   * @param rate offers in a second.
   * @param head the position of the newest entry.
   * @param onDue an interval is over, and something is held back: the next offer is due.
   */
  constructor(
    rate: number,
    head: number,
    private readonly onDue: () => void,
  ) {
    this.interval = 1_000 / rate;
    this.seenUpTo = head;
    this.offeredFrom = head + 1;
    this.newest = new NewestOfTopics(head);
  }

  get state(): ConflationState {
    return this.current;
  }

  /** The position up to which readers may read. */
  get horizon(): number {
    return this.seenUpTo;
  }

  get isDue(): boolean {
    return this.current === 'due';
  }

  /** The position of the first entry that a live reader with this cursor is owed, or an earlier one; Infinity where none is. */
  firstOwed(cursor: number): number {
    return (cursor < this.seenUpTo ? this.offeredFrom : this.heldFrom) ?? Infinity;
  }

  /** resting → due, pausing → holding: holds a wanted entry back. Answers whether an offer has become due by it. */
  hold(position: number, topics: readonly string[]): boolean {
    // An offer may have gone past entries that were still being matched.
    if (position <= this.seenUpTo) return false;
    this.heldFrom ??= position;
    this.newest?.add(position, topics);
    if (this.newest?.isFull) this.newest = undefined;
    return this.await();
  }

  /**
   * due → pausing: moves the horizon to the head. Gives the position up to which live readers have been offered everything
   * before.
   * @param matchedUpTo the position up to which what the cohort wants has been found.
   */
  offer(head: number, matchedUpTo: number): number {
    this.offeredFrom = this.heldFrom ?? head + 1;
    this.heldFrom = undefined;
    this.offered = matchedUpTo >= head ? this.newest?.planUpTo(head) : undefined;
    this.seenUpTo = Math.max(this.seenUpTo, head);
    this.newest = new NewestOfTopics(this.seenUpTo);
    this.current = 'pausing';
    this.timer = setTimeout(() => this.resume(), this.interval).unref();
    return this.offeredFrom - 1;
  }

  /** What a reader with this cursor is sent of the last offer; undefined where that has to be found in the log. */
  planAfter(cursor: number): Found | undefined {
    const { offered, seenUpTo } = this;
    return offered?.after !== undefined && offered.after <= cursor && cursor < seenUpTo ? offered : undefined;
  }

  /** Updates may have been taken out of the log: what is offered is to be found there. */
  forget(): void {
    this.newest = undefined;
    this.offered = undefined;
  }

  /**
   * The log goes on elsewhere. Answers whether an offer is due.
   * @param head the position after which it goes on.
   * @param matchedUpTo the position up to which what the cohort wants has been found, unless it is lost.
   */
  restart(head: number, matchedUpTo: number): boolean {
    this.forget();
    this.seenUpTo = Math.min(this.seenUpTo, head);
    if (this.heldFrom !== undefined && this.heldFrom > head) this.heldFrom = undefined;
    const known = Math.max(this.seenUpTo, matchedUpTo);
    // Nobody has looked at what lies between.
    if (head > known) this.heldFrom ??= known + 1;
    if (this.heldFrom !== undefined) this.await();
    return this.isDue;
  }

  /** any → over: nothing is offered any more. */
  close(): void {
    clearTimeout(this.timer);
    this.current = 'over';
  }

  private await(): boolean {
    if (this.current === 'pausing') this.current = 'holding';
    if (this.current !== 'resting') return false;
    this.current = 'due';
    return true;
  }

  /** holding → due, pausing → resting: an interval is over. */
  private resume(): void {
    const isHolding = this.current === 'holding';
    this.current = isHolding ? 'due' : 'resting';
    if (isHolding) this.onDue();
  }
}
