import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { open as openLmdb } from 'lmdb';
import { isPresence, JournalOpenError, type Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import type { Update } from '../../src/storage/journal/update.js';
import { TOOLS } from '../support/contract-tools.js';
import { CapturedLog } from '../support/captured-log.js';
import { damageFile } from '../support/damage-file.js';
import { describeJournal, type Engine } from '../../src/contracts/journal.js';
import { describePresence } from '../../src/contracts/presence.js';
import { describeTopics } from '../../src/contracts/topics.js';

const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

const directories: string[] = [];

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'herald-journal-'));
  directories.push(directory);
  return directory;
}

afterAll(async () => {
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })));
});

function update(id: string, data = id): Update {
  return { topics: ['https://example.com/t'], data, id, private: false };
}

/** Opens the newest journal of the suite. */
let openAgain: () => Promise<LmdbJournal>;

const engine: Engine = {
  name: 'LMDB',
  open: async (retention, now, presence) => {
    const path = await newDirectory();
    openAgain = () => LmdbJournal.open(path, retention, now, presence);
    return openAgain();
  },
  again: async (journal) => {
    await journal.close();
    return openAgain();
  },
  spoil: async (journal, ids) => {
    await journal.close();
    const file = join(directories.at(-1) ?? '', 'data.mdb');
    for (const id of ids) await damageFile(file, `["${id}",`);
    return openAgain();
  },
};

describeJournal(TOOLS, engine);
describePresence(TOOLS, engine);
describeTopics(TOOLS, {
  name: 'LMDB',
  open: async (retention, now, presence, addresses) => {
    const path = await newDirectory();
    openAgain = () => LmdbJournal.open(path, retention, now, presence, addresses);
    return openAgain();
  },
  again: async (journal) => {
    await journal.close();
    return openAgain();
  },
});

describe('the files of the LMDB journal', () => {
  let path: string;
  let journal: LmdbJournal;

  beforeEach(async () => {
    path = join(await newDirectory(), 'a.b', 'journal');
    journal = await LmdbJournal.open(path, PLENTY);
  });
  afterEach(() => journal.close());

  async function reopen(retention: Partial<Retention> = {}, now?: () => number): Promise<void> {
    await journal.close();
    journal = await LmdbJournal.open(path, { ...PLENTY, ...retention }, now);
  }

  async function idsHeld(): Promise<(string | undefined)[]> {
    const { entries } = await journal.read(0, 10_000);
    return entries.map((entry) => (isPresence(entry) ? entry.record.id : entry.update?.id));
  }

  it('keep everything over a restart', async () => {
    const full: Update = { topics: ['a', 'ü\n'], data: '\u0000"☃\ud800', id: 'x', private: true, type: 't', retry: 5 };
    const key = { idempotencyKey: 'subject\nkey', fingerprint: 'f' };
    await journal.append(full, key);
    await journal.append(update('2'));
    const { id } = journal;
    await reopen();
    const storedAt = expect.any(Number) as unknown as number;
    expect((await journal.read(0, 10)).entries).toEqual([
      { position: 1, update: full, storedAt },
      { position: 2, update: update('2'), storedAt },
    ]);
    expect([journal.head, journal.oldest, journal.lastId, journal.id]).toEqual([2, 1, '2', id]);
    expect(await journal.locate('x')).toBe(1);
    expect(await journal.append(update('3'), key)).toEqual({ outcome: 'repeated', id: 'x' });
    expect(await journal.append(update('3'))).toMatchObject({ position: 3 });
  });

  it('go on where they were, also when everything in them has grown too old', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, index) => journal.append(update(String(index)))));
    const later = Date.now() + 2 * PLENTY.age;
    await reopen({}, () => later);
    expect([journal.head, journal.oldest, journal.lastId]).toEqual([500, 501, undefined]);
    expect(await journal.read(0, 10)).toEqual({ entries: [], upTo: 500, oldest: 501, oldestPresence: 1 });
    expect(await journal.append(update('new'))).toMatchObject({ position: 501 });
    await reopen({}, () => later);
    expect(await idsHeld()).toEqual(['new']);
  });

  it('follow a shorter retention at once', async () => {
    await Promise.all(Array.from({ length: 5_000 }, (_, index) => journal.append(update(String(index)))));
    await reopen({ events: 10 });
    expect([journal.head, journal.oldest]).toEqual([5_000, 4_991]);
    expect(await journal.locate('4989')).toBeUndefined();
    expect(await journal.locate('4990')).toBe(4_991);
  });

  it('stop growing when as much is trimmed as is appended', async () => {
    await reopen({ events: 100 });
    const sizes: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => journal.append(update(`${round}-${index}`))));
      sizes.push(journal.usage.fileBytes);
    }
    expect(sizes.at(-1)).toBeLessThanOrEqual(2 * (sizes[9] ?? 0));
  });

  it('tell a follower that comes late what it missed, and then what is new, once and in order', async () => {
    await Promise.all(Array.from({ length: 3_000 }, (_, index) => journal.append(update(String(index)))));
    const seen: number[] = [];
    const stop = journal.tail(100, (entries) => seen.push(...entries.map(({ position }) => position)));
    await Promise.all(Array.from({ length: 500 }, (_, index) => journal.append(update(`more-${index}`))));
    while (seen.length < 3_400) await new Promise(setImmediate);
    stop();
    expect(seen).toEqual(Array.from({ length: 3_400 }, (_, index) => 101 + index));
  });

  it('answer the same key that is on its way twice once it is stored', async () => {
    const key = { idempotencyKey: 'k', fingerprint: 'f' };
    const outcomes = await Promise.all([
      journal.append(update('1'), key),
      journal.append(update('2'), key),
      journal.append(update('3'), { ...key, fingerprint: 'g' }),
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['stored', 'repeated', 'conflict']);
    expect(await idsHeld()).toEqual(['1']);
  });

  it('finish what is under way before they close', async () => {
    const appends = Array.from({ length: 100 }, (_, index) => journal.append(update(String(index))));
    await journal.close();
    expect((await Promise.all(appends)).at(-1)).toMatchObject({ outcome: 'stored', position: 100 });
    await expect(journal.append(update('late'))).rejects.toThrow(/closed/);
  });

  it('are for one at a time, and leave nothing behind that keeps the next one out', async () => {
    await expect(LmdbJournal.open(path, PLENTY)).rejects.toThrow(new RegExp(`Process ${process.pid} uses the journal`));
    await reopen();
    expect((await readdir(path)).filter((name) => name.startsWith('owner-'))).toHaveLength(1);
  });

  it('are for one at a time, also at a path that is too long for a socket', async () => {
    const long = join(path, 'x'.repeat(120), 'y'.repeat(120));
    const first = await LmdbJournal.open(long, PLENTY);
    await expect(LmdbJournal.open(long, PLENTY)).rejects.toThrow(/uses the journal/);
    await first.close();
    await (await LmdbJournal.open(long, PLENTY)).close();
  });

  it('may be shorter than their header says, where only free pages are missing', async () => {
    const large = 'x'.repeat(100_000);
    for (let count = 0; count < 40; count += 1) await journal.append(update(String(count), large));
    await reopen({ events: 1 });
    for (let count = 0; count < 60; count += 1) await journal.append(update(`small-${count}`, 'x'));
    const { id, usage } = journal;
    await journal.close();
    await truncate(join(path, 'data.mdb'), usage.fileBytes - 300_000);
    await reopen();
    expect([journal.id, journal.head, (await idsHeld()).at(-1)]).toEqual([id, 100, 'small-59']);
    await journal.append(update('after', large));
    expect((await idsHeld()).at(-1)).toBe('after');
  });

  it('have room on the disk before LMDB writes to them, whatever is appended and trimmed', async () => {
    await reopen({ events: 2_000 });
    const file = join(path, 'data.mdb');
    const counts = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1_000, max: 1_500 }));
    const commits = fc.record({ count: counts, length: fc.integer({ max: 9_000, min: 0 }), hasKeys: fc.boolean() });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commits, { minLength: 1, maxLength: 8 }), async (all) => {
        for (const { count, length, hasKeys } of all) {
          const updates = Array.from({ length: count }, () => update(String((number += 1)), 'x'.repeat(length)));
          await Promise.all(
            updates.map((one) => journal.append(one, hasKeys ? { idempotencyKey: one.id, fingerprint: '' } : {})),
          );
          // LMDB itself never makes it longer than its last page.
          expect((await stat(file)).size).toBeGreaterThan(journal.usage.fileBytes);
        }
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['time', -16],
    ['size', -8],
  ])('are not trimmed by the %s that a damaged record has', async (_, offset) => {
    Logger.overrideLogger(new CapturedLog());
    const count = 64;
    for (let number = 0; number < count; number += 1) await journal.append(update(`id-${number}`));
    await journal.close();
    // Wherever it looks first for the oldest one that is within the limits.
    const damaged = [0, 1, 2, 4, 8, 16, 31, 32, 33, 48, 63];
    for (const number of damaged) await damageFile(join(path, 'data.mdb'), `["id-${number}",`, offset);
    await reopen();
    expect([journal.oldest, journal.head]).toEqual([1, count]);
    await journal.append(update('next'));
    const ids = await idsHeld();
    expect(ids.filter((id) => id === undefined)).toHaveLength(damaged.length);
    expect(ids).toHaveLength(count + 1);
    await reopen({ events: 20 });
    expect(journal.oldest).toBe(count + 2 - 20);
  });

  it('store anew what comes under the key of a damaged record', async () => {
    Logger.overrideLogger(new CapturedLog());
    const key = { idempotencyKey: 'k', fingerprint: 'f' };
    await journal.append(update('id-1'), key);
    await journal.close();
    await damageFile(join(path, 'data.mdb'), '["id-1",');
    await reopen();
    expect(await journal.append(update('id-2'), key)).toMatchObject({ outcome: 'stored', position: 2 });
    expect(await journal.append(update('id-3'), key)).toEqual({ outcome: 'repeated', id: 'id-2' });
  });

  /** Changes what the files say of themselves. */
  async function describeAs(change: (about: object) => object): Promise<void> {
    const files = openLmdb<Buffer, string>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
    const about = JSON.parse(String(files.get('about'))) as object;
    await files.put('about', Buffer.from(JSON.stringify(change(about))));
    await files.close();
  }

  it('have one secret for as long as they live, and get it where an earlier version has made them', async () => {
    await journal.append(update('id-1'));
    const { id, secret } = journal;
    await reopen();
    expect(journal.secret).toEqual(secret);
    await journal.close();
    await describeAs(({ format, id: name }: { format?: number; id?: string }) => ({ format, id: name }));
    journal = await LmdbJournal.open(path, PLENTY);
    expect([journal.id, await idsHeld()]).toEqual([id, ['id-1']]);
    const other = journal.secret;
    expect(other).toHaveLength(32);
    expect(other).not.toEqual(secret);
    await reopen();
    expect(journal.secret).toEqual(other);
  });

  it('of a newer format are refused', async () => {
    await journal.close();
    await describeAs(() => ({ format: 4, id: 'x' }));
    const refusal = LmdbJournal.open(path, PLENTY);
    await expect(refusal).rejects.toBeInstanceOf(JournalOpenError);
    await expect(refusal).rejects.toThrow(/format 4.*reads formats up to 3/);
  });
});
