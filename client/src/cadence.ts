/** What a break of the connection cost. `missed` is unknown as long as the rhythm of the stream is. */
export interface Break {
  /** Milliseconds. */
  readonly away: number;
  /** About how many timestamps, and at least one. */
  readonly missed: number | undefined;
}

/** Periods that the interval is the median of, so that a single late tick does not count. */
const PERIODS = 9;
/** A tick this close (as a part of the interval) may yet have been the first that arrived: it is not counted as missed. */
const TOLERANCE = 0.1;

/** Learns the interval of the stream's timestamps, and from it what a break of the connection has cost. */
export class Cadence {
  /** Of this connection alone: another server may have another rhythm. */
  private periods: number[] = [];
  private intervalBefore: number | undefined;
  private last: number | undefined;
  /** Events of this connection. The first comes at once, outside the rhythm. */
  private events = 0;
  private away = 0;

  /** The connection is open, `away` milliseconds after it was lost. */
  opened(away: number): void {
    this.away = away;
    this.events = 0;
  }

  /** Takes the timestamp (in milliseconds) of the next event; returns what is missing before it, if anything is. */
  add(timestamp: number): Break | undefined {
    const gap = this.last === undefined ? 0 : timestamp - this.last;
    this.last = timestamp;
    this.events += 1;
    if (this.events > 2) this.learn(gap);
    if (this.events > 1) return undefined;
    const interval = this.interval ?? this.intervalBefore;
    this.intervalBefore = interval;
    this.periods = [];
    return this.breakOf(gap, interval);
  }

  /** Milliseconds between two timestamps of this connection, or `undefined` before there were enough of them. */
  get interval(): number | undefined {
    const sorted = this.periods.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)];
  }

  private breakOf(gap: number, interval: number | undefined): Break | undefined {
    const { away } = this;
    if (away === 0 || gap <= 0) return undefined;
    if (interval === undefined) return { away, missed: undefined };
    const missed = Math.floor(gap / interval - TOLERANCE);
    // A computer that slept notices the loss only when it wakes: the timestamps know better.
    return missed < 1 ? undefined : { away: Math.max(away, gap - interval), missed };
  }

  private learn(period: number): void {
    this.periods.push(Math.max(1, period));
    if (this.periods.length > PERIODS) this.periods.shift();
  }
}
