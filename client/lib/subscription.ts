import type { SubscribeOptions, SubscriptionState } from './api.js';
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
 * One subscriber. It waits until its topics are covered by a stream, then catches up if there is something to resume
 * from, and then is live.
 */
export class Subscription {
  readonly matchers: readonly Matcher[];
  /** The id to resume after, once the topics are covered; empty for "what comes from now on". */
  since: string;
  /** The catch-up that fetches its history now, and holds live messages back meanwhile. */
  catchUp: CatchUp | undefined;
  isLive = false;
  #state: SubscriptionState = 'pending';
  readonly #selectors: readonly Selector[];
  readonly #options: SubscriptionOptions;
  /** The last ids of its history, which the stream may bring as well when it is slower. */
  #fetched: SeenIds | undefined;

  constructor(selectors: readonly Selector[], options: SubscriptionOptions) {
    this.matchers = selectors.map(({ matcher }) => matcher);
    this.since = options.since ?? '';
    this.#selectors = selectors;
    this.#options = options;
  }

  /** Whether it can recognise its messages by their topics. Otherwise it needs a connection of its own. */
  get isRoutable(): boolean {
    return this.#selectors.every(({ test }) => test);
  }

  /** Whether it may get topics that it does not name: it has a pattern or `*`. */
  get isOpenEnded(): boolean {
    return this.#selectors.some(({ isOpenEnded }) => isOpenEnded);
  }

  isCoveredBy(matchers: ReadonlySet<Matcher>): boolean {
    return this.matchers.every((matcher) => matchers.has(matcher));
  }

  /** The first of these topics that it wants; empty if it wants none of them. */
  topicAmong(topics: readonly string[]): string {
    // A selector without `test` has a connection of its own, over which nothing else comes.
    return topics.find((topic) => this.#selectors.some(({ test }) => test?.(topic) ?? true)) ?? '';
  }

  /** A message from the stream. */
  take(message: WireMessage): void {
    if (!this.isLive) this.catchUp?.hold(this, message);
    else if (!this.#fetched?.has(message.id)) this.deliver(message);
  }

  /** From now on it gets messages at once, except those that it has `fetched` already. */
  goLive(fetched?: SeenIds): void {
    this.interrupt();
    this.#fetched = fetched;
    this.isLive = true;
    this.enter('live');
    this.#guard(() => this.#options.onLive?.());
  }

  enter(state: SubscriptionState, error?: HeraldError): void {
    if (this.#state === state || this.#state === 'ended') return;
    this.#state = state;
    this.#guard(() => this.#options.onState?.(state, error));
  }

  /** It may miss messages after `since` from now on. An empty id names no message: nothing was missed. */
  interrupt(since = ''): void {
    this.since = since;
    this.catchUp = undefined;
    this.isLive = false;
  }

  /** Never throws: an error of the handler is reported, and does not affect other subscriptions. */
  deliver(message: WireMessage): void {
    const topic = this.topicAmong(message.topics) || (this.#selectors[0]?.name ?? '');
    this.#guard(() => this.#options.handler(new Message(message, topic)));
  }

  notifyGap(notice: Notice): void {
    this.#guard(() => this.#options.onGap?.(notice));
  }

  #guard(act: () => unknown): void {
    // The handler may be async, and fail later.
    new Promise((resolve) => resolve(act())).catch((cause: unknown) => {
      this.#options.onError(
        cause instanceof HeraldError ? cause : new HeraldError('handler-failed', 'A handler threw.', { cause }),
      );
    });
  }
}
