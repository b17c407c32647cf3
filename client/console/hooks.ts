import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Milliseconds since the epoch, updated once a second while the page is visible. */
export const clock = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') clock.value = Date.now();
}, 1_000);

/** Calls `act` now, and every so many milliseconds while the component is mounted and the page is visible. */
export function usePolling(act: () => void, milliseconds: number, inputs: readonly unknown[]): void {
  useEffect(() => {
    act();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') act();
    }, milliseconds);
    return () => clearInterval(timer);
  }, inputs);
}
