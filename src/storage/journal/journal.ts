import { HttpException } from '@nestjs/common';
import { problem } from '../../shared/http/problem.js';
import type { PresenceRecord } from './presence-record.js';
import type { TopicLookup } from './topics/topic-lookup.js';
import type { Update } from './update.js';

/** An update with its place in the log. */
export interface Entry {
  /** 1 for the first one ever. Positions only grow; not every position has an entry. */
  readonly position: number;
  readonly update: Update;
  /** Wall clock of whoever stored it, in milliseconds; undefined where the engine does not know. */
  readonly storedAt?: number | undefined;
}

/** A stream's coming or going with its place in the log: the position of the last of its events. */
export interface PresenceEntry {
  readonly position: number;
  readonly record: PresenceRecord;
}

/** The place of an entry that can't be read any more: the disk, or another program, has changed it. */
export interface DamagedEntry {
  readonly position: number;
  readonly update?: undefined;
}

export type StoredEntry = Entry | PresenceEntry;

/** What reading the log gives for a position. */
export type ReadEntry = StoredEntry | DamagedEntry;

/** What one read of the log gives, and what the log held at that moment. */
export interface Reading {
  /** In order. */
  readonly entries: readonly ReadEntry[];
  /** No other entry is held up to this position: the last entry's when there may be more, else the log's head. */
  readonly upTo: number;
  /** See {@link Journal.oldest}. */
  readonly oldest: number;
  /** See {@link Journal.oldestPresence}. */
  readonly oldestPresence: number;
}

/** Tells entries, of whatever kind, from the places of damaged ones. */
export function isWhole<T extends Entry>(entry: T | DamagedEntry): entry is T {
  return entry.update !== undefined;
}

/** Tells comings and goings from updates and from the places of damaged entries. */
export function isPresence(entry: ReadEntry): entry is PresenceEntry {
  return 'record' in entry;
}

/** The first position that an entry takes. */
export function firstPositionOf(entry: ReadEntry): number {
  return isPresence(entry) ? entry.position - entry.record.events + 1 : entry.position;
}

export interface AppendOptions {
  /** Appending with a key that a held entry already has stores nothing. */
  readonly idempotencyKey?: string;
  /**
   * Identifies the content, so that a key that comes again with other content is recognised. It may be made only when it is
   * asked for, so ask for it by its name: a copy of the options need not have it.
   */
  readonly fingerprint?: string;
}

/** What became of an append. */
export type Appended =
  | { readonly outcome: 'stored'; readonly position: number; readonly id: string }
  /** An entry with this idempotency key is held already: this is its id. */
  | { readonly outcome: 'repeated'; readonly id: string }
  /** An entry with this idempotency key is held already, and has another fingerprint. */
  | { readonly outcome: 'conflict' };

/**
 * How many updates an engine keeps, or how many comings and goings: the oldest are trimmed as soon as any of these
 * limits is exceeded.
 */
export interface Retention {
  readonly events: number;
  readonly bytes: number;
  /** Milliseconds. */
  readonly age: number;
}

/** What an engine holds. Undefined is not known. */
export interface JournalUsage {
  /** How many updates. */
  readonly updates?: number;
  /** Their bytes, counted as {@link Retention} counts them. */
  readonly bytes?: number;
  /** Bytes that its files take, including pages that trimming has freed and that are not used again yet. */
  readonly fileBytes?: number;
  /** Bytes of memory that the index by topic takes. */
  readonly indexBytes?: number;
}

export type TailListener = (entries: readonly ReadEntry[]) => void;

/** Called with positions whose updates have been removed; with undefined when these may be any, and not only more of them. */
export type RemovalListener = (positions: readonly number[] | undefined) => void;

/** Called when the engine has lost the entries after `position`: other entries take their positions. */
export type ResetListener = (position: number) => void;

/** The engine can't be reached, has no room, or refuses to write for another reason, which the log has. */
export type Obstacle = 'away' | 'full' | 'refusing';

/**
 * An append-only, trimmed log. Updates, and comings and goings, lie in two stores that are trimmed apart, so that a crowd
 * that comes and goes evicts no update. Both take their positions from one counter, and the order is the same for
 * everybody who reads. Where something was trimmed, the positions have a hole, which means nothing by itself: `oldest` and
 * `oldestPresence` say what is missing.
 */
export abstract class Journal {
  /** The position of the newest entry that this process knows of; 0 while nothing was ever appended. */
  abstract readonly head: number;

  /** Every update from this position on is held: the position after that of the newest trimmed update, at first 1. */
  abstract readonly oldest: number;

  /** The same for comings and goings. */
  abstract readonly oldestPresence: number;

  /** The id of the newest event that is held and not damaged, if there is one. */
  abstract readonly lastId: string | undefined;

  /** The secret of this log, which is kept with the log and never disclosed: `Cursors` seals cursors with it. */
  abstract readonly secret: Buffer;

  abstract readonly retention: Retention;

  /** What metrics call the engine, in one word. */
  readonly kind: string = 'custom';

  /** What the engine holds, as far as it can tell without asking anybody. */
  get usage(): JournalUsage {
    return {};
  }

  /** Why an append can't be expected to work now, where something is known to be in its way. */
  get obstacle(): Obstacle | undefined {
    return undefined;
  }

  /** Whether an append can be expected to work now. */
  get isAvailable(): boolean {
    return this.obstacle === undefined;
  }

  /**
   * Resolves once the update is as durable as the engine promises; an engine that has it by then answers at once. Appends
   * of one caller are stored in the order of the calls.
   * @throws {JournalUnavailableError} when the engine is away, or full ({@link JournalFullError}). The update was not
   * stored then, unless the message says otherwise.
   */
  abstract append(update: Update, options?: AppendOptions): Appended | Promise<Appended>;

  /**
   * The same for a coming or going, which is kept apart from the updates. The answer has the position and the id of its
   * last event.
   */
  abstract appendPresence(record: PresenceRecord, options?: { readonly idempotencyKey?: string }): Promise<Appended>;

  /**
   * The entries after position `after`, updates and presence in the order of their positions, at most `limit` of them;
   * fewer, but at least one, when they are large. A coming or going is given whole where at least one of its events comes
   * after `after`. Updates after `after` are missing where `oldest` of the result lies beyond the next position, and
   * nowhere else. A damaged entry is given as a {@link DamagedEntry}, and logged once; the entries around it can still
   * be read.
   */
  abstract read(after: number, limit: number): Promise<Reading>;

  /** Finds updates by topic. Undefined while that is not possible, and the log has to be read through instead. */
  abstract readonly topics: TopicLookup | undefined;

  /**
   * The updates at these positions, which are in order: all of them, or the first ones where they are large, but at least
   * one. `upTo` of the result is the last position that was looked at. What is not held is left out, and a damaged one is
   * given as a {@link DamagedEntry}.
   */
  abstract readAt(positions: readonly number[]): Promise<Reading>;

  /**
   * The position of the earliest held update with this id (R68), in constant time, also when the entry itself is damaged;
   * undefined when there is none. {@link oldest} is up to date after this call.
   */
  abstract locate(eventId: string): Promise<number | undefined>;

  /**
   * Calls `listener` with all entries that anybody appends after position `from`, in order, with damaged ones in their
   * places. Entries are missing only where they were trimmed before they arrived here; `oldest` and `oldestPresence` tell
   * then. Whatever a listener throws is logged, and affects nobody else.
   * @param onReset called when the engine has lost entries that were given out; the next ones follow that position.
   * @returns a function that stops the calls.
   */
  abstract tail(from: number, listener: TailListener, onReset?: ResetListener): () => void;

  /**
   * Takes updates out of the log for good, with their ids, idempotency keys and topics. Their positions stay empty, and
   * {@link oldest} stays where it is, so readers pass them without a word. A position that has no update, or a damaged
   * one, is no mistake. Resolves once this is as durable as an append, and every process that follows the log has been
   * told.
   * @throws {JournalUnavailableError} when the engine is away: it is not known then whether they were taken out.
   */
  abstract remove(positions: readonly number[]): Promise<void>;

  /**
   * Calls `listener` with positions that anybody has had removed, before {@link remove} resolves: whoever remembers what
   * was there lets go of it. Positions may come again. Undefined means that the engine can't say which updates were
   * removed, or that removed ones are there again after a loss: then everything that is remembered is to be read again.
   * What a read gives that resolves after the call has nothing of what was removed.
   * @returns a function that stops the calls.
   */
  abstract onRemoved(listener: RemovalListener): () => void;

  /** Lets go of whatever the engine holds. */
  abstract close(): Promise<void>;
}

/** How it is answered over HTTP, where nobody says otherwise. */
const STATUS = { 'journal-unavailable': 503, 'journal-full': 507 } as const;

/**
 * The engine can't be reached or can't store. Trying again later may help. It is an `HttpException`, whose response is the
 * problem document, so that an application's own filters answer it with the right status.
 */
export class JournalUnavailableError extends HttpException {
  override readonly name: string = 'JournalUnavailableError';
  readonly code: keyof typeof STATUS;

  /** @param message is told to callers: it says what to do, and nothing that they may not know. The cause is not told. */
  constructor(message: string, options: ErrorOptions & { readonly code?: keyof typeof STATUS } = {}) {
    const { code = 'journal-unavailable', cause } = options;
    super({ ...problem(STATUS[code], { code, detail: message }) }, STATUS[code], { cause });
    this.message = message;
    this.code = code;
    // Nest's class has no message yet when the stack is taken.
    Error.captureStackTrace(this);
  }
}

/** There is no room for the update. It was not stored, and no other will be until somebody makes room. */
export class JournalFullError extends JournalUnavailableError {
  override readonly name = 'JournalFullError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, { ...options, code: 'journal-full' });
  }
}

/** The journal can't be opened. The message is for the operator, and says what to do. */
export class JournalOpenError extends Error {
  override readonly name = 'JournalOpenError';
}
