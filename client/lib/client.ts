import type {
  HeraldClient,
  HeraldClientOptions,
  HeraldEvents,
  Presence,
  SubscribeOptions,
  SubscriptionHandle,
} from './api.js';
import type { BatchAnswer, BatchOptions, BatchUpdate } from './batch.js';
import { Connection } from './connection.js';
import { HeraldError } from './errors.js';
import { Feed } from './feed.js';
import type { HistoryOptions, HistoryPage, PastMessage } from './history.js';
import type { IterateOptions } from './iterate.js';
import { deferred, presenceOf } from './deferred.js';
import { LazyTokens } from './lazy-tokens.js';
import { type Match, type Selector, toSelectors, type UrlPatternConstructor } from './matcher.js';
import type { Message } from './message.js';
import { followPage } from './page-events.js';
import type { PublishOptions } from './publisher.js';
import { report } from './report.js';
import type { Memory } from './resume.js';
import type { Connect } from './share/connect.js';
import type { StreamSettings } from './stream.js';
import { Single } from './single.js';
import { Subscription } from './subscription.js';
import type { TokenProvider } from './token.js';
import { type ConnectionState, FIRST, gravestOf, type Source, type SourceListener, type Start } from './wire.js';

/** The hub that this module was loaded from, or else the one at the page's own origin. */
const HUB = `${/(.*)\/herald\/client\.js/.exec(import.meta.url)?.[1] ?? ''}/.well-known/mercure`;

/** The name of the feed for all subscriptions whose messages can be told apart by topic. */
const COMMON = '';

/** Empty where the URL is relative and there is no page. */
function absolute(url: string | URL): string {
  const page = globalThis.location?.href;
  try {
    return new URL(url, page).href;
  } catch (error) {
    if (page !== undefined) throw error;
    return '';
  }
}

/** The client behind `createHeraldClient`, which puts the parts together. */
export class Client implements HeraldClient {
  readonly #options: HeraldClientOptions;
  readonly #tokens: LazyTokens;
  readonly #settings: StreamSettings;
  /** By name: `COMMON`, or the matchers of a subscription that needs a connection of its own. */
  readonly #feeds = new Map<string, Feed>();
  /** Numbers the feeds that have one subscription each. */
  #feedCount = 0;
  readonly #listeners = new Set<readonly [name: string, listener: (event: never) => unknown]>();
  readonly #memory: Memory | undefined;
  #stopFollowing: (() => void) | undefined;
  #state: ConnectionState = 'idle';
  #isSuspended = false;

  constructor(options: HeraldClientOptions) {
    const { url = HUB, token, cookies, grace = 2.5, fetch = globalThis.fetch } = options;
    const tokens = new LazyTokens(token);
    this.#options = options;
    this.#tokens = tokens;
    this.#settings = {
      url: absolute(url),
      get token() {
        return tokens.ask;
      },
      cookies,
      grace,
      fetch,
      ways: { canQuery: true },
      // oxlint-disable-next-line no-console -- what `debug: true` asks for
      debug: options.debug ? (what) => console.debug(`herald: ${what}`) : () => undefined,
    };
    this.#memory = options.resume?.(this.#settings.url, () =>
      [...this.#feeds.values()].flatMap(({ checkpoints }) => checkpoints),
    );
  }

  get state(): ConnectionState {
    return this.#state;
  }

  subscribe(
    match: Match,
    handler: (message: Message<never>) => unknown,
    options: SubscribeOptions = {},
  ): SubscriptionHandle {
    this.#refuseIfClosed();
    const selectors = this.#selectors(match);
    const matchers = selectors.map(({ matcher }) => matcher);
    const since = options.since || this.#memory?.sinceFor(matchers) || beginningOf(options);
    const own = ownStream(options, since, matchers);
    // With a stream of its own it begins where the stream does.
    const subscription = new Subscription(selectors, own ? '' : since, {
      ...options,
      handler,
      onError: (error) => this.#emit('error', error),
    });
    // Without `URLPattern`, the topics of a pattern can't be told from others, and so for transports without topics.
    const isRoutable = !this.#options.transport && selectors.every(({ test }) => test);
    const name = isRoutable && !own ? COMMON : `${(this.#feedCount += 1)}`;
    if (name === COMMON) this.#memory?.wait(subscription.parts);
    return followed(subscription, options.signal, this.#join(subscription, name, own));
  }

  iterate(match: Match, options?: SubscribeOptions & IterateOptions): AsyncGenerator<Message<never>, void, undefined> {
    return deferred(async () => {
      const { iterate } = await import('./iterate.js');
      return iterate<Message<never>>(this, match, options);
    });
  }

  async publish(topic: string | readonly string[], data: unknown, options?: PublishOptions): Promise<string> {
    const { publish } = await import('./publisher.js');
    return publish(this.#hub, [topic].flat(), data, options);
  }

  async publishBatch(
    updates: Iterable<BatchUpdate> | AsyncIterable<BatchUpdate>,
    options?: BatchOptions,
  ): Promise<BatchAnswer[]> {
    const { publishBatch } = await import('./batch.js');
    return publishBatch(this.#hub, updates, options);
  }

  async *history(match: Match, options?: HistoryOptions): AsyncGenerator<PastMessage<never>, void, undefined> {
    const { history } = await import('./history.js');
    yield* history(this.#hub, this.#selectors(match), options) as AsyncGenerator<PastMessage<never>, void>;
  }

  async historyPage(match: Match, options?: HistoryOptions): Promise<HistoryPage<never>> {
    const { historyPage } = await import('./history.js');
    return historyPage(this.#hub, this.#selectors(match), options) as Promise<HistoryPage<never>>;
  }

  presence(match: Match): Presence {
    return presenceOf(() => ({
      client: this,
      settings: this.#hub,
      match,
      report: (error) => this.#emit('error', error),
    }));
  }

  on<Name extends keyof HeraldEvents>(name: Name, listener: (event: HeraldEvents[Name]) => unknown): () => void {
    const entry = [name, listener] as const;
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  reconnect(): void {
    this.#eachFeed((feed) => feed.hurry(true));
  }

  setToken(token: TokenProvider | string | undefined): void {
    this.#refuseIfClosed();
    // What came with the old tokens ends before anything is asked with the new ones.
    this.#eachFeed((feed) => feed.suspend());
    this.#tokens.set(token);
    if (this.#isSuspended) return;
    this.#eachFeed((feed) => feed.resume());
    this.reconnect();
  }

  dispose(): void {
    if (this.#state === 'closed') return;
    this.#memory?.save();
    this.#stopFollowing?.();
    this.#enter('closed');
    this.#eachFeed((feed) => feed.close());
  }

  /** @throws HeraldError `misused`. */
  #refuseIfClosed(): void {
    if (this.#state === 'closed') throw new HeraldError('misused', 'This client was disposed of.');
  }

  /** Has a subscription get its messages. Returns what ends that. */
  #join(subscription: Subscription, name: string, own: OwnStream | undefined): () => void {
    const feed = this.#feed(name, own);
    feed.add(subscription);
    return () => {
      feed.remove(subscription);
      if (name === COMMON) return;
      this.#feeds.delete(name);
      feed.close();
      this.#noteState();
    };
  }

  /** @throws HeraldError `misused` where the hub's URL is not known. */
  get #hub(): StreamSettings {
    if (this.#settings.url !== '') return this.#settings;
    throw new HeraldError('misused', 'There is no page: give the absolute URL of the hub (`url`).');
  }

  #selectors(match: Match): Selector[] {
    const { urlPattern = (globalThis as { URLPattern?: UrlPatternConstructor }).URLPattern } = this.#options;
    return toSelectors(match, this.#hub.url, urlPattern);
  }

  #feed(name: string, own: OwnStream | undefined): Feed {
    const existing = this.#feeds.get(name);
    if (existing) return existing;
    // Only now: a server that renders makes clients that never connect.
    this.#stopFollowing ??= followPage((act) => {
      if (act === 'suspend') this.#memory?.save();
      if (act === 'suspend' || act === 'resume') this.#isSuspended = act === 'suspend';
      this.#eachFeed((feed) => feed[act]());
    });
    const options = { ...this.#options, ...own, settings: this.#settings };
    const connect: Connect = (listener, starts = own?.starts) => new Single({ ...options, starts }, listener);
    const feed = new Feed({
      open: (listener) => (name === COMMON ? this.#openSource(listener, connect) : connect(listener)),
      openAt: (cursor, listener) => new Connection({ ...options, start: { cursor, covered: new Set() } }, listener),
      emit: (event, detail) => this.#emit(event, detail),
      onState: () => this.#noteState(),
      onProgress: () => this.#memory?.touch(),
    });
    this.#feeds.set(name, feed);
    return feed;
  }

  /** Opens a connection, or a share of one. The code for sharing is loaded only by pages that may have other tabs. */
  async #openSource(listener: SourceListener, connect: Connect): Promise<Source> {
    const isShared = this.#options.share !== 'none' || this.#memory?.isPerReader;
    if (!isShared || typeof document === 'undefined') return connect(listener);
    try {
      // `catch-up.js` is loaded now: a tab that takes over may have to catch up at a time when nothing can be loaded.
      const [{ openShared }] = await Promise.all([import('./share/open-shared.js'), import('./catch-up.js')]);
      return openShared(
        {
          options: this.#options,
          url: this.#settings.url,
          tokens: this.#tokens,
          connect,
          onReader: (reader) => this.#memory?.readerIs(reader),
          onUnavailable: (cause) => this.#notSharing(cause),
        },
        listener,
      );
    } catch (cause) {
      this.#notSharing(cause);
      this.#memory?.readerIs(undefined);
      return connect(listener);
    }
  }

  #notSharing(cause: unknown): void {
    this.#emit(
      'error',
      new HeraldError('sharing-unavailable', 'Tabs do not share a connection here: this one has its own.', { cause }),
    );
  }

  #eachFeed(act: (feed: Feed) => void): void {
    for (const feed of this.#feeds.values()) act(feed);
  }

  #noteState(): void {
    this.#enter(gravestOf([...this.#feeds.values()].map(({ current }) => current)));
  }

  #enter(state: ConnectionState): void {
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#emit('state', state);
  }

  #emit<Name extends keyof HeraldEvents>(name: Name, detail: HeraldEvents[Name]): void {
    const listeners = [...this.#listeners].filter(([wanted]) => wanted === name);
    if (listeners.length === 0 && detail instanceof HeraldError) report(detail);
    for (const [, listener] of listeners) {
      // An error of a listener must not disturb the stream: as an unhandled rejection, the platform reports it.
      void new Promise((resolve) => resolve(listener(detail as never)));
    }
  }
}

/** What the stream of a feed with one subscription has to itself. */
interface OwnStream {
  readonly parameters: string;
  readonly starts: ReadonlyMap<string, Start>;
}

/** A subscription with a rate of its own has a stream of its own. */
function ownStream({ maxRate }: SubscribeOptions, cursor: string, matchers: readonly string[]): OwnStream | undefined {
  if (maxRate === undefined) return undefined;
  return { parameters: `max_rate=${maxRate}`, starts: new Map([[FIRST, { cursor, covered: new Set(matchers) }]]) };
}

/** A subscription as the application sees it. */
function followed(subscription: Subscription, signal: AbortSignal | undefined, leave: () => void): SubscriptionHandle {
  const stop = (): void => {
    if (subscription.state === 'ended') return;
    signal?.removeEventListener('abort', stop);
    subscription.end();
    leave();
  };
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  return Object.defineProperties(stop, {
    state: { get: () => subscription.state },
    error: { get: () => subscription.error },
  }) as SubscriptionHandle;
}

/** Where a subscription begins that nothing is known of. */
function beginningOf({ last, begin }: SubscribeOptions): string {
  if (begin) return `#${begin}`;
  return last ? `#${last}` : '';
}
