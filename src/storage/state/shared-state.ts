/** A subscriber's place among the subscribed. It lasts as long as a connection and the one that takes it up. */
export interface Lease {
  /** The lease's number in the order of arrival, over all processes. */
  readonly serial: number;
  /** Names the subscriber. Made at random with the lease. */
  readonly subscriber: string;
  /** What the hub has to say of the subscriber, as text that is kept as it is. */
  readonly details: string;
}

/** A connection has come: to take up a lease that nobody has at the moment, or to get a new one. */
export interface Arrival {
  readonly kind: 'enter';
  /** What this process calls the connection. */
  readonly ref: number;
  /** The same for connections that may take up each other's leases. It has no line ends. */
  readonly key: string;
  readonly details: string;
  /** What the lease is found by in {@link SharedState.list}: a key for each matcher, of any text. */
  readonly matchers: readonly string[];
  /** Whether it may take up a lease with the same key. */
  readonly isResuming: boolean;
}

/** The connection is gone. Somebody may take up its lease for as long as the grace period. */
export interface Departure {
  readonly kind: 'leave';
  readonly ref: number;
}

export interface Entered {
  readonly lease: Lease;
  /** Whether the lease is new, and was not taken up. */
  readonly isNew: boolean;
}

/** What a process tells of itself. */
export interface ProcessReport {
  readonly host: string;
  readonly version: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Open streams. */
  readonly connections: number;
  /** The format of the log that the process reads. Builds before there were two do not say it. */
  readonly format?: number | undefined;
}

export interface LivingProcess extends ProcessReport {
  readonly id: string;
  readonly isThis: boolean;
}

/**
 * Tokens that the name means (see `nameOf`) and that were issued before the limit don't count. Milliseconds since the
 * epoch, or `Infinity`.
 */
export type Revoked = readonly [name: string, limit: number];

/**
 * What the processes of one hub know in common beside the log: who is subscribed, which tokens no longer count, and
 * which processes there are. A process holds its leases for as long as it gives signs of life. The leases of a process
 * that has died can be taken up at others, and are over when nobody does so in time.
 *
 * Every method throws a {@link JournalUnavailableError} while the state can't be reached. The call may have taken
 * effect then, and may be repeated.
 */
export abstract class SharedState {
  /** Made at random when this process started. */
  abstract readonly processId: string;

  /**
   * Applies the changes in order, as a whole. Resolves with the leases of the arrivals; or with undefined, and without
   * any effect, when the state does not know this process (any more). After an error the same changes must be given
   * again before others are; they are applied only once.
   */
  abstract change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[] | undefined>;

  /**
   * Gives a sign of life. Resolves with leases that are over: they are not listed any more, and the caller has to
   * {@link forget} them once it has told that they are over; otherwise a process gets them again. There may be more until
   * an answer is empty.
   * @param held how many connections this process has told of. If the state has another number, or does not know the
   * process any more, the result is undefined: then call {@link release}, call this method with 0, and begin anew.
   */
  abstract renew(held: number): Promise<readonly Lease[] | undefined>;

  /** At most what one {@link renew} gives. */
  static readonly LARGEST_END = 256;

  abstract forget(subscribers: readonly string[]): Promise<void>;

  /** Releases all leases of this process. Resolves with those that are over at once, of which nothing is kept. */
  abstract release(): Promise<readonly Lease[]>;

  /**
   * The same at the end of the process, after which no other method but {@link close} is called. An engine that outlives the
   * process may keep the leases for the next one, where they can be taken up.
   */
  handOver(): Promise<readonly Lease[]> {
    return this.release();
  }

  /**
   * Leases with a number above `after`, in their order: all, or those that have at least one of the matchers. They come
   * from an index, so that each costs the same, however many others there are.
   * @param matchers keys as in {@link Arrival}. An engine may know them by digests of which two could be the same, so
   * what counts is what a lease says itself.
   */
  abstract list(after: number, matchers?: readonly string[]): AsyncIterable<Lease>;

  abstract find(subscriber: string): Promise<Lease | undefined>;

  /** Stores that tokens with this name that were issued before `limit` don't count, unless a later limit is stored. */
  abstract revoke(...revoked: readonly Revoked[]): Promise<void>;

  /** Lets go of revocations of which no token can be meant any more. */
  abstract forgetRevoked(names: readonly string[]): Promise<void>;

  /**
   * What has been revoked since the last call, by any process; at the first call, all revocations that are held.
   * @param known the revocations that this process knows, which are given back to a state that has lost some.
   */
  abstract revocations(known: Iterable<Revoked>): Promise<readonly Revoked[]>;

  /**
   * Stores the report of this process for the others. Resolves with those of all processes that have reported lately.
   */
  abstract processes(report: ProcessReport): Promise<readonly LivingProcess[]>;

  /** Lets go of whatever the engine holds. */
  abstract close(): Promise<void>;
}
