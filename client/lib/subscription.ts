import type { StandardSchema, SubscribeOptions, SubscriptionState } from './api.js';
import { HeraldError } from './errors.js';
import type { Matcher, Selector } from './matcher.js';
import { Message } from './message.js';
import { Part, type Recipient } from './part.js';
import { REMEMBERED } from './repeats.js';
import type { Notice, WireMessage } from './wire.js';

export interface SubscriptionOptions extends SubscribeOptions {
  readonly handler: (message: Message<never>) => unknown;
  readonly onError: (error: HeraldError) => void;
}

/** Matchers that are read together. More are read in parts, which may come over different streams. */
const TOGETHER = 100;

/**
 * One subscriber.
 *
 *     pending ──covered──▶ live ──stop──▶ ended
 *        │   ◀──missed─────  │              ▲
 *        └──refused──▶ refused ──stop───────┘
 *
 * What was refused with its whole stream is pending again when it is tried again, or live where nothing was missed.
 */
export class Subscription implements Recipient {
  readonly parts: readonly Part[];
  readonly #options: SubscriptionOptions;
  /** Which part has brought which of the last messages, where there are several, as more than one may match it. */
  readonly #broughtBy = new Map<string, Part>();
  #state: SubscriptionState = 'pending';
  /** Why the hub has refused one of its topics. */
  #refusal: HeraldError | undefined;
  /** Why the hub has refused the whole stream. */
  #failure: HeraldError | undefined;

  constructor(selectors: readonly Selector[], since: string, options: SubscriptionOptions) {
    this.#options = options;
    const count = Math.ceil(selectors.length / TOGETHER);
    this.parts = Array.from(
      { length: count },
      (_, index) => new Part(selectors.slice(index * TOGETHER, (index + 1) * TOGETHER), since, this),
    );
  }

  get state(): SubscriptionState {
    return this.#state;
  }

  /** Why the hub has refused it, or one of its topics. */
  get error(): HeraldError | undefined {
    return this.#failure ?? this.#refusal;
  }

  deliver(message: WireMessage, topic: string, part: Part): void {
    const { handler, parse, type } = this.#options;
    if (this.#state === 'ended' || (type !== undefined && ![type].flat().includes(message.type))) return;
    if (this.parts.length > 1 && !this.#isFirst(message.id, part)) return;
    // Its type is what the application says that it is.
    this.#guard(() => handler(new Message(message, topic, parse as StandardSchema<never> | undefined)));
  }

  notifyGap(notice: Notice): void {
    if (this.#state !== 'ended') this.#guard(() => this.#options.onGap?.(notice));
  }

  changed(error?: HeraldError): void {
    this.#refusal = error ?? this.#refusal;
    this.#update();
  }

  /** The hub has refused the whole stream for good. */
  fail(error: HeraldError): void {
    this.#failure = error;
    this.#update();
  }

  /** What had failed is tried again. What was live goes on from where it was. */
  retry(): void {
    this.#failure = undefined;
    this.#update();
  }

  end(): void {
    this.#enter('ended');
  }

  #update(): void {
    const wanted = this.parts.filter(({ isRefused }) => !isRefused);
    if (this.#failure || wanted.length === 0) this.#enter('refused');
    else this.#enter(wanted.every(({ isLive }) => isLive) ? 'live' : 'pending');
  }

  /** Whether no other part has brought this message before. */
  #isFirst(id: string | undefined, part: Part): boolean {
    if (id === undefined) return true;
    const known = this.#broughtBy.get(id);
    this.#broughtBy.set(id, part);
    const [oldest] = this.#broughtBy.keys();
    if (this.#broughtBy.size > REMEMBERED && oldest !== undefined) this.#broughtBy.delete(oldest);
    return known === undefined || known === part;
  }

  #enter(state: SubscriptionState): void {
    if (state === this.#state || this.#state === 'ended') return;
    this.#state = state;
    const { onLive, onState } = this.#options;
    if (state === 'live') this.#guard(() => onLive?.());
    this.#guard(() => onState?.(state, this.error));
  }

  /** Never throws: an error of the application is reported, and does not affect other subscriptions. */
  #guard(act: () => unknown): void {
    // The handler may be async, and fail later.
    new Promise((resolve) => resolve(act())).catch((cause: unknown) => {
      this.#options.onError(cause instanceof HeraldError ? cause : handlerFailed(cause));
    });
  }
}

function handlerFailed(cause: unknown): HeraldError {
  const what = cause instanceof Error ? `: ${cause.message}` : '.';
  return new HeraldError('handler-failed', `A handler of the application threw${what}`, { cause });
}

/** All the matchers of these parts, for each part those that are read together. */
export function bundlesOf(parts: Iterable<Part>): (readonly Matcher[])[] {
  const bundles = [...parts].map(({ matchers }) => matchers).filter(({ length }) => length > 0);
  return [...new Map(bundles.map((bundle) => [bundle.join('&'), bundle])).values()];
}
