import { describe, expect, it } from '@jest/globals';
import { bytesInUse } from '../../../../test/support/memory.js';
import { RedisTopics } from './redis-topics.js';

const LIMIT = 16 * 1024 ** 2;

/** Addresses that are other texts than their topics, as those of relative topics are. */
const ADDRESSES = { base: 'https://hub.example/', of: (topic: string) => `https://hub.example/${topic}` };

/** A topic as a request brings it: in memory of its own. */
function text(number: number, length: number): string {
  return Buffer.from(String(number).padEnd(length, '-')).toString();
}

describe.each([
  ['a topic of 10 characters each', (number: number) => [text(number, 10)]],
  ['a topic of 4,000 characters each', (number: number) => [text(number, 4_000)]],
  ['one of ten topics', (number: number) => [text(number % 10, 10)]],
  ['a hundred topics each', (number: number) => Array.from({ length: 100 }, (_, index) => text(number + index, 10))],
])('an index that is full of updates with %s', (_, topicsOf) => {
  it('takes no more memory than it may', async () => {
    const before = await bytesInUse();
    const index = new RedisTopics(ADDRESSES, LIMIT, 1);
    for (let position = 1; index.from === 1 && position < 1_000_000; position += 1) {
      index.add(position, topicsOf(position));
    }
    expect(index.from).toBeGreaterThan(1);
    expect((await bytesInUse()) - before).toBeLessThan(1.1 * LIMIT);
    expect(index.from).toBeGreaterThan(1);
  }, 60_000);
});
