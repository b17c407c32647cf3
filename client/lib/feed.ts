import type { HeraldEvents } from './api.js';
import { HeraldError } from './errors.js';
import type { Matcher } from './matcher.js';
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

export interface FeedOptions {
  /** Opens the source of the feed's messages. */
  readonly open: (listener: SourceListener) => Source | Promise<Source>;
  /** Opens a connection for the history after `since`. */
  readonly openAt: (since: string, listener: SourceListener) => Source;
  readonly emit: <Name extends 'error' | 'notice'>(name: Name, event: HeraldEvents[Name]) => void;
  readonly onState: () => void;
  /** The position that a reload could resume from has moved. */
  readonly onProgress: () => void;
}

/** Milliseconds after which a module of this library that could not be loaded is requested again. */
const LOAD_AGAIN = 3_000;

/** Several subscriptions on one source: each gets the messages that match it, once and in one order. */
export class Feed implements SourceListener {
  current: ConnectionState = 'idle';
  readonly #options: FeedOptions;
  readonly #subscriptions = new Set<Subscription>();
  readonly #seen = new SeenIds();
  #source: Source | undefined;
  #covered: ReadonlySet<string> = new Set();
  #isClosed = false;
  #isSuspended = false;
  #isCatchingUp = false;
  #lastError: HeraldError | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    void this.#start();
  }

  /** The source's cursor, if all subscriptions have got everything up to there. */
  get checkpoint(): { readonly id: string; readonly keys: readonly string[] } | undefined {
    const id = this.#source?.cursor;
    const isUpToDate = [...this.#subscriptions].every(({ isLive }) => isLive);
    return id && isUpToDate ? { id, keys: matchersOf(this.#subscriptions) } : undefined;
  }

  add(subscription: Subscription): void {
    this.#subscriptions.add(subscription);
    this.#want();
    this.#settle();
  }

  remove(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    subscription.catchUp?.drop(subscription);
    subscription.enter('ended');
    this.#want();
  }

  hurry(evenIfFailed?: boolean): void {
    this.#source?.hurry(evenIfFailed);
    for (const { catchUp } of this.#subscriptions) catchUp?.hurry(evenIfFailed);
  }

  suspend(): void {
    this.#isSuspended = true;
    for (const subscription of this.#subscriptions) if (!subscription.isLive) this.#interrupt(subscription);
    this.#source?.suspend();
  }

  resume(): void {
    this.#isSuspended = false;
    this.#source?.resume();
    this.#settle();
  }

  close(): void {
    this.#isClosed = true;
    for (const { catchUp } of this.#subscriptions) catchUp?.close();
    for (const subscription of this.#subscriptions) subscription.enter('ended');
    this.#subscriptions.clear();
    this.#source?.close();
  }

  message(message: WireMessage): void {
    if (message.id !== undefined && !this.#seen.add(message.id)) return;
    for (const subscription of this.#recipients(message.topics)) subscription.take(message);
    this.#options.onProgress();
  }

  notice(notice: Notice): void {
    if (isGap(notice)) for (const subscription of this.#subscriptions) subscription.notifyGap(notice);
    // The notice `cursor` says only where the stream is, which is for whoever resumes.
    if (notice.type !== 'cursor') this.#options.emit('notice', notice);
    this.#options.onProgress();
  }

  covers(matchers: ReadonlySet<string>): void {
    this.#covered = matchers;
    for (const subscription of this.#subscriptions) {
      const isServed = subscription.isLive || subscription.catchUp;
      if (isServed && !subscription.isCoveredBy(matchers)) this.#interrupt(subscription);
    }
    this.#settle();
  }

  missed(lastEventId: string): void {
    for (const subscription of this.#subscriptions) {
      // A subscription that is catching up begins anew from its own position; one that waits has missed nothing yet.
      if (subscription.isLive) subscription.interrupt(lastEventId);
      else if (subscription.catchUp) this.#interrupt(subscription);
    }
    this.#settle();
  }

  state(state: ConnectionState): void {
    this.current = state;
    if (state === 'failed') for (const one of this.#subscriptions) one.enter('refused', this.#lastError);
    this.#options.onState();
  }

  error(error: HeraldError): void {
    this.#lastError = error;
    this.#options.emit('error', error);
  }

  async #start(): Promise<void> {
    const source = await this.#options.open(this);
    this.#source = source;
    if (this.#isClosed) source.close();
    else if (this.#isSuspended) source.suspend();
    this.#want();
  }

  #want(): void {
    this.#source?.want(matchersOf(this.#subscriptions));
  }

  /** Stops a subscription where it is. It goes on from there when its topics are covered again. */
  #interrupt(subscription: Subscription): void {
    const { catchUp } = subscription;
    const since = catchUp?.cursor ?? (subscription.isLive ? this.#source?.cursor : subscription.since);
    subscription.interrupt(since);
    catchUp?.drop(subscription);
  }

  /** Subscriptions that are covered by now go live at once: the next message may be part of the same bytes. */
  #settle(): void {
    for (const subscription of this.#ready()) if (!subscription.since) subscription.goLive();
    if (this.#ready().length > 0 && !this.#isCatchingUp) void this.#catchUp();
  }

  /**
   * Begins to catch up for subscriptions that have missed something, together for those that resume after the same id.
   * The code for it is loaded when it is first needed; what comes until then is fetched with the history.
   */
  async #catchUp(): Promise<void> {
    this.#isCatchingUp = true;
    try {
      const { bringUp } = await import('./catch-up.js');
      const { openAt: open } = this.#options;
      for (const since of new Set(this.#ready().map((subscription) => subscription.since))) {
        const subscriptions = this.#ready().filter((subscription) => subscription.since === since);
        bringUp({ since, subscriptions, open, onError: (error) => this.error(error) });
      }
    } catch (cause) {
      this.error(new HeraldError('unreachable', 'catch-up.js can not be loaded.', { cause }));
      setTimeout(() => this.#settle(), LOAD_AGAIN);
    }
    this.#isCatchingUp = false;
  }

  #ready(): Subscription[] {
    if (this.#isSuspended) return [];
    return [...this.#subscriptions].filter(
      (subscription) => !subscription.isLive && !subscription.catchUp && subscription.isCoveredBy(this.#covered),
    );
  }

  #recipients(topics: readonly string[]): Subscription[] {
    const all = [...this.#subscriptions];
    if (topics.length > 0) return all.filter((subscription) => subscription.topicAmong(topics));
    // The hub has matched the message but must not name its topic to this reader, or is a hub that never names topics.
    const some = matchersOf(all).length === 1 ? all : all.filter(({ isOpenEnded }) => isOpenEnded);
    if (some.length === 0) {
      this.error(new HeraldError('topics-unknown', 'This hub names no topics: use one client per topic.'));
    }
    return some;
  }
}

/** The matchers of all these subscriptions, each once. */
export function matchersOf(subscriptions: Iterable<Subscription>): Matcher[] {
  return [...new Set([...subscriptions].flatMap(({ matchers }) => matchers))];
}
