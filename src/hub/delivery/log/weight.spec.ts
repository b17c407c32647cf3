import { describe, expect, it } from '@jest/globals';
import { RecentLog } from './recent-log.js';
import { MemoryJournal } from '../../../storage/journal/memory/memory-journal.js';
import type { Update } from '../../../storage/journal/update.js';
import { bytesInUse } from '../../../../test/support/memory.js';

const LIMIT = 4 * 1024 ** 2;

/** Texts as a request brings them: each in memory of its own. */
function text(length: number, character = 'x'): string {
  return Buffer.from(character.repeat(length)).toString();
}

function updateOf(number: number, more: Partial<Update>): Update {
  return { topics: [text(10)], data: text(10), id: `urn:uuid:${number}`, private: false, ...more };
}

function list(count: number, make: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** What fills a log the most for what it counts. */
const SHAPES: readonly (readonly [string, (number: number) => Update])[] = [
  ['as little as may be', (number) => updateOf(number, { topics: [''], data: '' })],
  ['a megabyte of data', (number) => updateOf(number, { data: text(2 ** 20) })],
  ['data outside of Latin', (number) => updateOf(number, { data: text(100_000, '中') })],
  ['data of two bytes a character', (number) => updateOf(number, { data: text(100_000, 'é') })],
  ['a megabyte of topics', (number) => updateOf(number, { topics: list(240, () => text(4_096)) })],
  ['a thousand tiny topics', (number) => updateOf(number, { topics: list(1_000, (index) => text(4) + index) })],
  ['a thousand topics outside of Latin', (number) => updateOf(number, { topics: list(1_000, () => text(8, '中')) })],
  ['a long id and type', (number) => updateOf(number, { id: text(250) + number, type: text(255, '中') })],
];

describe.each(SHAPES)('a log full of updates with %s', (_, make) => {
  it('takes no more memory than it may, in the journal', async () => {
    const before = await bytesInUse();
    const journal = new MemoryJournal({ events: Infinity, bytes: LIMIT, age: Infinity });
    for (let number = 0; journal.oldest === 1 && number < 200_000; number += 1) {
      await journal.append(make(number), { idempotencyKey: text(200) + number, fingerprint: text(44) });
    }
    expect(journal.oldest).toBeGreaterThan(1);
    expect((await bytesInUse()) - before).toBeLessThan(1.25 * LIMIT);
    expect(journal.head).toBeGreaterThan(0);
  });

  it('takes no more memory than it may, in the recent log', async () => {
    const before = await bytesInUse();
    const log = new RecentLog(LIMIT, 0);
    for (let position = 1; log.oldest === 1 && position < 200_000; position += 1) {
      log.push({ position, update: make(position) });
    }
    expect(log.oldest).toBeGreaterThan(1);
    expect((await bytesInUse()) - before).toBeLessThan(1.25 * LIMIT);
    expect(log.head).toBeGreaterThan(0);
  });
});
