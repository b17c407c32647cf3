import type { HeraldClient, HeraldClientOptions, HeraldEvents, SubscribeOptions } from './api.js';
import { Connection } from './connection.js';
import { HeraldError } from './errors.js';
import { Feed } from './feed.js';
import type { IterateOptions } from './iterate.js';
import { type Match, toSelectors, type UrlPatternConstructor } from './matcher.js';
import type { Message } from './message.js';
import { followPage } from './page-events.js';
import type { Checkpoint } from './places.js';
import type { PublishOptions } from './publisher.js';
import type { Memory } from './resume.js';
import type { Reader } from './share/reader.js';
import type { StreamSettings } from './stream.js';
import { Subscription } from './subscription.js';
import type { TokenProvider } from './token.js';
import { Tokens } from './tokens.js';
import type { ConnectionState, Source, SourceListener, Start } from './wire.js';

/** States by gravity: the client has the gravest one of its feeds. */
const GRAVITY: readonly ConnectionState[] = ['idle', 'open', 'connecting', 'waiting', 'offline', 'failed'];

/** The hub that this module was loaded from, or else the one at the page's own origin. */
const HUB = `${/(.*)\/herald\/client\.js/.exec(import.meta.url)?.[1] ?? ''}/.well-known/mercure`;

/** The name of the feed for all subscriptions whose messages can be told apart by topic. */
const COMMON = '';

/** The client behind `createHeraldClient`, which puts the parts together. */
export class Client implements HeraldClient {
  readonly #options: HeraldClientOptions;
  readonly #tokens: Tokens;
  readonly #settings: StreamSettings;
  /** By name: `COMMON`, or the matchers of a subscription that needs a connection of its own. */
  readonly #feeds = new Map<string, Feed>();
  readonly #listeners = new Set<readonly [name: string, listener: (event: never) => unknown]>();
  readonly #memory: Memory | undefined;
  /** Subscriptions that may resume once it is known who reads; undefined from then on. */
  #early: Subscription[] | undefined;
  readonly #stopFollowing: () => void;
  #state: ConnectionState = 'idle';
  #isSuspended = false;

  constructor(options: HeraldClientOptions) {
    const { url = HUB, token, cookies, grace = 2.5, fetch = globalThis.fetch } = options;
    const tokens = new Tokens(token);
    this.#options = options;
    this.#tokens = tokens;
    this.#settings = {
      url: new URL(url, globalThis.location?.href).href,
      get token() {
        return tokens.hasProvider ? tokens.ask : undefined;
      },
      cookies,
      grace,
      fetch,
    };
    this.#memory = options.resume?.(this.#settings.url, () => this.#checkpoints());
    this.#early = this.#memory?.isPerReader ? [] : undefined;
    this.#stopFollowing = followPage((act) => {
      if (act === 'suspend') this.#memory?.save();
      if (act !== 'hurry') this.#isSuspended = act === 'suspend';
      this.#eachFeed((feed) => feed[act]());
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  subscribe(match: Match, handler: (message: Message<never>) => unknown, options: SubscribeOptions = {}): () => void {
    if (this.#state === 'closed') throw new HeraldError('misused', 'This client was disposed of.');
    const { urlPattern = (globalThis as { URLPattern?: UrlPatternConstructor }).URLPattern, transport } = this.#options;
    const subscription = new Subscription(toSelectors(match, this.#settings.url, urlPattern), {
      ...options,
      handler: handler as (message: Message) => unknown,
      onError: (error) => this.#emit('error', error),
    });
    const { matchers, isRoutable } = subscription;
    subscription.since ||= this.#memory?.sinceFor(matchers) ?? (options.last ? `#${options.last}` : '');
    const name = isRoutable && !transport ? COMMON : matchers.join('&');
    if (name === COMMON) this.#early?.push(subscription);
    const feed = this.#feed(name);
    feed.add(subscription);
    return () => feed.remove(subscription);
  }

  async *iterate(
    match: Match,
    options?: SubscribeOptions & IterateOptions,
  ): AsyncGenerator<Message<never>, void, undefined> {
    const { iterate } = await import('./iterate.js');
    yield* iterate<Message<never>>(this, match, options);
  }

  async publish(topic: string | readonly string[], data: unknown, options?: PublishOptions): Promise<string> {
    const { publish } = await import('./publisher.js');
    return publish(this.#settings, [topic].flat(), data, options);
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
    if (this.#state === 'closed') throw new HeraldError('misused', 'This client was disposed of.');
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
    this.#stopFollowing();
    this.#enter('closed');
    this.#eachFeed((feed) => feed.close());
  }

  #feed(name: string): Feed {
    const existing = this.#feeds.get(name);
    if (existing) return existing;
    const feed = new Feed({
      open: (listener) => (name === COMMON ? this.#openSource(listener) : this.#connect(listener)),
      openAt: (since, listener) => this.#connect(listener, { cursor: since, covered: new Set() }),
      emit: (event, detail) => this.#emit(event, detail),
      onState: () => this.#noteState(),
      onProgress: () => this.#memory?.touch(),
    });
    this.#feeds.set(name, feed);
    return feed;
  }

  /** Opens a connection, or a share of one. The code for sharing is loaded only by pages that may have other tabs. */
  async #openSource(listener: SourceListener): Promise<Source> {
    const connect = (own: SourceListener, start?: Start): Source => this.#connect(own, start);
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
          onReader: (reader) => this.#noteReader(reader),
          onUnavailable: (cause) => this.#notSharing(cause),
        },
        listener,
      );
    } catch (cause) {
      this.#notSharing(cause);
      this.#noteReader(undefined);
      return connect(listener);
    }
  }

  /** Now it is known whose places the memory has. */
  #noteReader(reader: Reader | undefined): void {
    this.#memory?.readerIs(reader);
    for (const subscription of this.#early ?? [])
      subscription.resumeAfter(this.#memory?.sinceFor(subscription.matchers));
    this.#early = undefined;
  }

  #notSharing(cause: unknown): void {
    this.#emit(
      'error',
      new HeraldError('sharing-unavailable', 'Tabs do not share a connection here: this one has its own.', { cause }),
    );
  }

  #connect(listener: SourceListener, start?: Start): Connection {
    return new Connection({ ...this.#options, settings: this.#settings, start }, listener);
  }

  #checkpoints(): Checkpoint[] {
    return [...this.#feeds.values()].flatMap(({ checkpoints }) => checkpoints);
  }

  #eachFeed(act: (feed: Feed) => void): void {
    for (const feed of this.#feeds.values()) act(feed);
  }

  #noteState(): void {
    const ranks = [...this.#feeds.values()].map(({ current }) => GRAVITY.indexOf(current));
    this.#enter(GRAVITY[Math.max(...ranks)] ?? 'idle');
  }

  #enter(state: ConnectionState): void {
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.#emit('state', state);
  }

  #emit<Name extends keyof HeraldEvents>(name: Name, detail: HeraldEvents[Name]): void {
    for (const [wanted, listener] of this.#listeners) {
      // An error of a listener must not disturb the stream: as an unhandled rejection, the platform reports it.
      if (wanted === name) void new Promise((resolve) => resolve(listener(detail as never)));
    }
  }
}
