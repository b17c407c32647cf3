import type { HeraldErrorCode } from './errors.js';
import type { ParserListener } from './event-parser.js';
import type { TokenProvider, TokenRequest } from './token.js';

/** How to reach the hub: the same for every stream of a client. */
export interface StreamSettings {
  /** Absolute. */
  readonly url: string;
  readonly token: TokenProvider | undefined;
  /** Whether cookies go along to another origin. */
  readonly cookies: boolean | undefined;
  /** How many heartbeats may be late. */
  readonly grace: number;
  readonly fetch: typeof fetch;
}

/** What one stream is to carry, and from where on. */
export interface StreamRequest {
  /** The query that asks for it, without the `?`. */
  readonly query: string;
  /** Whether it begins after an event that is known. Otherwise it begins now, and the hub says where that is. */
  readonly isResuming: boolean;
  readonly reason: TokenRequest['reason'];
}

/** What the hub said before the first event. */
export interface StreamHead {
  /** Where the stream begins; empty if the hub does not say. */
  readonly cursor: string;
  /** Whether a notice `caught-up` will end what comes from the history. */
  readonly isReplaying: boolean;
}

/** How a stream that nobody closed here came to its end. Without a code it was a clean one, such as a maximum age. */
export interface StreamEnd {
  readonly code?: HeraldErrorCode;
  readonly cause?: unknown;
  readonly status?: number;
  /** Milliseconds that the hub asked for. */
  readonly retryAfter?: number;
}

export interface StreamListener extends ParserListener {
  opened(head: StreamHead): void;
  /** Told once, and never after `close()`. */
  over(end: StreamEnd): void;
}

/** One attempt to read from the hub. It does not come back by itself. */
export interface Stream {
  close(): void;
  /** Looks whether it is still alive: the machine may just have woken up. */
  look(): void;
}

/** A way to read streams. One whose events do not name their topics gets a connection for each subscription. */
export type Transport = (settings: StreamSettings, request: StreamRequest, listener: StreamListener) => Stream;
