import Sequencer from '@jest/test-sequencer';

/** Suites that wait for browsers and processes, before those that fill the gaps at the end. */
const ORDER = ['browser', 'faults', 'e2e', 'unit'];

/** Has the suites that take long begin first, so that at the end no worker has a long one left and the others nothing. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's method gives a new array
    return super.sort(tests).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ context }) {
  return ORDER.indexOf(context.config.displayName?.name ?? '');
}
