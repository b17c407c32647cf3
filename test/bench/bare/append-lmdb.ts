/**
 * The smallest program that stores updates in LMDB as a durable hub must: a record, an id and an idempotency key each, in
 * commits of 1,000, while the oldest go. Writes the microseconds of CPU for an update. Usage: FOLDER UPDATES
 */
import { createHash } from 'node:crypto';
import { open } from 'lmdb';
import { costOfAppends, updateOf } from './updates.js';

const [folder = '', updates = '0'] = process.argv.slice(2);
const HELD = 100_000;
const COMMIT = 1_000;

const root = open({ path: folder, maxDbs: 3, noMemInit: true, overlappingSync: false });
const records = root.openDB<Buffer, number>({ name: 'records', encoding: 'binary' });
const ids = root.openDB<number, Buffer>({ name: 'ids', keyEncoding: 'binary', encoding: 'ordered-binary' });
const keys = root.openDB<number, Buffer>({ name: 'keys', keyEncoding: 'binary', encoding: 'ordered-binary' });

function digest(text: string): Buffer {
  return createHash('sha1').update(text).digest().subarray(0, 16);
}

async function append(from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += COMMIT) {
    const commit = root.transaction(() => {
      for (let position = first + 1; position <= first + COMMIT; position += 1) {
        const { id, key, text } = updateOf(position);
        void records.put(position, Buffer.from(text));
        void ids.put(digest(id), position);
        void keys.put(digest(key), position);
        if (position <= HELD) continue;
        const old = updateOf(position - HELD);
        void records.remove(position - HELD);
        void ids.remove(digest(old.id));
        void keys.remove(digest(old.key));
      }
    });
    // oxlint-disable-next-line no-await-in-loop -- one commit after the other
    await commit;
  }
}

await append(0, HELD);
await costOfAppends(Number(updates), async (count) => append(HELD, HELD + count));
await root.close();
