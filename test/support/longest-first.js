import Sequencer from '@jest/test-sequencer';

/** Suites of these projects keep the processor busy, while most others wait. Those of browsers take longest. */
const BUSY = ['browser', 'unit'];

/** Suites that take longest, because they wait; without durations of an earlier run, Jest goes by the size of files. */
const LONG = [
  'test/browser/native-event-source',
  'test/hub/cursors',
  'test/hub/conflation',
  'test/hub/delivery-model',
  'test/browser/connection',
  'test/clients/browser',
  'test/hub/stalled',
  'test/e2e/pressure',
];

/**
 * Has the suites that take long begin first, so that at the end no worker has a long one left and the others nothing.
 * Busy ones take turns with those that wait, so that each has what the other leaves of the processor.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's method gives a new array
    const sorted = super.sort(tests).toSorted((a, b) => Number(isLong(b)) - Number(isLong(a)));
    const busy = sorted.filter((test) => rankOf(test) >= 0).toSorted((a, b) => rankOf(a) - rankOf(b));
    const waiting = sorted.filter((test) => rankOf(test) < 0);
    return alternate(busy, waiting);
  }
}

function isLong({ path }) {
  return LONG.some((name) => path.includes(name));
}

function alternate(some, others) {
  const length = Math.max(some.length, others.length);
  return Array.from({ length }, (_, index) => [some[index], others[index]].filter(Boolean)).flat();
}

function rankOf({ context }) {
  return BUSY.indexOf(context.config.displayName?.name);
}
