import Sequencer from '@jest/test-sequencer';

/** The suites that a run ends with, because they are short and fill the gaps. */
const LAST = 'unit';

/** Suites of browsers keep the processor busy, and most others wait: each of these is followed by one that is not. */
const BUSY = 'browser';

/** Has the suites that take long begin first, so that at the end no worker has a long one left and the others nothing. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's method gives a new array
    const sorted = super.sort(tests);
    const first = sorted.filter((test) => nameOf(test) !== LAST);
    const busy = first.filter((test) => nameOf(test) === BUSY);
    const waiting = first.filter((test) => nameOf(test) !== BUSY);
    return [...alternate(busy, waiting), ...sorted.filter((test) => nameOf(test) === LAST)];
  }
}

function alternate(some, others) {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, index) => [some[index], others[index]].filter(Boolean)).flat();
}

function nameOf({ context }) {
  return context.config.displayName?.name;
}
