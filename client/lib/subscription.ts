import type { SubscribeOptions } from './api.js';
import type { CatchUp } from './catch-up.js';
import { HeraldError } from './errors.js';
import type { Matcher, Selector } from './matcher.js';
import { Message } from './message.js';
import type { SeenIds } from './seen-ids.js';
import type { Notice, WireMessage } from './wire.js';

export interface SubscriptionOptions extends SubscribeOptions {
  readonly handler: (message: Message) => unknown;
  readonly onError: (error: HeraldError) => void;
}

/**
 * One subscriber. It waits until its topics are covered by a stream, catches up if there is something to resume from, and
 * is live then.
 */
export class Subscription {
  readonly matchers: readonly Matcher[];
  /** The id to resume after, once the topics are covered; empty for "what comes from now on". */
  since: string;
  /** What fetches its history now, and holds back what comes live meanwhile. */
  catchUp: CatchUp | undefined;
  isLive = false;
  readonly #selectors: readonly Selector[];
  readonly #options: SubscriptionOptions;
  /** What its history brought last, which the stream may bring as well when it is slower. */
  #fetched: SeenIds | undefined;

  constructor(selectors: readonly Selector[], options: SubscriptionOptions) {
    this.matchers = selectors.map(({ matcher }) => matcher);
    this.since = options.since ?? '';
    this.#selectors = selectors;
    this.#options = options;
  }

  /** Whether it can tell by a topic what is meant for it. Otherwise it needs a connection of its own. */
  get isRoutable(): boolean {
    return this.#selectors.every(({ test }) => test);
  }

  /** Whether it asked for more than it can name. */
  get isOpenEnded(): boolean {
    return this.#selectors.some(({ isOpenEnded }) => isOpenEnded);
  }

  isCoveredBy(matchers: ReadonlySet<Matcher>): boolean {
    return this.matchers.every((matcher) => matchers.has(matcher));
  }

  /** The first of these topics that it wants; empty if it wants none of them. */
  topicAmong(topics: readonly string[]): string {
    // Where it can't tell, nothing else comes over its connection.
    return topics.find((topic) => this.#selectors.some(({ test }) => test?.(topic) ?? true)) ?? '';
  }

  /** A message from the stream. */
  take(message: WireMessage): void {
    if (!this.isLive) this.catchUp?.hold(this, message);
    else if (!this.#fetched?.has(message.id)) this.deliver(message);
  }

  /** From now on it gets everything at once, but for what it has `fetched` already. */
  goLive(fetched?: SeenIds): void {
    this.interrupt();
    this.#fetched = fetched;
    this.isLive = true;
    this.#guard(() => this.#options.onLive?.());
  }

  /** It can't be sure to get everything after `since` any more. An empty id names no message: nothing was missed. */
  interrupt(since = ''): void {
    this.since = since;
    this.catchUp = undefined;
    this.isLive = false;
  }

  /** Never throws: what a handler throws is reported, and nobody else's loss. */
  deliver(message: WireMessage): void {
    const topic = this.topicAmong(message.topics) || (this.#selectors[0]?.name ?? '');
    this.#guard(() => this.#options.handler(new Message(message, topic)));
  }

  notifyGap(notice: Notice): void {
    this.#guard(() => this.#options.onGap?.(notice));
  }

  #guard(act: () => unknown): void {
    // An async handler may fail later.
    new Promise((resolve) => resolve(act())).catch((cause: unknown) => {
      const isOurs = cause instanceof HeraldError;
      this.#options.onError(isOurs ? cause : new HeraldError('handler-failed', 'A handler threw.', { cause }));
    });
  }
}
