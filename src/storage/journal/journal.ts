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
  /** Identifies the content, so that a key that comes again with other content is recognised. */
  readonly fingerprint?: string;
}

/** What became of an append. */
export type Appended =
  | { readonly outcome: 'stored'; readonly position: number; readonly id: string }
  /** An entry with this idempotency key is held already: this is its id. */
  | { readonly outcome: 'repeated'; readonly id: string }
  /** An entry with this idempotency key is held already, and has another fingerprint. */
  | { readonly outcome: 'conflict' };

/** How much of the log an engine keeps: the oldest entries are trimmed as soon as any of these limits is exceeded. */
export interface Retention {
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly age: number;
}

export type TailListener = (entries: readonly Entry[]) => void;

/** Called when the engine has lost the entries after `position`: other entries take their positions. */
export type ResetListener = (position: number) => void;

/**
 * An append-only, trimmed log of updates whose positions grow by one. The order is the same for everybody who reads.
 */
export abstract class Journal {
  /** The position of the newest entry that this process knows of; 0 while nothing was ever appended. */
  abstract readonly head: number;

  /** The position of the oldest entry that is still held; `head + 1` when none is. */
  abstract readonly oldest: number;

  /** The id of the newest entry that is held and not damaged, if there is one. */
  abstract readonly lastId: string | undefined;

  /** The secret of this log, which is kept with the log and never disclosed: `Cursors` seals cursors with it. */
  abstract readonly secret: Buffer;

  abstract readonly retention: Retention;

  /** Whether an append can be expected to work now. */
  get isAvailable(): boolean {
    return true;
  }

  /**
   * Resolves once the update is as durable as the engine promises. Appends of one caller are stored in the order of the
   * calls.
   * @throws {JournalUnavailableError} when the engine is away, or full ({@link JournalFullError}). The update was not
   * stored then, unless the message says otherwise.
   */
  abstract append(update: Update, options?: AppendOptions): Promise<Appended>;

  /**
   * The entries after position `after`, in order, at most `limit` of them; fewer, but at least one, when they are
   * large. If the entries right after `after` have been trimmed, the result begins with the oldest that is held, which
   * callers recognise by its position. A damaged entry is given as a {@link DamagedEntry}, and logged once; the entries
   * around it can still be read.
   */
  abstract read(after: number, limit: number): Promise<readonly ReadEntry[]>;

  /**
   * The position of the earliest held entry with this id (R68), in constant time, also when the entry itself is
   * damaged; undefined when there is none. {@link oldest} is up to date after this call.
   */
  abstract locate(eventId: string): Promise<number | undefined>;

  /**
   * Calls `listener` with all entries that anybody appends after position `from`, in order. Entries are missing only
   * where they are damaged, or were trimmed before they arrived here: never within one call, and between two calls
   * their positions show the gap. Whatever a listener throws is logged, and affects nobody else.
   * @param onReset called when the engine has lost entries that were given out; the next ones follow that position.
   * @returns a function that stops the calls.
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

/** There is no room for the update. It was not stored, and no other will be until somebody makes room. */
export class JournalFullError extends JournalUnavailableError {
  override readonly name = 'JournalFullError';
  override readonly code = 'journal-full';
}

/** The journal can't be opened. The message is for the operator, and says what to do. */
export class JournalOpenError extends Error {
  override readonly name = 'JournalOpenError';
}
