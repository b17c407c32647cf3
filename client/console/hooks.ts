import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** Milliseconds since the epoch, once a second while somebody looks. */
export const clock = signal(Date.now());

setInterval(() => {
  if (document.visibilityState === 'visible') clock.value = Date.now();
}, 1_000);

/** Calls `act` now and every so many milliseconds while the part of the page is there and can be seen. */
export function usePolling(act: () => void, milliseconds: number, inputs: readonly unknown[]): void {
  useEffect(() => {
    act();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') act();
    }, milliseconds);
    return () => clearInterval(timer);
  }, inputs);
}
