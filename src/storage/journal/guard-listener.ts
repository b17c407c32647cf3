import { Logger } from '@nestjs/common';
import { type Entry, isWhole, type ReadEntry, type TailListener } from './journal.js';

const logger = new Logger('Journal');

/**
 * The same listener, from which nothing is ever thrown: what it throws is logged. A journal calls it in the middle of its
 * own work, and what is stored is stored whatever a listener makes of it.
 */
export function guardListener<Argument>(listener: (argument: Argument) => void): (argument: Argument) => void {
  return (argument) => {
    try {
      listener(argument);
    } catch (err) {
      logger.error({ msg: 'a listener to the journal failed', err });
    }
  };
}

/** As {@link guardListener}, of a log that may be damaged: what follows damage is given in a call of its own. */
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
