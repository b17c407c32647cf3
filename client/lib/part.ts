import type { CatchUp } from './catch-up.js';
import type { HeraldError } from './errors.js';
import type { Matcher, Selector } from './matcher.js';
import type { Repeats } from './repeats.js';
import type { Notice, WireMessage } from './wire.js';

/** What comes again. */
export type ToRepeat = Pick<Repeats, 'has' | 'last'>;

/** Whoever the messages are for. */
export interface Recipient {
  deliver(message: WireMessage, topic: string, part: Part): void;
  notifyGap(notice: Notice): void;
  /** A part has become live, is refused, or waits again. */
  changed(error?: HeraldError): void;
}

/**
 * The matchers of a subscription that are read together, in one order: all of them, unless they are very many. It waits
 * until a stream covers them, then catches up if there is something to resume from, and then is live.
 */
export class Part {
  /** The stream that covers it. */
  stream: string | undefined;
  /** The id to resume after, once it is covered; empty for "what comes from now on". While it is live, where it has begun. */
  since: string;
  /** The catch-up that fetches its history now, and holds live messages back meanwhile. */
  catchUp: CatchUp | undefined;
  isLive = false;
  /** Whether its stream is gone. The one that it has come to may be behind that, until it has brought something new. */
  isDisplaced = false;
  /** Whether it is displaced, and waits until its stream has come up to where it is. */
  isWaiting = false;
  #selectors: readonly Selector[];
  readonly #recipient: Recipient;
  /** What its history has brought, which the stream may bring as well when it is slower. */
  #repeats: ToRepeat | undefined;

  constructor(selectors: readonly Selector[], since: string, recipient: Recipient) {
    this.#selectors = selectors;
    this.since = since;
    this.#recipient = recipient;
  }

  /** The last id of its history while its stream is still behind that; undefined once the stream has come up to it. */
  get ahead(): string | undefined {
    return this.#repeats?.last;
  }

  /** Those that the hub has not refused. */
  get matchers(): readonly Matcher[] {
    return this.#selectors.map(({ matcher }) => matcher);
  }

  /** Whether the hub has refused all of it. */
  get isRefused(): boolean {
    return this.#selectors.length === 0;
  }

  /** Whether it may get topics that it does not name: it has a pattern or `*`. */
  get isOpenEnded(): boolean {
    return this.#selectors.some(({ isOpenEnded }) => isOpenEnded);
  }

  isCoveredBy(matchers: ReadonlySet<Matcher>): boolean {
    return !this.isRefused && this.#selectors.every(({ matcher }) => matchers.has(matcher));
  }

  /** The first of these topics that it wants; empty if it wants none of them. */
  topicAmong(topics: readonly string[]): string {
    // A selector without `test` has a connection of its own, over which nothing else comes.
    return topics.find((topic) => this.#selectors.some(({ test }) => test?.(topic) ?? true)) ?? '';
  }

  /** A message from the stream. */
  take(message: WireMessage): void {
    if (!this.isLive) this.catchUp?.hold(this, message);
    else if (!this.#repeats?.has(message.id)) {
      // What is new comes after all that comes again.
      this.#repeats = undefined;
      this.deliver(message);
    }
  }

  /** From now on it gets messages at once, except those that come again after its history. */
  goLive(since = '', repeats?: ToRepeat): void {
    this.#stand(since, true, repeats);
  }

  /** It may miss messages after `since` from now on. An empty id names no message: nothing was missed. */
  interrupt(since: string): void {
    this.#stand(since, false);
  }

  deliver(message: WireMessage): void {
    const topic = this.topicAmong(message.topics) || (this.#selectors[0]?.name ?? '');
    this.#recipient.deliver(message, topic, this);
  }

  notifyGap(notice: Notice): void {
    this.#recipient.notifyGap(notice);
  }

  /** The hub has refused one of its matchers. The others go on. */
  refuse(matcher: Matcher, error: HeraldError): void {
    this.#selectors = this.#selectors.filter((one) => one.matcher !== matcher);
    this.#recipient.changed(error);
  }

  #stand(since: string, isLive: boolean, repeats?: ToRepeat): void {
    this.since = since;
    this.catchUp = undefined;
    this.isLive = isLive;
    this.#repeats = repeats;
    this.#recipient.changed();
  }
}
