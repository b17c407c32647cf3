import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { open as openLmdb } from 'lmdb';
import { DamageLog } from '../../src/storage/journal/damage-log.js';
import { isPresence, type ReadEntry, type Retention } from '../../src/storage/journal/journal.js';
import { LmdbEnvironment } from '../../src/storage/journal/lmdb/lmdb-environment.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { LmdbStore } from '../../src/storage/journal/lmdb/lmdb-store.js';
import { newRecordId, type PresenceRecord } from '../../src/storage/journal/presence-record.js';
import type { Update } from '../../src/storage/journal/update.js';
import { CapturedLog } from '../support/captured-log.js';
import { damageFile } from '../support/damage-file.js';

const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

/** Where a record that does not count by its position alone has its mark, and any other the beginning of its text. */
const MARK_AT = 20;

function update(id: string, data = id): Update {
  return { topics: ['https://example.com/t'], data, id, private: false };
}

function record(events = 1, content = 'who and what'): PresenceRecord {
  return { id: newRecordId(), events, content };
}

function positionsOf(entries: readonly ReadEntry[]): number[] {
  return entries.map(({ position }) => position);
}

/** Keeps what is merely told, too. */
class WholeLog extends CapturedLog {
  readonly told: unknown[] = [];

  override log(message?: unknown): void {
    this.told.push(message);
  }
}

describe('comings and goings in the files of the LMDB journal', () => {
  let path: string;
  let journal: LmdbJournal;
  let log: WholeLog;

  beforeEach(async () => {
    log = new WholeLog();
    Logger.overrideLogger(log);
    path = await mkdtemp(join(tmpdir(), 'herald-presence-'));
    journal = await LmdbJournal.open(path, PLENTY);
  });
  afterEach(async () => {
    await journal.close();
    await rm(path, { recursive: true });
  });

  async function reopen(updates: Partial<Retention> = {}, presence: Partial<Retention> = {}): Promise<void> {
    await journal.close();
    journal = await LmdbJournal.open(path, { ...PLENTY, ...updates }, Date.now, { ...PLENTY, ...presence });
  }

  async function append(...ids: string[]): Promise<void> {
    for (const id of ids) await journal.append(update(id));
  }

  /** The format that the files say they have, and whether the update at each position carries its count. */
  async function inspect(...positions: number[]): Promise<unknown[]> {
    await journal.close();
    const files = openLmdb<Buffer, string>({ path, noSubdir: false, encoding: 'binary', maxDbs: 4 });
    const { format } = JSON.parse(String(files.get('about'))) as { format: number };
    const entries = files.openDB<Buffer, number>({ name: 'entries', encoding: 'binary' });
    const isMarked = positions.map((position) => entries.get(position)?.[MARK_AT] !== '['.codePointAt(0));
    await files.close();
    await reopen();
    return [format, ...isMarked];
  }

  it('leave the files in the format of the versions before until there is one, and then say so, once', async () => {
    await append('a', 'b');
    expect(await inspect(1, 2)).toEqual([1, false, false]);
    expect(log.told).toEqual([]);
    await append('c');
    await Promise.all([journal.append(update('d')), journal.appendPresence(record()), journal.append(update('e'))]);
    await journal.appendPresence(record());
    expect(log.told).toEqual([expect.stringMatching(/earlier versions of Herald cannot open.*journal export/)]);
    expect(await inspect(1, 2, 3, 4, 6)).toEqual([2, false, false, false, false, true]);
    await journal.appendPresence(record());
    expect(log.told).toHaveLength(1);
    expect(positionsOf((await journal.read(0, 10)).entries)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('take nothing from what the updates before and after the first of them may be', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => journal.append(update(`before-${index}`))));
    await journal.appendPresence(record(100));
    await append('after-1', 'after-2');
    await reopen({ events: 5 });
    expect([journal.head, journal.oldest]).toEqual([112, 8]);
    expect(positionsOf((await journal.read(0, 10)).entries)).toEqual([8, 9, 10, 110, 111, 112]);
    await append('after-3', 'after-4', 'after-5');
    expect([journal.head, journal.oldest]).toEqual([115, 11]);
    await append('after-6');
    expect([journal.head, journal.oldest, await journal.locate('after-1')]).toEqual([116, 112, undefined]);
    await reopen({ events: 5 });
    expect([journal.head, journal.oldest, journal.oldestPresence]).toEqual([116, 112, 1]);
  });

  it('are told as damaged where they are', async () => {
    const [whole, one, other] = [record(), record(3), record(2)];
    await journal.appendPresence(whole);
    await append('a');
    await journal.appendPresence(one);
    await append('b');
    await journal.appendPresence(other);
    await journal.close();
    for (const { id } of [one, other]) await damageFile(join(path, 'data.mdb'), `["${id}",`);
    await reopen();
    const storedAt = expect.any(Number) as unknown as number;
    expect((await journal.read(0, 10)).entries).toEqual([
      { position: 1, record: whole },
      { position: 2, update: update('a'), storedAt },
      { position: 5 },
      { position: 6, update: update('b'), storedAt },
      { position: 8 },
    ]);
    expect(log.errors.map(({ position }) => position)).toEqual([5, 8]);
    expect([journal.head, journal.lastId]).toEqual([8, 'b']);
    const calls: number[][] = [];
    journal.tail(0, (entries) => calls.push(positionsOf(entries)));
    expect(await journal.appendPresence(record(2))).toMatchObject({ position: 10 });
    while (calls.flat().length < 6) await new Promise(setImmediate);
    expect(calls).toEqual([[1, 2, 5, 6, 8], [10]]);
    await reopen({}, { events: 2 });
    expect([journal.oldest, journal.oldestPresence]).toEqual([1, 6]);
  });

  it('are trimmed bit by bit, and where nothing is held a follower that is behind goes on', async () => {
    await reopen({ events: 10 }, { events: 10 });
    await Promise.all(Array.from({ length: 3_000 }, (_, index) => journal.appendPresence(record(1 + (index % 3)))));
    expect(journal.head).toBe(6_000);
    const seen: number[] = [];
    const stop = journal.tail(0, (entries) => seen.push(...positionsOf(entries)));
    await append('a');
    while (seen.at(-1) !== 6_001) await new Promise(setImmediate);
    stop();
    expect(seen).toEqual([...positionsOf((await journal.read(0, 100)).entries)]);
    expect(seen).toHaveLength(11);
    await journal.close();
    const environment = new LmdbEnvironment(path);
    const { count } = environment.presence;
    await environment.close();
    await reopen();
    expect(count).toBeLessThan(3_000);
  });

  it('are read with the updates page by page, each once, also where a page ends early because they are large', async () => {
    const large = 'x'.repeat(60_000);
    const appends = Array.from({ length: 60 }, (_, index) => {
      if (index % 10 === 0) return journal.append(update(`${index}`));
      return index % 20 > 10 ? journal.append(update(`${index}`, large)) : journal.appendPresence(record(1, large));
    });
    await Promise.all(appends);
    const found: number[] = [];
    let pages = 0;
    for (let after = 0; after < journal.head; pages += 1) {
      const { entries, upTo } = await journal.read(after, 1_000);
      found.push(...positionsOf(entries));
      after = upTo;
    }
    expect(found).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(pages).toBeGreaterThan(5);
  });

  it('are told with the updates, in order and once, to a follower that is behind while more of both come', async () => {
    const add = (index: number): Promise<unknown> =>
      index % 10 === 0 ? journal.appendPresence(record()) : journal.append(update(`${index}`));
    await Promise.all(Array.from({ length: 20_000 }, (_, index) => add(index)));
    const seen: number[] = [];
    journal.tail(0, (entries) => seen.push(...positionsOf(entries)));
    for (let index = 0; seen.length < 20_000; index += 1) await add(index);
    while (seen.length < journal.head) await new Promise(setImmediate);
    expect(seen).toEqual(Array.from({ length: journal.head }, (_, index) => index + 1));
  });

  it('cost a follower one look where none of them is held any more', async () => {
    for (let count = 0; count < 5; count += 1) await journal.appendPresence(record(2));
    await reopen({}, { age: -1 });
    const looks = jest.spyOn(journal, 'readNow');
    const seen: number[] = [];
    journal.tail(0, (entries) => seen.push(...positionsOf(entries)));
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    expect([looks.mock.calls.length, seen]).toEqual([1, []]);
    await append('a');
    expect([looks.mock.calls.length, seen]).toEqual([1, [11]]);
  });

  it('are what they were, and say what is missing, however often the files are opened again', async () => {
    const command = fc.oneof(
      { arbitrary: fc.record({ events: fc.integer({ min: 0, max: 3 }) }), weight: 8 },
      { arbitrary: fc.constant('reopen' as const), weight: 1 },
    );
    const limit = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 40 }), limit, limit, async (commands, events, presence) => {
        await journal.close();
        await rm(path, { recursive: true });
        await reopen({ events }, { events: presence });
        const [updates, records]: [number[], number[]] = [[], []];
        let head = 0;
        for (const one of [...commands, 'reopen' as const]) {
          if (one === 'reopen') {
            await reopen({ events }, { events: presence });
          } else {
            head += Math.max(1, one.events);
            (one.events === 0 ? updates : records).push(head);
            await (one.events === 0 ? journal.append(update(`${head}`)) : journal.appendPresence(record(one.events)));
          }
        }
        const held = [...updates.slice(-events), ...records.slice(-presence)].toSorted((one, other) => one - other);
        const reading = await journal.read(0, 1_000);
        expect(positionsOf(reading.entries)).toEqual(held);
        expect(reading.entries.filter(isPresence)).toHaveLength(Math.min(records.length, presence));
        expect(reading).toMatchObject({
          upTo: head,
          oldest: (updates.at(-events - 1) ?? 0) + 1,
          oldestPresence: (records.at(-presence - 1) ?? 0) + 1,
        });
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  it('have room on the disk before LMDB writes to them, whatever is appended and trimmed', async () => {
    await reopen({ events: 1_000 }, { events: 500 });
    const file = join(path, 'data.mdb');
    const counts = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_200 }));
    const commits = fc.record({ updates: counts, presence: counts, length: fc.integer({ min: 0, max: 5_000 }) });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commits, { minLength: 1, maxLength: 6 }), async (all) => {
        for (const { updates, presence, length } of all) {
          const text = 'x'.repeat(length);
          const options = (): { idempotencyKey: string } => ({ idempotencyKey: String((number += 1)) });
          await Promise.all([
            ...Array.from({ length: updates }, () => journal.append(update(String(number), text), options())),
            ...Array.from({ length: presence }, () => journal.appendPresence(record(2, text), options())),
          ]);
          // LMDB itself never makes it longer than its last page.
          expect((await stat(file)).size).toBeGreaterThan(journal.usage.fileBytes);
        }
      }),
      { numRuns: 10 },
    );
  }, 60_000);
});

describe('what a write has stored that was reported as failed', () => {
  it('is read by nobody, and makes room for what comes in its place', async () => {
    Logger.overrideLogger(new CapturedLog());
    const path = await mkdtemp(join(tmpdir(), 'herald-ghosts-'));
    const environment = new LmdbEnvironment(path);
    const damage = new DamageLog('');
    const updates = new LmdbStore(environment.updates, PLENTY, Date.now, damage);
    const presence = new LmdbStore(environment.presence, PLENTY, Date.now, damage);
    const options = { idempotencyKey: 'key', fingerprint: undefined };
    const write = (): Promise<boolean> =>
      environment.write({ updates: updates.change(9), presence: presence.change(9) });

    updates.stage(1, { ...options, idempotencyKey: undefined, content: update('a') });
    await write();
    updates.committed();
    presence.committed();
    for (let times = 0; times < 2; times += 1) {
      const [lost, gone] = [update(`lost-${times}`), record(2)];
      updates.stage(2, { ...options, content: lost });
      presence.stage(4, { ...options, content: gone });
      await write();
      await environment.reopen();
      for (const store of [updates, presence]) {
        store.discard();
        store.recover();
        expect(store.garbageCount).toBe(1);
      }
      expect([updates.newest, presence.newest]).toEqual([1, 0]);
      expect([updates.positionWithId(lost.id), presence.positionWithId(gone.id)]).toEqual([undefined, undefined]);
      expect([updates.withKey('key'), presence.withKey('key')]).toEqual([undefined, undefined]);
    }
    const kept = record(1);
    updates.stage(2, { ...options, content: update('b') });
    presence.stage(3, { ...options, content: kept });
    await write();
    for (const store of [updates, presence]) {
      store.committed();
      expect(store.garbageCount).toBe(0);
    }
    expect(positionsOf(updates.read(0, 10, 3).entries)).toEqual([1, 2]);
    expect(presence.read(0, 10, 3)).toEqual({ entries: [{ position: 3, record: kept }], upTo: 3, oldest: 1 });
    expect([updates.withKey('key')?.content.id, presence.withKey('key')?.content]).toEqual(['b', kept]);
    expect([environment.updates.last, environment.presence.last]).toEqual([2, 3]);
    await environment.close();
    await rm(path, { recursive: true });
  });
});
