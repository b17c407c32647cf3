import type { HeraldErrorCode } from './errors.js';
import type { ParserListener } from './event-parser.js';
import type { Refusal } from './refusal.js';
import type { TokenRequest } from './token.js';

/** How to reach the hub: the same for every stream of a client. */
export interface StreamSettings {
  /** Absolute. */
  readonly url: string;
  /** Gives the token for a request; undefined where none is sent. It may change, so it is read for each request. */
  readonly token: ((request: TokenRequest) => Promise<string | undefined>) | undefined;
  /** Whether cookies are sent. */
  readonly cookies: boolean | undefined;
  /** Heartbeat intervals of silence after which a stream counts as dead. */
  readonly grace: number;
  readonly fetch: typeof fetch;
  /** What works on the way to the hub, as far as it is known. */
  readonly ways: Ways;
  /** Says what the client does and why, for developers. */
  readonly debug: (what: string) => void;
}

export interface Ways {
  /** Whether long queries can be sent as the body of a `QUERY` request (RFC 10008). */
  canQuery: boolean;
}

/** What one stream is to carry, and from where on. */
export interface StreamRequest {
  /** The query that asks for it, without the `?`. */
  readonly query: string;
  /** Whether the stream begins after a known id. Otherwise it begins now, and the hub says where that is. */
  readonly isResuming: boolean;
  readonly reason: TokenRequest['reason'];
}

/** How it was asked for over `fetch`. */
export interface Attempt extends StreamRequest {
  /** Whether the query goes as the body of a `QUERY` request. */
  readonly isQuery: boolean;
  readonly token: string | undefined;
  /** Milliseconds since the epoch. */
  readonly askedAt: number;
}

/** What the hub said before the first event. */
export interface StreamHead {
  /** Where the stream begins; empty if the hub does not say. */
  readonly cursor: string;
  /** Whether a notice `caught-up` will end what comes from the history. */
  readonly isReplaying: boolean;
}

/** How a stream ended that was not closed here. Without a code the end was a clean one, such as at a maximum age. */
export interface StreamEnd {
  readonly code?: HeraldErrorCode;
  /** For people: what has happened, and what the hub says of it. */
  readonly message?: string;
  readonly cause?: unknown;
  readonly status?: number;
  readonly problem?: Refusal | undefined;
  /** Milliseconds that the hub asked for. */
  readonly retryAfter?: number;
  /** Whether the next attempt is made in another way, and so may be made at once. */
  readonly isCurable?: boolean;
  /** Whether it is of no use to come back. */
  readonly isFinal?: boolean;
}

export interface StreamListener extends ParserListener {
  opened(head: StreamHead): void;
  /** Called once, and never after `close()`. */
  over(end: StreamEnd): void;
}

/** One attempt to read from the hub. It does not come back by itself. */
export interface Stream {
  close(): void;
  /** Checks whether the stream is still alive, as when the machine has just woken up. */
  look(): void;
}

/**
 * A way to read streams. One whose events do not name their topics gets a connection for each subscription.
 * @internal What one is made of may change.
 */
export type Transport = (settings: StreamSettings, request: StreamRequest, listener: StreamListener) => Stream;
