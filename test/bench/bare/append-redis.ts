/**
 * The smallest program that stores updates in Redis as a hub must that runs in several processes: `XADD` and a field for
 * the idempotency key in pipelines of 1,000, and reading all of it back from the stream. Writes the microseconds of CPU
 * for an update. Usage: PORT UPDATES
 */
import { Redis } from 'ioredis';
import { costOfAppends, updateOf } from './updates.js';

const [port = '0', updates = '0'] = process.argv.slice(2);
const HELD = 100_000;
const COMMIT = 1_000;

const writer = new Redis(Number(port), '127.0.0.1');
const reader = new Redis(Number(port), '127.0.0.1');
let last = '0';
let bytes = 0;

async function append(from: number, to: number): Promise<void> {
  for (let first = from; first < to; first += COMMIT) {
    const pipeline = writer.pipeline();
    for (let position = first + 1; position <= first + COMMIT; position += 1) {
      const { id, key, text } = updateOf(position);
      pipeline.hsetnx('keys', key, id);
      pipeline.xadd('stream', 'MAXLEN', '~', HELD, '*', 'i', id, 'k', key, 'u', text);
    }
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    await pipeline.exec();
    // oxlint-disable-next-line no-await-in-loop -- one batch after the other
    const [[, rows] = ['', []]] = (await reader.xread('COUNT', COMMIT, 'STREAMS', 'stream', last)) ?? [];
    for (const [id, fields] of rows) {
      last = id;
      bytes += (JSON.parse(fields[5] ?? '{}') as { data: string }).data.length;
    }
  }
}

await append(0, HELD);
await costOfAppends(Number(updates), async (count) => append(HELD, HELD + count));
if (bytes === 0) throw new Error('nothing was read back');
writer.disconnect();
reader.disconnect();
