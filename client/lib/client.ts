import type { HeraldClient, HeraldClientOptions, HeraldEvents, Presence, SubscribeOptions } from './api.js';
import type { BatchAnswer, BatchOptions, BatchUpdate } from './batch.js';
import { Connection } from './connection.js';
import { HeraldError } from './errors.js';
import { Feed } from './feed.js';
import type { HistoryOptions, HistoryPage, PastMessage } from './history.js';
import type { IterateOptions } from './iterate.js';
import { deferred, presenceOf } from './deferred.js';
import { type Match, type Selector, toSelectors, type UrlPatternConstructor } from './matcher.js';
import type { Message } from './message.js';
import { followPage } from './page-events.js';
import type { PublishOptions } from './publisher.js';
import type { Memory } from './resume.js';
import type { StreamSettings } from './stream.js';
import { Subscription } from './subscription.js';
import type { ConnectionState, Source, SourceListener, Start } from './wire.js';

/** States by gravity: the client has the gravest one of its feeds. */
const GRAVITY: readonly ConnectionState[] = ['idle', 'open', 'connecting', 'waiting', 'offline', 'failed'];

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
  readonly #settings: StreamSettings;
  /** By name: `COMMON`, or the matchers of a subscription that needs a connection of its own. */
  readonly #feeds = new Map<string, Feed>();
  readonly #listeners = new Set<readonly [name: string, listener: (event: never) => unknown]>();
  readonly #memory: Memory | undefined;
  #stopFollowing: (() => void) | undefined;
  #state: ConnectionState = 'idle';

  constructor(options: HeraldClientOptions) {
    const { url = HUB, token, cookies, grace = 2.5, fetch = globalThis.fetch } = options;
    this.#options = options;
    this.#settings = { url: absolute(url), token, cookies, grace, fetch };
    this.#memory = options.resume?.(this.#settings.url, () => this.#feeds.get(COMMON)?.checkpoint);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  subscribe(match: Match, handler: (message: Message<never>) => unknown, options: SubscribeOptions = {}): () => void {
    if (this.#state === 'closed') throw new HeraldError('misused', 'This client was disposed of.');
    const subscription = new Subscription(this.#selectors(match), {
      ...options,
      handler: handler as (message: Message) => unknown,
      onError: (error) => this.#emit('error', error),
    });
    const { matchers, isRoutable } = subscription;
    subscription.since ||= this.#memory?.sinceFor(matchers) ?? (options.last ? `#${options.last}` : '');
    const feed = this.#feed(isRoutable && !this.#options.transport ? COMMON : matchers.join('&'));
    feed.add(subscription);
    return () => feed.remove(subscription);
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

  dispose(): void {
    if (this.#state === 'closed') return;
    this.#memory?.save();
    this.#stopFollowing?.();
    this.#enter('closed');
    this.#eachFeed((feed) => feed.close());
  }

  /** @throws HeraldError `misused` where the hub's URL is not known. */
  get #hub(): StreamSettings {
    if (this.#settings.url !== '') return this.#settings;
    throw new HeraldError('misused', 'There is no page to take the hub from: give its absolute URL (`url`).');
  }

  #selectors(match: Match): Selector[] {
    const { urlPattern = (globalThis as { URLPattern?: UrlPatternConstructor }).URLPattern } = this.#options;
    return toSelectors(match, this.#hub.url, urlPattern);
  }

  #feed(name: string): Feed {
    const existing = this.#feeds.get(name);
    if (existing) return existing;
    // Only now: a server that renders makes clients that never connect.
    this.#stopFollowing ??= followPage((act) => {
      if (act === 'suspend') this.#memory?.save();
      this.#eachFeed((feed) => feed[act]());
    });
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
    const options = this.#options;
    const connect = (own: SourceListener, start?: Start): Source => this.#connect(own, start);
    if (options.share === 'none' || typeof document === 'undefined') return connect(listener);
    try {
      // `catch-up.js` is loaded now: a tab that takes over may have to catch up at a time when nothing can be loaded.
      const [{ openShared }] = await Promise.all([import('./share/open-shared.js'), import('./catch-up.js')]);
      return await openShared({ options, settings: this.#settings, connect }, listener);
    } catch (cause) {
      this.#emit('error', new HeraldError('misused', 'Sharing failed.', { cause }));
      return connect(listener);
    }
  }

  #connect(listener: SourceListener, start?: Start): Connection {
    return new Connection({ ...this.#options, settings: this.#settings, start }, listener);
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
