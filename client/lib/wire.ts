import type { HeraldError } from './errors.js';
import type { Matcher } from './matcher.js';

/** A message as it came: plain strings, so that it goes from tab to tab as it is. */
export interface WireMessage {
  /** Undefined on hubs that give none. */
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
  /** Its topics, as far as the reader may know them; empty on hubs that do not name topics. */
  readonly topics: readonly string[];
  /** Whether it came from the hub's history. */
  readonly replayed: boolean;
}

/** What the hub says of the stream itself: an event named `herald`. */
export interface Notice {
  readonly type: string;
  /** Why a gap came about: `not-held`, `trimmed`, `damaged`, `presence`, `refused` or `overflow`. */
  readonly reason?: string;
  /** How many updates are missing, on whatever topics, where the hub knows. */
  readonly updates?: number;
}

/**
 * Whether messages are missing for good, or the hub has lost messages that it had delivered: in both cases the state
 * that was built upon them is wrong.
 */
export function isGap({ type }: Notice): boolean {
  return type === 'gap' || type === 'reset';
}

/**
 * `idle`: nobody has subscribed. `waiting`: for the next attempt. `offline`: the same, and the browser says that there
 * is no network. `failed` and `closed`: the client does not come back by itself any more.
 */
export type ConnectionState = 'idle' | 'connecting' | 'open' | 'waiting' | 'offline' | 'failed' | 'closed';

/** Receives what a source of messages delivers. */
export interface SourceListener {
  message(message: WireMessage): void;
  notice(notice: Notice): void;
  /** From here on every message that one of these matches is delivered, whatever happens to connections. */
  covers(matchers: ReadonlySet<string>): void;
  /** Messages after this id may have been missed, and must be fetched. */
  missed(lastEventId: string): void;
  state(state: ConnectionState): void;
  error(error: HeraldError): void;
}

/** Where a connection begins. */
export interface Start {
  /** An id; empty for what comes from now on; `#20`, which is no id, for the newest 20 updates. */
  readonly cursor: string;
  /** The matchers that were covered by the connection that it takes over from. */
  readonly covered: ReadonlySet<string>;
}

/** Where messages come from: a connection, or another tab that has one. */
export interface Source {
  /** The id after which the next message comes; empty before anything is known. */
  readonly cursor: string;
  /** Asks for exactly these matchers, each named once. With none, the connection is closed after a while. */
  want(matchers: readonly Matcher[]): void;
  /** Tries to connect now, whatever it is waiting for, and checks whether an open stream is still alive. */
  hurry(evenIfFailed?: boolean): void;
  /** Closes everything until `resume()`, because the page is inactive. */
  suspend(): void;
  resume(): void;
  close(): void;
}
