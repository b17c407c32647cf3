import type { BackoffOptions } from './backoff.js';
import type { HeraldError } from './errors.js';
import type { IterateOptions } from './iterate.js';
import type { Match, UrlPatternConstructor } from './matcher.js';
import type { Message } from './message.js';
import type { PublishOptions } from './publisher.js';
import type { Resume } from './resume.js';
import type { Transport } from './stream.js';
import type { TokenProvider } from './token.js';
import type { ConnectionState, Notice } from './wire.js';

/** How tabs share one connection. `locks` and `worker` insist on a way, `auto` takes the one that there is. */
export type Sharing = 'auto' | 'locks' | 'worker' | 'none';

export interface HeraldClientOptions {
  /** The hub: absolute, or relative to the page. Default `/.well-known/mercure`. */
  readonly url?: string | URL;
  /** Asked for a bearer token before each attempt. Default: none is sent. */
  readonly token?: TokenProvider;
  /** Whether cookies are sent, as for a hub that knows its readers by them. Default false. */
  readonly cookies?: boolean;
  /** Whether the tabs of this browser share one connection. Default `auto`. */
  readonly share?: Sharing;
  /**
   * Who reads: only tabs with the same subject share. Default: the token's `sub`, or everybody where there is neither
   * token nor cookie. Without a subject nothing is shared.
   */
  readonly subject?: string;
  /** Herald's worker file, for `share` without Web Locks. Default `/herald/worker.js` on the hub's origin. */
  readonly workerUrl?: string | URL;
  /** Goes on after a reload where the page was: see `herald/client/resume`. Default: it begins anew. */
  readonly resume?: Resume;
  readonly backoff?: BackoffOptions;
  /** Heartbeats that may be late before a silent stream counts as dead. Default 2.5. */
  readonly grace?: number;
  /** Milliseconds that a connection outlives its last subscriber. Default 2 000. */
  readonly closeDelay?: number;
  /** Another way to read streams: see `herald/client/eventsource`. Default: `fetch`. */
  readonly transport?: Transport;
  /** For platforms without `URLPattern`, where each pattern takes a connection of its own otherwise. */
  readonly urlPattern?: UrlPatternConstructor;
  /** Replaced in tests, and where requests must take a special way. */
  readonly fetch?: typeof fetch;
}

export interface SubscribeOptions {
  /** Begin after this id, or with `earliest` that the hub holds. Default: what comes from now on. */
  readonly since?: string;
  /** Begin with this many of the newest that the hub holds, at most 1 000; not where `since` or `resume` says where. */
  readonly last?: number;
  /**
   * From now on everything that is published is delivered: fetch the state that it builds upon. Called again after an
   * interruption that had to be caught up with; after a gap there is `onGap` alone.
   */
  readonly onLive?: () => unknown;
  /** Messages are missing for good: fetch the whole state anew. */
  readonly onGap?: (notice: Notice) => unknown;
}

/** What a client tells. */
export interface HeraldEvents {
  state: ConnectionState;
  /** Also what the client mends by itself: see the error's `code`. */
  error: HeraldError;
  /** What the hub says of the stream. */
  notice: Notice;
}

/** The payload of a topic, where the application has said so. */
export type PayloadOf<Topics, Topic extends string> = Topic extends keyof Topics ? Topics[Topic] : unknown;

/** A topic that the application has listed, or any other one. */
export type TopicOf<Topics> = (keyof Topics & string) | (string & Record<never, never>);

/** See `createHeraldClient`. */
export interface HeraldClient<Topics = Record<string, unknown>> {
  readonly state: ConnectionState;
  /**
   * Calls `handler` with each message, in order and once. Answers a function that ends it.
   * @throws TypeError for a pattern that is none; HeraldError `misused` after `dispose()`.
   */
  subscribe<Topic extends TopicOf<Topics>>(
    match: Match<Topic>,
    handler: (message: Message<PayloadOf<Topics, Topic>>) => unknown,
    options?: SubscribeOptions,
  ): () => void;
  /** The same as an async iterator with a bounded buffer. */
  iterate<Topic extends TopicOf<Topics>>(
    match: Match<Topic>,
    options?: SubscribeOptions & IterateOptions,
  ): AsyncGenerator<Message<PayloadOf<Topics, Topic>>, void, undefined>;
  /** Publishes `data` as JSON to one topic or several, of which the first is canonical. Answers the update's id. */
  publish<Topic extends TopicOf<Topics>>(
    topic: Topic | readonly Topic[],
    data: PayloadOf<Topics, Topic>,
    options?: PublishOptions,
  ): Promise<string>;
  on<Name extends keyof HeraldEvents>(name: Name, listener: (event: HeraldEvents[Name]) => unknown): () => void;
  /** Tries now, also after `failed`. */
  reconnect(): void;
  /** Lets go of everything. The client is of no use any more. */
  dispose(): void;
}
