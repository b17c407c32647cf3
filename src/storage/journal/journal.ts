import type { Update } from './update.js';

/** An update with its place in the log. */
export interface Entry {
  /** 1 for the first update ever, and one more for each that follows, without gaps. */
  readonly position: number;
  readonly update: Update;
}

/** The place of an entry that can't be read any more: the disk, or another program, has changed it. */
export interface DamagedEntry {
  readonly position: number;
  readonly update?: undefined;
}

/** What reading the log gives for a position. */
export type ReadEntry = Entry | DamagedEntry;

/** Tells entries, of whatever kind, from the places of damaged ones. */
export function isWhole<T extends Entry>(entry: T | DamagedEntry): entry is T {
  return entry.update !== undefined;
}

export interface AppendOptions {
  /** Appending with a key that a held entry already has stores nothing. */
  readonly idempotencyKey?: string;
  /** Tells whether the same key came with the same content. */
  readonly fingerprint?: string;
}

/** What became of an append. */
export type Appended =
  | { readonly outcome: 'stored'; readonly position: number; readonly id: string }
  /** An entry with this idempotency key is held already: this is its id. */
  | { readonly outcome: 'repeated'; readonly id: string }
  /** An entry with this idempotency key is held already, and says something else. */
  | { readonly outcome: 'conflict' };

/** What an engine keeps: whichever limit is reached first. */
export interface Retention {
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly age: number;
}

export type TailListener = (entries: readonly Entry[]) => void;

/** The engine has lost what came after `position`: other entries take those positions. */
export type ResetListener = (position: number) => void;

/**
 * An append-only, trimmed log of updates whose positions grow by one. The order is the same for everybody who reads.
 */
export abstract class Journal {
  /** The position of the newest entry that is known here; 0 while nothing was ever appended. */
  abstract readonly head: number;

  /** The position of the oldest entry that is still held; `head + 1` when none is. */
  abstract readonly oldest: number;

  /** The id of the newest entry that is held and not damaged, if there is one. */
  abstract readonly lastId: string | undefined;

  /** Random bytes that belong to this log, are stored with it, and are told to nobody: see `Cursors`. */
  abstract readonly secret: Buffer;

  abstract readonly retention: Retention;

  /** Whether an append can be expected to work now. */
  get isAvailable(): boolean {
    return true;
  }

  /**
   * Resolves once the update is as durable as the engine promises. Appends of one caller are stored in the order of
   * the calls.
   * @throws {JournalUnavailableError} when the engine is away, or full ({@link JournalFullError}). The update was not
   * accepted then, or the message says that this is not known.
   */
  abstract append(update: Update, options?: AppendOptions): Promise<Appended>;

  /**
   * The entries right after `after`, in order, at most `limit` of them; fewer, but at least one, when they are large.
   * Where those have been trimmed, the first one is the oldest that is held: compare its position. A damaged entry is
   * given by its place, and logged once; it never keeps those around it from being read.
   */
  abstract read(after: number, limit: number): Promise<readonly ReadEntry[]>;

  /**
   * The position of the earliest held entry with this id (R68), in constant time, also when the entry itself is damaged.
   * `oldest` is up to date then.
   */
  abstract locate(eventId: string): Promise<number | undefined>;

  /**
   * Calls `listener` with everything that is appended after `from`, by anyone, in order and without gaps, other than of
   * what is damaged, or was trimmed before it came here: there are none within one call, and between two of them positions
   * tell. What a listener throws is logged, and changes nothing for
   * anybody else.
   * @param onReset called when the engine has lost entries that were given out; the next ones follow that position.
   * @returns a function that stops it.
   */
  abstract tail(from: number, listener: TailListener, onReset?: ResetListener): () => void;

  /** Lets go of whatever the engine holds. */
  abstract close(): Promise<void>;
}

/** The engine can't be reached or can't store. Trying again later may help. */
export class JournalUnavailableError extends Error {
  override readonly name: string = 'JournalUnavailableError';
  readonly code: 'journal-unavailable' | 'journal-full' = 'journal-unavailable';
}

/** There is no room to store it. Nothing was stored, and nothing will be until somebody makes room. */
export class JournalFullError extends JournalUnavailableError {
  override readonly name = 'JournalFullError';
  override readonly code = 'journal-full';
}

/** The journal can't be opened. The message is for the operator, and says what to do. */
export class JournalOpenError extends Error {
  override readonly name = 'JournalOpenError';
}
