import { getHeapStatistics } from 'node:v8';

// Loaded into the service before it starts (`node --import`): does at the test's word what no code should do.
process.on('message', (/** @type {string} */ trouble) => {
  if (trouble === 'reject') void Promise.reject(new Error('rejected on purpose'));
  if (trouble === 'reject with nothing') void Promise.reject();
  if (trouble === 'throw') setImmediate(() => throwOnPurpose());
  if (trouble === 'warn') process.emitWarning('warned on purpose');
  // oxlint-disable-next-line no-console -- that is the point
  if (trouble === 'block') block();
  if (trouble === 'fill') fill();
  if (trouble === 'calm') calm();
  if (trouble === 'print') console.error('printed on purpose');
});
// The channel must not be a reason to stay alive.
process.channel?.unref();

/** Milliseconds for which the event loop is blocked at a time. */
const BLOCK = 400;

/** The part of the heap's limit that is filled. */
const FILL = 0.9;

let isBlocking = false;
/** @type {unknown[][]} */
let held = [];

function block() {
  isBlocking = true;
  const goOn = () => {
    const end = performance.now() + BLOCK;
    while (performance.now() < end);
    if (isBlocking) setImmediate(goOn);
  };
  goOn();
}

function fill() {
  const isFull = () => getHeapStatistics().used_heap_size > FILL * getHeapStatistics().heap_size_limit;
  // Without a number in it, so that V8 keeps it as a list of values.
  while (!isFull()) held.push(Array.from({ length: 20_000 }, () => null));
}

function calm() {
  isBlocking = false;
  held = [];
}

function throwOnPurpose() {
  throw new Error('thrown on purpose');
}
