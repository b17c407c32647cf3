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
  /** Why a gap came about: `not-held`, `trimmed`, `damaged`, `presence`, `refused`, `overflow` or `too-large`. */
  readonly reason?: string;
  /** How many updates are missing, on whatever topics, where the hub knows. */
  readonly updates?: number;
}

/** The notice in `data`; undefined if it has not the form that this version knows. */
export function toNotice(data: string): Notice | undefined {
  try {
    const notice = JSON.parse(data) as Partial<Notice> | null;
    return typeof notice?.type === 'string' ? (notice as Notice) : undefined;
  } catch {
    return undefined;
  }
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

/** States by gravity. */
const GRAVITY: readonly ConnectionState[] = ['idle', 'closed', 'open', 'connecting', 'waiting', 'offline', 'failed'];

/** What several connections are together. */
export function gravestOf(states: readonly ConnectionState[]): ConnectionState {
  return GRAVITY[Math.max(...states.map((state) => GRAVITY.indexOf(state)))] ?? 'idle';
}

/** The name of the first stream. */
export const FIRST = '1';

/** Receives what a source of messages delivers. Each stream has a name, and what it delivers is in order. */
export interface SourceListener {
  message(message: WireMessage, stream: string): void;
  notice(notice: Notice, stream: string): void;
  /** From here on this stream delivers every message that one of these matches, whatever happens to connections. */
  covers(stream: string, matchers: ReadonlySet<Matcher>): void;
  /** Messages of this stream after this id may have been missed, and must be fetched. */
  missed(stream: string, lastEventId: string): void;
  /** The hub has refused this matcher for good. It is not asked for any more, and others go on. */
  refused(matcher: Matcher, error: HeraldError): void;
  state(state: ConnectionState): void;
  error(error: HeraldError): void;
}

/** How much of one kind of matcher one stream can carry. */
export interface Room {
  readonly count: number;
  readonly bytes: number;
}

/** Receives what one connection delivers. */
export interface ConnectionListener {
  message(message: WireMessage): void;
  notice(notice: Notice): void;
  /** From here on every message that one of these matches is delivered, whatever happens to streams. */
  covers(matchers: ReadonlySet<Matcher>): void;
  /** The hub has refused this matcher for good. It is not asked for any more, and the others go on. */
  refused(matcher: Matcher, error: HeraldError): void;
  /** The hub takes this matcher, but not on top of the others. It is not asked for any more. */
  full(matcher: Matcher, error: HeraldError): void;
  /**
   * One stream can't carry all of these; `limit` is what it can carry of one kind, where the hub says so. Returns whether
   * this has been seen to, so that less is wanted from now on, or nothing until somebody else has taken over.
   */
  crowded(asked: readonly Matcher[], limit?: Room): boolean;
  state(state: ConnectionState): void;
  error(error: HeraldError): void;
}

/** Where a stream begins. */
export interface Start {
  /** An id; empty for what comes from now on; `#20`, which is no id, for the newest 20; `#latest` for each topic's newest. */
  readonly cursor: string;
  /** The matchers that were covered by the stream that it takes over from. */
  readonly covered: ReadonlySet<Matcher>;
}

/** The matchers of one subscriber, which one stream brings together, because their messages keep one order. */
export type Bundle = readonly Matcher[];

/** Where messages come from: the streams of this page, or another tab that has them. */
export interface Source {
  /** The id after which the next message of this stream comes; empty before anything is known. */
  cursorOf(stream: string): string;
  /** Asks for exactly these matchers. With none, the connections are closed after a while. */
  want(bundles: readonly Bundle[]): void;
  /** Tries to connect now, unless the hub asked to wait, and checks whether open streams are still alive. */
  hurry(evenIfFailed?: boolean): void;
  /** The browser says that there is no network. */
  offline(): void;
  /** Closes everything until `resume()`, because the page is inactive. */
  suspend(): void;
  resume(): void;
  close(): void;
}
