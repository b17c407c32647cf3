import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Milliseconds since the epoch, updated once a second while the page is visible. */
export const clock = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') clock.value = Date.now();
}, 1_000);

/**
 * Calls `act` now, and every so many milliseconds while the component is mounted and the page is visible, until it
 * resolves with `false`. It begins again when one of the inputs has changed.
 */
export function usePolling(act: () => unknown, milliseconds: number, inputs: readonly unknown[]): void {
  useEffect(() => {
    const run = async (): Promise<void> => {
      if ((await act()) === false) clearInterval(timer);
    };
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void run();
    }, milliseconds);
    void run();
    return () => clearInterval(timer);
  }, inputs);
}
