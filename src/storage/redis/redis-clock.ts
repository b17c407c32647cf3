import { SteadyClock } from '../../shared/time/steady-clock.js';

/**
 * The time on the clock of Redis, which is the same for every process, without its leaps: a script that is told it by each
 * process does not go by a leap, because the processes have monotonic clocks of their own.
 */
export class RedisClock {
  private readonly clock = new SteadyClock();

  /** Milliseconds since 1970; an empty text before Redis has said what time it is. */
  get time(): number | '' {
    return this.clock.time ?? '';
  }

  /** Takes what Redis says: its clock, and the time that the script went by, which may be another process's. */
  heard(reading: number, told = 0): void {
    this.clock.follow(reading);
    this.clock.raise(told);
  }
}
