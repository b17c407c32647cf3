import { setTimeout as delay } from 'node:timers/promises';
import { Background } from '../../shared/background.js';

/** Milliseconds between two looks at what is due, where more than one thing is due within them. */
const STEP = 20;

/** The clock that is gone by, in milliseconds. */
export interface Pace {
  now(): number;
  /** Resolves after a time, or when the signal is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The machine's own. */
export const REAL_PACE: Pace = {
  now: () => performance.now(),
  sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }).catch(() => undefined),
};

/**
 * Does something with each of `items`, evenly over `window` milliseconds: with the first at once, and with the last of n
 * after (n - 1)/n of the window. Many that are due at once are taken in turns of the event loop, which others have as well.
 * Resolves after the last one, or when the signal is aborted.
 */
export async function evenly<T>(
  items: readonly T[],
  { window, signal }: { readonly window: number; readonly signal: AbortSignal },
  act: (item: T) => void,
  pace: Pace = REAL_PACE,
): Promise<void> {
  const background = new Background(() => pace.now());
  const began = pace.now();
  const dueAt = (index: number): number => began + (index / items.length) * window;
  let next = 0;
  function* actOnDue(): Generator<void, void> {
    for (; next < items.length && dueAt(next) <= pace.now(); next += 1) {
      act(items[next] as T);
      yield;
    }
  }
  while (next < items.length && !signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await background.run(actOnDue(), () => signal.aborted);
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    if (next < items.length) await pace.sleep(Math.max(STEP, dueAt(next) - pace.now()), signal);
  }
}
