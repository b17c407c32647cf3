import type { Connection, ConnectionListener, WireBytes } from '../../sse/connection.js';
import type { StreamEnd } from '../../sse/stream-end.js';
import type { Cohort } from './cohort.js';

/** What a subscription asks of the hub. */
export interface SubscriptionOwner {
  /** It is behind and its socket has room. */
  catchUp(subscription: Subscription): void;
  /** It is over. */
  forget(subscription: Subscription, reason: StreamEnd): void;
}

/**
 * One subscriber: a cursor over the log and no queue. It is either live, and written to when something new comes, or
 * behind, and reads on from its cursor whenever its socket has room.
 */
export class Subscription implements ConnectionListener {
  /** Set by whoever wants `caught-up` said when the replay that was asked for is over. */
  isResuming = false;
  /** Its place among those who are told to be subscribed, where that is told. */
  lease: number | undefined;
  /** Set while somebody is at work on bringing it forward, so that nobody else begins to. */
  isCatchingUp = false;

  /**
   * @param cursor the position of the last entry that was offered.
   * @param history the history of the log that the cursor belongs to: see `FanOut`.
   */
  constructor(
    readonly connection: Connection,
    readonly cohort: Cohort,
    public cursor: number,
    public history: number,
    private readonly owner: SubscriptionOwner,
  ) {
    cohort.members += 1;
    connection.listen(this);
  }

  /** Writes what is new, after which the cursor stands at `head`. */
  push(bytes: WireBytes, head: number): void {
    if (!this.connection.isFull) {
      this.cursor = head;
      if (this.connection.writeFrame(bytes)) return;
    }
    this.cohort.live.delete(this);
  }

  /** Lets it read what is new from the log instead of being written to. */
  fallBehind(): void {
    this.cohort.live.delete(this);
    this.owner.catchUp(this);
  }

  drained(): void {
    // A live one that only a heartbeat had filled has missed nothing.
    if (!this.cohort.live.has(this)) this.owner.catchUp(this);
  }

  describe(): Readonly<Record<string, unknown>> {
    return {
      matchers: this.cohort.interest.matchers,
      cursor: this.cursor,
      isLive: this.cohort.live.has(this),
    };
  }

  closed(reason: StreamEnd): void {
    this.cohort.live.delete(this);
    this.cohort.members -= 1;
    this.owner.forget(this, reason);
  }
}
