import type { Journal } from '../../journal/journal.js';
import { Queue } from '../../journal/queue.js';
import type { Background } from './background.js';
import type { FanOut } from './fan-out.js';
import type { Slice, Slices } from './slices.js';
import type { Subscription } from './subscription.js';

/**
 * Sockets that have been filled and not yet drained, beyond which nobody else's is filled. What a socket did not take at
 * once is written by Node as soon as it does, with no regard to a turn's share. For a thousand readers that came back
 * together it also took a seventh of the CPU off each replayed event.
 */
const MAX_FILLED = 32;

/** Milliseconds after which a socket that is still full counts as a slow reader's, and no longer in the way of others. */
const FILLED = 20;

/**
 * Brings subscriptions that are behind forward, slice by slice, until they are live. A subscription waits here only
 * while its socket has room; one that is full comes back by itself when it has drained.
 */
export class CatchUp {
  private readonly filled = new Map<Subscription, NodeJS.Timeout>();
  /** Those that wait for sockets to drain. */
  private readonly held = new Queue<Subscription>();

  constructor(
    private readonly journal: Journal,
    private readonly fanOut: FanOut,
    private readonly slices: Slices,
    private readonly background: Background,
  ) {}

  /** Takes on a subscription that is behind, unless it has been taken on already. */
  add(subscription: Subscription): void {
    this.release(subscription);
    if (subscription.isCatchingUp) return;
    subscription.isCatchingUp = true;
    this.queue(subscription);
  }

  private queue(subscription: Subscription): void {
    this.background.add(() => this.advance(subscription));
  }

  /** One step: the next slice, or live. */
  private advance(subscription: Subscription): void {
    if (this.filled.size >= MAX_FILLED) {
      this.held.push(subscription);
      return;
    }
    const { connection, history } = subscription;
    if (connection.isOver || connection.isFull) {
      subscription.isCatchingUp = false;
      return;
    }
    if (history !== this.fanOut.history) this.goBack(subscription);
    const { cursor } = subscription;
    if (cursor >= this.fanOut.head) {
      this.arrive(subscription);
      return;
    }
    if (cursor + 1 < this.journal.oldest) this.skipTrimmed(subscription);
    const slice = this.slices.after(subscription.cursor, subscription, this.fanOut.head);
    if (!(slice instanceof Promise)) {
      this.write(subscription, slice);
      return;
    }
    slice.then(
      (ready) => this.background.add(() => this.write(subscription, ready)),
      // The engine is away: the reader stays, and is caught up when it is back.
      () => setTimeout(() => this.queue(subscription), RETRY_AFTER).unref(),
    );
  }

  private write(subscription: Subscription, slice: Slice): void {
    if (subscription.connection.isOver) return;
    // It was read from a log that is gone.
    if (subscription.history !== this.fanOut.history) return this.queue(subscription);
    if (slice.first > subscription.cursor + 1) this.notifyGap(subscription, slice.first);
    subscription.cursor = slice.last;
    if (!slice.bytes || subscription.connection.writeFrame(slice.bytes)) {
      this.queue(subscription);
      return;
    }
    subscription.isCatchingUp = false;
    this.filled.set(subscription, setTimeout(() => this.release(subscription), FILLED).unref());
  }

  /** Its socket is not in the way of others any more. */
  private release(subscription: Subscription): void {
    const timer = this.filled.get(subscription);
    if (!timer) return;
    clearTimeout(timer);
    this.filled.delete(subscription);
    const next = this.held.shift();
    if (next) this.queue(next);
  }

  /** The log has lost its newest entries: who has been offered some of them is told, and goes on with what is there. */
  private goBack(subscription: Subscription): void {
    const common = this.fanOut.commonSince(subscription.history);
    subscription.history = this.fanOut.history;
    if (subscription.cursor <= common) return;
    subscription.cursor = common;
    subscription.connection.notify({ type: 'reset' });
  }

  /** What the cursor points at is no longer held: the reader is told, and goes on with the oldest that is. */
  private skipTrimmed(subscription: Subscription): void {
    this.notifyGap(subscription, this.journal.oldest);
    subscription.cursor = this.journal.oldest - 1;
  }

  /** How many updates that were, on whatever topics: of how many it would have got some, nobody knows any more. */
  private notifyGap({ connection, cursor }: Subscription, next: number): void {
    connection.notify({ type: 'gap', reason: 'trimmed', updates: next - cursor - 1 });
  }

  /**
   * Its cursor is at the head. What comes next is matched against its cohort, which offers it everything after its cursor,
   * and nothing that it has.
   */
  private arrive(subscription: Subscription): void {
    if (subscription.isResuming) {
      subscription.isResuming = false;
      subscription.connection.notify({ type: 'caught-up' });
    }
    subscription.isCatchingUp = false;
    if (!subscription.connection.isFull) subscription.cohort.live.add(subscription);
  }
}

/** Milliseconds. */
const RETRY_AFTER = 250;
