export interface BackoffOptions {
  /** The first wait is a random part of this many milliseconds. Default 500. */
  readonly min?: number;
  /** The most milliseconds that a random wait may take. Default 20 000. */
  readonly max?: number;
}

/** Says how long to wait before the next attempt. */
export interface Backoff {
  /** The hub's `retry:`, in milliseconds: the least to wait from now on. */
  setFloor(milliseconds: number): void;
  /** An attempt has worked, so the next wait is short again. */
  reset(): void;
  /** @param atLeast milliseconds that this one wait must take, such as those of a `Retry-After`. */
  next(atLeast?: number): number;
}

/** The longest wait that a hub may ask for, in milliseconds: more is a mistake or an attack. */
const LONGEST_FLOOR = 3_600_000;

/**
 * Each wait is a random part of a time that doubles with every failure ("full jitter"), on top of the least that the
 * hub asked for. So ten thousand clients that lost the same hub do not all return at once.
 */
export function createBackoff(
  { min = 500, max = 20_000 }: BackoffOptions = {},
  random: () => number = Math.random,
): Backoff {
  let failures = 0;
  let floor = 0;
  return {
    setFloor: (milliseconds) => {
      floor = milliseconds;
    },
    reset: () => {
      failures = 0;
    },
    next: (atLeast = 0) => {
      const longest = Math.min(max, min * 2 ** failures);
      failures += 1;
      return Math.min(Math.max(floor, atLeast), LONGEST_FLOOR) + random() * longest;
    },
  };
}
