/** Milliseconds by which a clock may be ahead and be believed at once: by so much clocks are corrected now and then. */
const TOLERANCE = 1_000;

/** Milliseconds for which a clock must have been ahead by more than that before it is believed. */
const HELD = 60_000;

/** By which part of the time it goes slower while the clock that it follows is behind. */
const SLOWER = 1 / 100;

/**
 * Time in milliseconds since 1970 that goes on with the monotonic clock, whatever is done to the clock that it follows. It
 * never goes back. Where that clock leaps forward, it follows once the leap has held for a minute: somebody who sets the
 * clock wrongly, and corrects that, does not make all that is held look old. Where that clock is set back, it goes on
 * from where it was, a little slower until both agree, so that what has a time gets old as ever.
 */
export class SteadyClock {
  /** What is to be added to the monotonic clock; undefined before the first reading. */
  private offset: number | undefined;
  private readAt = 0;
  private leap: { readonly by: number; readonly since: number } | undefined;

  constructor(private readonly elapsed: () => number = () => performance.now()) {}

  /** The time now; undefined before the first reading. */
  get time(): number | undefined {
    return this.offset === undefined ? undefined : Math.floor(this.elapsed() + this.offset);
  }

  /** Takes a reading of the clock that is followed, and answers with the time now. */
  follow(reading: number): number {
    const elapsed = this.elapsed();
    // Only the clocks of tests go back.
    if (elapsed < this.readAt) this.offset = undefined;
    this.offset ??= reading - elapsed;
    const ahead = reading - elapsed - this.offset;
    const slower = (this.readAt - elapsed) * SLOWER;
    this.readAt = elapsed;
    if (ahead <= TOLERANCE || this.hasHeld(ahead, elapsed)) {
      this.leap = undefined;
      this.offset += Math.max(slower, ahead);
    }
    return Math.floor(elapsed + this.offset);
  }

  /** After the first reading, goes on from `time` at least, which others who follow the same clock have told, or stored. */
  raise(time: number): void {
    if (this.offset !== undefined) this.offset = Math.max(this.offset, time - this.elapsed());
  }

  private hasHeld(ahead: number, elapsed: number): boolean {
    if (!this.leap || Math.abs(this.leap.by - ahead) > TOLERANCE) this.leap = { by: ahead, since: elapsed };
    return elapsed - this.leap.since >= HELD;
  }
}

const ofThisProcess = new SteadyClock();
// What the clock says at the start is believed, because there is nothing to compare it with.
ofThisProcess.follow(Date.now());

/** When the machine's clock was read last, and the time by then. */
let read = { at: -1, time: 0 };

/** The time of day for what is held: see {@link SteadyClock}. Within a millisecond of the machine's clock it is the same. */
export function steadyNow(): number {
  const at = Date.now();
  if (at !== read.at) read = { at, time: ofThisProcess.follow(at) };
  return read.time;
}

/** Has {@link steadyNow} go on from `time` at least, at which something was stored. */
export function steadyFrom(time: number): void {
  ofThisProcess.raise(time);
  read = { ...read, at: -1 };
}

/**
 * The time of day for what ends at a time that others have set, such as a token. It is the machine's clock, but for a leap
 * forward that has not held yet.
 */
export function believedNow(): number {
  const time = steadyNow();
  return Math.min(read.at, time);
}
