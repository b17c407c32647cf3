import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes that are in use once there is no garbage left. */
export async function bytesInUse(): Promise<number> {
  // Memory outside of the heap is counted as free only some time after its owner was collected.
  for (let turn = 0; turn < 3; turn += 1) {
    collectGarbage();
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
