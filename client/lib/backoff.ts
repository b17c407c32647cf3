export interface BackoffOptions {
  /** Milliseconds that the first wait is a random part of, at most. Default 500. */
  readonly min?: number;
  /** Milliseconds that no random wait exceeds. Default 20 000. */
  readonly max?: number;
}

/** How long to wait before the next attempt. */
export interface Backoff {
  /** The hub's `retry:`, in milliseconds: the least to wait from now on. */
  setFloor(milliseconds: number): void;
  /** Something has worked. */
  reset(): void;
  /** @param atLeast milliseconds that this one wait must take, such as a `Retry-After`. */
  next(atLeast?: number): number;
}

/** A hub's `retry:` above this, in milliseconds, is a mistake or an attack. */
const LONGEST_FLOOR = 3_600_000;

/**
 * A random part of a time that doubles with every failure ("full jitter"), on top of the least that the hub asked for.
 * Ten thousand clients that lost the same hub so do not return in step.
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
