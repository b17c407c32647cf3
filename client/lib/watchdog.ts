/** Notices that nothing comes any more, although nobody has closed the connection. */
export interface Watchdog {
  /** Bytes have come. */
  feed(): void;
  /** Checks now: the machine or the page may just have woken up. */
  look(): void;
  stop(): void;
}

/** Milliseconds between two checks, at the most. */
const LONGEST_PERIOD = 5_000;

/**
 * Calls `bark` once when nothing has come for `limit` milliseconds; never, if that is 0. Two checks in a row must find
 * silence, because a page that was busy or asleep has not yet read what has arrived meanwhile.
 */
export function watch(limit: number, bark: () => void): Watchdog {
  let lastByte = readClocks();
  let isSuspicious = false;
  const look = (): void => {
    const isLate = limit > 0 && silenceSince(lastByte) > limit;
    if (isLate && isSuspicious) {
      stop();
      bark();
    }
    isSuspicious = isLate;
  };
  const timer = setInterval(look, Math.min(LONGEST_PERIOD, limit / 4 || LONGEST_PERIOD));
  const stop = (): void => clearInterval(timer);
  const feed = (): void => {
    lastByte = readClocks();
  };
  return { feed, look, stop };
}

/** Two clocks, because `performance.now()` may stand still while the machine sleeps, and the system time may be set back. */
function readClocks(): readonly [monotonic: number, wall: number] {
  return [performance.now(), Date.now()];
}

/** Milliseconds by the clock that has gone further. */
function silenceSince([monotonic, wall]: ReturnType<typeof readClocks>): number {
  return Math.max(performance.now() - monotonic, Date.now() - wall);
}
