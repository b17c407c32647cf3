import { Logger } from '@nestjs/common';
import { type Entry, isWhole, type ReadEntry, type TailListener } from './journal.js';

const logger = new Logger('Journal');

/**
 * Wraps a listener so that whatever it throws is logged and not passed on. A journal calls its listeners in the middle
 * of its own work, and an update stays stored even if a listener fails.
 */
export function guardListener<Argument>(listener: (argument: Argument) => void): (argument: Argument) => void {
  return (argument) => {
    try {
      listener(argument);
    } catch (err) {
      logger.error({ msg: 'a listener to the journal threw an error', err });
    }
  };
}

/**
 * {@link guardListener} for a log that may have damaged entries: calls the listener once for each run of whole entries,
 * so that damaged ones always lie between two calls.
 */
export function guardTail(listener: TailListener): (entries: readonly ReadEntry[]) => void {
  const guarded = guardListener(listener);
  return (entries) => {
    for (const run of wholeRuns(entries)) guarded(run);
  };
}

function wholeRuns(entries: readonly ReadEntry[]): (readonly Entry[])[] {
  if (entries.every(isWhole)) return [entries];
  const runs: Entry[][] = [[]];
  for (const entry of entries) {
    if (isWhole(entry)) runs.at(-1)?.push(entry);
    else runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}
