/** Somebody who is subscribed: for as long as a connection lasts, and the one that follows it. */
export interface Lease {
  /** In the order of coming, over all processes. */
  readonly serial: number;
  /** Names the subscriber. Made at random with the lease. */
  readonly subscriber: string;
  /** What the hub has to say of it, as text that is kept as it is. */
  readonly details: string;
}

/** A connection has come: to take up a lease that nobody has at the moment, or to get a new one. */
export interface Arrival {
  readonly kind: 'enter';
  /** What this process calls the connection. */
  readonly ref: number;
  /** By what a connection that follows is recognised: without line ends. */
  readonly key: string;
  readonly details: string;
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
  /** Whether the lease began with it. */
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
}

export interface LivingProcess extends ProcessReport {
  readonly id: string;
  readonly isThis: boolean;
}

/** What the names of revoked tokens have as their limit: milliseconds since the epoch, or `Infinity`. */
export type Revoked = readonly [name: string, limit: number];

/**
 * What the processes of one hub know in common beside the log: who is subscribed, which tokens no longer count, and which
 * processes there are. Leases are a process's own for as long as it gives signs of life; those of one that has died are
 * free for others to take up, and over when nobody has.
 *
 * Every method throws a {@link JournalUnavailableError} while the state can't be reached; what was asked for may have
 * been done then, and may be asked for again.
 */
export abstract class SharedState {
  /** Made at random when this process started. */
  abstract readonly processId: string;

  /**
   * Applies the changes in order, at once. Answers with the leases of those who have come; or with nothing, and without
   * having done anything, where this process is not known (any more). After an error the same changes must be given
   * again before others are; then they are applied once.
   */
  abstract change(changes: readonly (Arrival | Departure)[]): Promise<readonly Entered[] | undefined>;

  /**
   * A sign of life. Answers with leases that are over: they are not listed any more, and whoever got them has to
   * {@link forget} them once that is told; otherwise somebody gets them again.
   * @param held how many connections this process has told of. Where the state knows of other ones, or does not know the
   * process any more, the answer is nothing: {@link release}, call this with 0, and begin anew.
   */
  abstract renew(held: number): Promise<readonly Lease[] | undefined>;

  /** At most what one {@link renew} gives. */
  static readonly LARGEST_END = 256;

  abstract forget(subscribers: readonly string[]): Promise<void>;

  /** Lets go of what this process holds. Answers with leases that are over by that, of which nothing is kept. */
  abstract release(): Promise<readonly Lease[]>;

  /** Leases with a number above `after`, in their order. */
  abstract list(after: number): AsyncIterable<Lease>;

  abstract find(subscriber: string): Promise<Lease | undefined>;

  /** Stores that tokens with this name don't count until `limit`, if no later limit is stored already. */
  abstract revoke(...revoked: readonly Revoked[]): Promise<void>;

  /**
   * What has been revoked since the last call, by any process; all that is held, at the first call.
   * @param known what this process knows: where the state has lost it, it gets it back.
   */
  abstract revocations(known: Iterable<Revoked>): Promise<readonly Revoked[]>;

  /** Tells the others of this process, and answers with all that have done so lately. */
  abstract processes(report: ProcessReport): Promise<readonly LivingProcess[]>;

  /** Lets go of whatever the engine holds. */
  abstract close(): Promise<void>;
}
