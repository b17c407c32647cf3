// Loaded into the service before it starts (`node --import`): collects its garbage and says what it holds, when it is asked.
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Milliseconds between two collections: what lies outside of the heap is given back a moment after its owner. */
const PAUSE = 50;

process.on('message', (question) => void answer(question));

async function answer({ collections, snapshot }) {
  for (let turn = 0; turn < collections; turn += 1) {
    collectGarbage();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await delay(PAUSE);
  }
  if (snapshot) writeHeapSnapshot(snapshot);
  const handles = {};
  for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
  process.send?.({ memory: process.memoryUsage(), handles });
}

// The channel must not be a reason to stay alive, nor be counted as one of the service's handles.
process.channel?.unref();
// Whoever asks may be killed: the service must not be left behind.
process.on('disconnect', () => process.exit(1));
