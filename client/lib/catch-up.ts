import type { HeraldError } from './errors.js';
import { matchersOf } from './feed.js';
import { SeenIds } from './seen-ids.js';
import type { Subscription } from './subscription.js';
import {
  type ConnectionState,
  isGap,
  type Notice,
  type Source,
  type SourceListener,
  type WireMessage,
} from './wire.js';

export interface CatchUpOptions {
  readonly since: string;
  readonly subscriptions: readonly Subscription[];
  /** Opens a connection of its own that begins after `since`. */
  readonly open: (since: string, listener: SourceListener) => Source;
  readonly onError: (error: HeraldError) => void;
}

/** Messages held back for one subscription. Beyond this the oldest are dropped, and fetched with the history. */
const MAX_HELD = 1_024;

/** The live messages of one subscription that came while it catches up. */
interface Held {
  readonly messages: WireMessage[];
  /** Whether some had to be dropped. */
  hasDropped: boolean;
}

/** Has subscriptions that have missed messages catch up with the stream that they are on. */
export function bringUp(options: CatchUpOptions): CatchUp {
  return new CatchUp(options);
}

/**
 * Reads the history over a second connection, which closes when it reaches the live messages that are held back. So
 * each subscription gets everything in one order.
 */
export class CatchUp implements SourceListener {
  readonly #options: CatchUpOptions;
  readonly #seen = new SeenIds();
  readonly #source: Source;
  readonly #held = new Map<Subscription, Held>();

  constructor(options: CatchUpOptions) {
    const { since, subscriptions, open } = options;
    this.#options = options;
    this.#source = open(since, this);
    for (const subscription of subscriptions) {
      subscription.catchUp = this;
      this.#held.set(subscription, { messages: [], hasDropped: false });
    }
    this.#source.want(matchersOf(subscriptions));
  }

  /** The id up to which the history has been read. */
  get cursor(): string {
    return this.#source.cursor || this.#options.since;
  }

  /** Holds a live message back until the history has been delivered. */
  hold(subscription: Subscription, message: WireMessage): void {
    const held = this.#held.get(subscription);
    if (!held) return;
    // The history has already brought this message: here the two streams meet.
    if (this.#seen.has(message.id)) {
      held.messages.push(message);
      this.#handOver(subscription);
    } else if (held.messages.push(message) > MAX_HELD) {
      // The history will bring the dropped one, and goes on until it brings one that is still held.
      held.messages.shift();
      held.hasDropped = true;
    }
  }

  drop(subscription: Subscription): void {
    if (this.#held.delete(subscription) && this.#held.size === 0) this.close();
  }

  hurry(evenIfFailed?: boolean): void {
    this.#source.hurry(evenIfFailed);
  }

  close(): void {
    this.#source.close();
  }

  message(message: WireMessage): void {
    const { id, topics } = message;
    if (id !== undefined && !this.#seen.add(id)) return;
    for (const [subscription, { messages }] of this.#held) {
      if (topics.length > 0 && !subscription.topicAmong(topics)) continue;
      subscription.deliver(message);
      if (id !== undefined && messages.some((one) => one.id === id)) this.#handOver(subscription);
    }
  }

  notice(notice: Notice): void {
    for (const [subscription, { hasDropped }] of this.#held) {
      if (isGap(notice)) subscription.notifyGap(notice);
      if (notice.type === 'caught-up' && !hasDropped) this.#handOver(subscription);
    }
  }

  covers(): void {
    // The notice `caught-up` says when the history is complete.
  }

  missed(): void {
    // A connection resumes by itself.
  }

  state(state: ConnectionState): void {
    if (state !== 'failed') return;
    for (const subscription of this.#held.keys()) {
      subscription.notifyGap({ type: 'gap', reason: 'refused' });
      this.#handOver(subscription);
    }
  }

  error(error: HeraldError): void {
    this.#options.onError(error);
  }

  /** Delivers the held messages that the history has not brought. From now on the stream alone is enough. */
  #handOver(subscription: Subscription): void {
    const messages = this.#held.get(subscription)?.messages ?? [];
    for (const message of messages) if (!this.#seen.has(message.id)) subscription.deliver(message);
    subscription.goLive(this.#seen);
    this.drop(subscription);
  }
}
