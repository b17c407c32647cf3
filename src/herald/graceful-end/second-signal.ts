import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * A second signal within this many milliseconds counts as the first one: at a terminal, Ctrl-C reaches this process
 * directly and once more through npm.
 */
const SAME_SIGNAL = 100;

/**
 * Calls `act` at signals that come while the application ends, which Nest ignores. A signal that nobody else listens to
 * ends the process, as it would otherwise.
 * @returns stops listening, which must be done before Nest ends the process by its signal.
 */
export function onSecondSignal(act: () => void): () => void {
  const began = performance.now();
  const heed = (): void => {
    if (performance.now() - began > SAME_SIGNAL) act();
  };
  const signals = SIGNALS.filter((signal) => process.listenerCount(signal) > 0);
  for (const signal of signals) process.on(signal, heed);
  return () => {
    for (const signal of signals) process.off(signal, heed);
  };
}
