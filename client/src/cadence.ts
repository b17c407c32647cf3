/** What a break of the connection cost. `missed` is undefined as long as the interval of the stream is unknown. */
export interface Break {
  /** Milliseconds. */
  readonly away: number;
  /** About how many timestamps were missed, at least one. */
  readonly missed: number | undefined;
}

/** The interval is the median of this many periods, so that a single late tick does not change it. */
const PERIODS = 9;
/**
 * A tick that was due less than this part of the interval before the first event of the new connection may be that
 * event itself, so it is not counted as missed.
 */
const TOLERANCE = 0.1;

/** Learns the interval of the stream's timestamps, and from it what a break of the connection has cost. */
export class Cadence {
  /** Of this connection alone, because another server may have another interval. */
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
    // A computer that slept notices the loss only when it wakes: the timestamps show how long it was really away.
    return missed < 1 ? undefined : { away: Math.max(away, gap - interval), missed };
  }

  private learn(period: number): void {
    this.periods.push(Math.max(1, period));
    if (this.periods.length > PERIODS) this.periods.shift();
  }
}
