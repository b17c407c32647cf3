/** Samples that are used: enough to have caught a fast one, few enough to follow a clock that drifts. */
const WINDOW = 150;

/**
 * The server's time, from the timestamps in its events. The delay of an event is unknown but never negative, so the
 * smallest difference between arrival and timestamp is the best estimate of the distance between the clocks; whatever
 * exceeds it is delay. Arrivals are read from a clock that never jumps (`performance.now()`).
 */
export class ServerClock {
  private differences: number[] = [];
  private last: number | undefined;
  private newest: number | undefined;

  /** An event that was stamped at `timestamp` has come in at `arrival`; both in milliseconds. */
  add(timestamp: number, arrival: number): void {
    this.last = arrival - timestamp;
    this.newest = timestamp;
    this.differences.push(this.last);
    if (this.differences.length > WINDOW) this.differences.shift();
  }

  /** Forgets everything: another connection may lead to another server. */
  reset(): void {
    this.differences = [];
    this.last = undefined;
  }

  /** The server's time in milliseconds since 1970, or `undefined` before the first event. */
  at(now: number): number | undefined {
    return this.last === undefined ? undefined : now - Math.min(...this.differences);
  }

  /** The server's time when it was last heard, also after a `reset`. */
  get heard(): number | undefined {
    return this.newest;
  }

  /** Milliseconds that the last event took longer than the fastest one. A single event has nothing to compare with. */
  latency(): number | undefined {
    if (this.last === undefined || this.differences.length < 2) return undefined;
    return this.last - Math.min(...this.differences);
  }
}
