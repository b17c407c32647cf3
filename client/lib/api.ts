import type { BackoffOptions } from './backoff.js';
import type { BatchAnswer, BatchOptions, BatchUpdate } from './batch.js';
import type { HeraldError } from './errors.js';
import type { HistoryOptions, HistoryPage, PastMessage } from './history.js';
import type { IterateOptions } from './iterate.js';
import type { Match, UrlPatternConstructor } from './matcher.js';
import type { Message } from './message.js';
import type { ListOptions, PresenceHandler, PresenceOptions, Subscriber } from './presence.js';
import type { PublishOptions } from './publisher.js';
import type { Resume } from './resume.js';
import type { Transport } from './stream.js';
import type { TokenProvider } from './token.js';
import type { ConnectionState, Notice } from './wire.js';

/** How tabs share one connection: `locks` and `worker` allow that way only, `auto` takes the one that is available. */
export type Sharing = 'auto' | 'locks' | 'worker' | 'none';

export interface HeraldClientOptions {
  /**
   * The hub: absolute, or relative to the page. Default: the one that the library was loaded from, or else the
   * page's own `/.well-known/mercure`.
   */
  readonly url?: string | URL;
  /** The bearer token, or who is asked for one when it is needed. Default: none is sent. */
  readonly token?: TokenProvider | string;
  /** Whether cookies are sent, for a hub that identifies its readers by a cookie. Default false. */
  readonly cookies?: boolean;
  /** Whether the tabs of this browser share one connection. Default `auto`. */
  readonly share?: Sharing;
  /**
   * Identifies the reader: only tabs with the same subject, whose tokens grant the same, share a connection. Default:
   * the token's `sub`, or one common subject where there is neither token nor cookie. Where it is unknown, nothing is
   * shared.
   */
  readonly subject?: string;
  /** Herald's worker file, for `share` without Web Locks. Default `../herald/worker.js`, relative to the hub. */
  readonly workerUrl?: string | URL;
  /** Continues after a page reload where the page had stopped: see `herald-hub-client/resume`. Default: begins anew. */
  readonly resume?: Resume;
  readonly backoff?: BackoffOptions;
  /** Heartbeat intervals of silence after which a stream counts as dead. Default 2.5. */
  readonly grace?: number;
  /** Milliseconds that a connection outlives its last subscriber. Default 2 000. */
  readonly closeDelay?: number;
  /** Another way to read streams: see `herald-hub-client/eventsource`. Default: `fetch`. */
  readonly transport?: Transport;
  /** A `URLPattern` for platforms that have none, where each pattern otherwise needs a connection of its own. */
  readonly urlPattern?: UrlPatternConstructor;
  /** Whether it says on the browser's console what it does and why. Default false. */
  readonly debug?: boolean;
  /** Replaced in tests, and where requests must take a special way. */
  readonly fetch?: typeof fetch;
}

/**
 * `pending`: it waits for a stream, or fetches what it has missed. `live`: everything that is published from now on is
 * delivered. `refused`: the hub will not have it. `ended`: it was stopped.
 */
export type SubscriptionState = 'pending' | 'live' | 'refused' | 'ended';

/** A schema by which data is checked, of any library that follows Standard Schema 1 (https://standardschema.dev). */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: the value as it is to be used, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** What `subscribe` returns: called, it ends the subscription. */
export interface SubscriptionHandle {
  (): void;
  readonly state: SubscriptionState;
  /** Why the hub has refused it, or one of its topics. */
  readonly error: HeraldError | undefined;
}

export interface SubscribeOptions<Data = unknown> {
  /** Begin after this id, or with the oldest update that the hub holds (`earliest`). Default: only new updates. */
  readonly since?: string;
  /** Begin with this many of the hub's newest updates, at most 1 000. Ignored where `since` or `resume` applies. */
  readonly last?: number;
  /**
   * Called when everything published from now on will be delivered: fetch the state that the messages build upon.
   * Called again after an interruption that had to be caught up with; after a gap only `onGap` is called.
   */
  readonly onLive?: () => unknown;
  /** Called when messages are missing for good: fetch the whole state anew. */
  readonly onGap?: (notice: Notice) => unknown;
  /** Called when the subscription's state has changed; with the reason, if the hub has refused something. */
  readonly onState?: (state: SubscriptionState, error: HeraldError | undefined) => unknown;
  /** Ends the subscription when it is aborted. */
  readonly signal?: AbortSignal;
  /** Only messages of this type, or of one of these, come to the handler. */
  readonly type?: string | readonly string[];
  /** Checks each message's data, which then has the schema's type. It must not be asynchronous. */
  readonly parse?: StandardSchema<Data>;
  /** `latest` begins with the newest update of each topic. Ignored where `since` or `resume` applies. */
  readonly begin?: 'latest';
  /**
   * How many times a second messages come at most, each time the newest of each topic: for a page that shows a state, and
   * not every step to it. From 0.1 to 20; it takes a stream of its own.
   */
  readonly maxRate?: number;
}

/** Who is subscribed: see `HeraldClient.presence`. */
export interface Presence {
  /**
   * Who is subscribed now.
   * @throws HeraldError `not-supported` where the hub does not tell; `unauthorized` or `refused` where it does not tell
   *   this token.
   */
  list(options?: ListOptions): Promise<readonly Subscriber[]>;
  /**
   * Calls `handler` with the whole list, first when it is known, and then whenever somebody comes or goes. After a gap it
   * is asked for anew. Returns a function that ends it.
   */
  subscribe(handler: PresenceHandler, options?: PresenceOptions): () => void;
}

/** The events of a client. */
export interface HeraldEvents {
  state: ConnectionState;
  /** Also errors from which the client recovers by itself: see the error's `code`. */
  error: HeraldError;
  /** What the hub says about the stream. */
  notice: Notice;
}

/** The type of a topic's payload, if the application has declared it. */
export type PayloadOf<Topics, Topic extends string> = Topic extends keyof Topics ? Topics[Topic] : unknown;

/** A topic that the application has listed, or any other one. */
export type TopicOf<Topics> = (keyof Topics & string) | (string & Record<never, never>);

/** See `createHeraldClient`. */
export interface HeraldClient<Topics = Record<string, unknown>> {
  readonly state: ConnectionState;
  /**
   * Calls `handler` with each message, in order and once. Returns a function that ends the subscription, and tells of
   * its state.
   * @throws TypeError for an invalid pattern; HeraldError `misused` after `dispose()`.
   */
  subscribe<Topic extends TopicOf<Topics>, Data = PayloadOf<Topics, Topic>>(
    match: Match<Topic>,
    handler: (message: Message<Data>) => unknown,
    options?: SubscribeOptions<Data>,
  ): SubscriptionHandle;
  /** The messages as an async iterator with a bounded buffer. */
  iterate<Topic extends TopicOf<Topics>>(
    match: Match<Topic>,
    options?: SubscribeOptions & IterateOptions,
  ): AsyncGenerator<Message<PayloadOf<Topics, Topic>>, void, undefined>;
  /** Publishes `data` to one topic or several, the first of which is canonical. Returns the update's id. */
  publish(
    topic: string | readonly string[],
    data: string,
    options: PublishOptions & { readonly as: 'text' },
  ): Promise<string>;
  publish<Topic extends TopicOf<Topics>>(
    topic: Topic | readonly Topic[],
    data: PayloadOf<Topics, Topic>,
    options?: PublishOptions & { readonly as?: 'json' },
  ): Promise<string>;
  /** Publishes many updates in order, and resolves with an answer for each: one that is refused stops no other. */
  publishBatch(
    updates: Iterable<BatchUpdate> | AsyncIterable<BatchUpdate>,
    options?: BatchOptions,
  ): Promise<BatchAnswer[]>;
  /** What the hub holds, the newest first unless told otherwise; its pages are asked for as the loop needs them. */
  history<Topic extends TopicOf<Topics>>(
    match: Match<Topic>,
    options?: HistoryOptions,
  ): AsyncGenerator<PastMessage<PayloadOf<Topics, Topic>>, void, undefined>;
  /** One page of what the hub holds, and where the next one begins. */
  historyPage<Topic extends TopicOf<Topics>>(
    match: Match<Topic>,
    options?: HistoryOptions,
  ): Promise<HistoryPage<PayloadOf<Topics, Topic>>>;
  /** Who is subscribed to just this topic or pattern; with `*`, who is subscribed to anything. */
  presence(match: Match): Presence;
  on<Name extends keyof HeraldEvents>(name: Name, listener: (event: HeraldEvents[Name]) => unknown): () => void;
  /** Tries to connect at once, also in the state `failed`. */
  reconnect(): void;
  /**
   * Reads and publishes with other tokens from now on, such as those of another person. All streams end at once, and
   * subscriptions go on from where they are, also in the state `failed`.
   * @throws HeraldError `misused` after `dispose()`.
   */
  setToken(token: TokenProvider | string | undefined): void;
  /** Closes all connections. The client can't be used any more. */
  dispose(): void;
}
