import { Logger } from '@nestjs/common';
import {
  type AppendOptions,
  type Entry,
  isPresence,
  type Journal,
  type ReadEntry,
  type Retention,
} from '../storage/journal/journal.js';
import type { Update } from '../storage/journal/update.js';
import { CapturedLog } from './captured-log.js';
import type { Tools } from './tools.js';

/** What the suite needs of an engine. */
export interface Engine {
  readonly name: string;
  /** An empty journal. `now` is its clock, in milliseconds. */
  readonly open: (retention: Retention, now: () => number, presence?: Retention) => Promise<Journal>;
  /** Closes the journal and opens what it has stored. None where nothing is left of a journal that is closed. */
  readonly again?: (journal: Journal) => Promise<Journal>;
  /** Closes the newest journal, spoils the entries with these ids, and opens it again. None where nothing can be spoilt. */
  readonly spoil?: (journal: Journal, ids: readonly string[]) => Promise<Journal>;
}

export const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

export function update(id: string, data = id): Update {
  return { topics: ['https://example.com/t'], data, id, private: false };
}

/** The options of an update whose fingerprint is made when it is asked for, as the hub gives them. */
class MadeWhenAsked implements AppendOptions {
  constructor(
    readonly idempotencyKey: string,
    private readonly made: string,
  ) {}

  get fingerprint(): string {
    return this.made;
  }
}

/** Without one where an entry is damaged. */
function idsOf(entries: readonly ReadEntry[]): (string | undefined)[] {
  return entries.map((entry) => (isPresence(entry) ? entry.record.id : entry.update?.id));
}

/** What every engine must hold to: one suite for all of them. */
export function describeJournal(tools: Tools, { name, open, spoil }: Engine): void {
  const { describe, it, beforeEach, afterEach, expect, fc } = tools;
  describe(`the ${name} journal`, () => {
    let now = 1_000_000;
    let journal: Journal;

    beforeEach(async () => {
      now = 1_000_000;
      journal = await open(PLENTY, () => now);
    });
    afterEach(() => journal.close());

    async function reopen(retention: Partial<Retention>, presence: Partial<Retention> = {}): Promise<void> {
      await journal.close();
      journal = await open({ ...PLENTY, ...retention }, () => now, { ...PLENTY, ...presence });
    }

    async function read(after: number, limit: number): Promise<readonly ReadEntry[]> {
      return (await journal.read(after, limit)).entries;
    }

    async function append(...ids: string[]): Promise<void> {
      for (const id of ids) await journal.append(update(id));
    }

    it('begins empty', async () => {
      expect([journal.head, journal.oldest, journal.lastId]).toEqual([0, 1, undefined]);
      expect(await read(0, 10)).toEqual([]);
      expect(await journal.locate('a')).toBeUndefined();
    });

    it('gives positions without gaps, and back what was stored', async () => {
      const stored: Update = { topics: ['a', 'b'], data: 'x\ny', id: '1', private: true, type: 't', retry: 5 };
      expect(await journal.append(stored)).toEqual({ outcome: 'stored', position: 1, id: '1' });
      expect(await journal.append(update('2'))).toEqual({ outcome: 'stored', position: 2, id: '2' });
      expect(await read(0, 10)).toMatchObject([
        { position: 1, update: stored },
        { position: 2, update: update('2') },
      ]);
      expect([journal.head, journal.oldest, journal.lastId]).toEqual([2, 1, '2']);
    });

    it('stores appends that are under way together in the order of the calls', async () => {
      const ids = Array.from({ length: 300 }, (_, index) => `id-${index}`);
      await Promise.all(ids.map(async (id) => journal.append(update(id))));
      expect(idsOf(await read(0, 1_000))).toEqual(ids);
    });

    it('reads from anywhere, and no more than asked', async () => {
      await append('1', '2', '3', '4', '5');
      expect(idsOf(await read(1, 2))).toEqual(['2', '3']);
      expect(idsOf(await read(4, 10))).toEqual(['5']);
      expect(await read(5, 10)).toEqual([]);
    });

    it('locates the earliest entry with an id (R68), also when that one has been trimmed', async () => {
      await reopen({ events: 3 });
      await append('a', 'b', 'a');
      expect(await journal.locate('a')).toBe(1);
      await append('c');
      expect(await journal.locate('a')).toBe(3);
      expect(await journal.locate('b')).toBe(2);
      await append('d', 'e', 'f');
      expect(await journal.locate('a')).toBeUndefined();
    });

    it('stores nothing twice under one idempotency key', async () => {
      const key = { idempotencyKey: 'k', fingerprint: 'f' };
      expect(await journal.append(update('1'), key)).toMatchObject({ outcome: 'stored', id: '1' });
      expect(await journal.append(update('2'), key)).toEqual({ outcome: 'repeated', id: '1' });
      expect(await journal.append(update('3'), { ...key, fingerprint: 'g' })).toEqual({ outcome: 'conflict' });
      expect(await journal.append(update('4'), { ...key, idempotencyKey: 'l' })).toMatchObject({ outcome: 'stored' });
      expect(idsOf(await read(0, 10))).toEqual(['1', '4']);
    });

    it('asks for a fingerprint by its name, because it may be made only then', async () => {
      await journal.append(update('1'), new MadeWhenAsked('k', 'f'));
      expect(await journal.append(update('2'), new MadeWhenAsked('k', 'f'))).toEqual({ outcome: 'repeated', id: '1' });
      expect(await journal.append(update('3'), new MadeWhenAsked('k', 'g'))).toEqual({ outcome: 'conflict' });
    });

    it('forgets an idempotency key with its entry', async () => {
      await reopen({ events: 2 });
      const key = { idempotencyKey: 'k', fingerprint: 'f' };
      await journal.append(update('1'), key);
      await append('2', '3');
      expect(await journal.append(update('4'), key)).toMatchObject({ outcome: 'stored', id: '4' });
    });

    const limits = { 'a number of events': { events: 3 }, 'a number of bytes': { bytes: 3 * 1_500 } };
    for (const [limit, retention] of Object.entries(limits)) {
      it(`keeps ${limit}`, async () => {
        await reopen(retention);
        for (let id = 1; id <= 20; id += 1) await journal.append(update(String(id), 'x'.repeat(1_000)));
        expect(journal.head).toBe(20);
        expect(journal.oldest).toBeGreaterThan(16);
        const found = await read(0, 100);
        expect(found.map(({ position }) => position)).toEqual(
          Array.from({ length: 21 - journal.oldest }, (__, index) => journal.oldest + index),
        );
      });
    }

    it('keeps nothing beyond its age', async () => {
      await reopen({ age: 60_000 });
      await append('1', '2');
      now += 59_000;
      await append('3');
      now += 2_000;
      expect(await journal.locate('2')).toBeUndefined();
      expect(idsOf(await read(0, 10))).toEqual(['3']);
      expect(await journal.append(update('4'))).toMatchObject({ position: 4 });
    });

    it('tells its tail everything after a position, in order, once, until it is stopped', async () => {
      await append('1', '2', '3');
      const seen: number[] = [];
      const stop = journal.tail(1, (entries) => seen.push(...entries.map(({ position }) => position)));
      await append('4', '5');
      expect(seen).toEqual([2, 3, 4, 5]);
      stop();
      await append('6');
      expect(seen).toEqual([2, 3, 4, 5]);
    });

    it('stores, and tells the others, whatever a listener throws', async () => {
      const log = new CapturedLog();
      Logger.overrideLogger(log);
      await append('1');
      const seen: number[] = [];
      const fail = (): never => {
        throw new Error('a listener of the test');
      };
      journal.tail(0, fail, fail);
      journal.tail(0, (entries) => seen.push(...entries.map(({ position }) => position)));
      expect(await journal.append(update('2'))).toMatchObject({ outcome: 'stored', position: 2 });
      expect(await journal.append(update('3'))).toMatchObject({ outcome: 'stored', position: 3 });
      while (seen.length < 3) await new Promise(setImmediate);
      expect(seen).toEqual([1, 2, 3]);
      expect(idsOf(await read(0, 10))).toEqual(['1', '2', '3']);
      expect(log.errors.length).toBeGreaterThan(0);
    });

    it('behaves like a plain list that is cut off at the front', async () => {
      const command = fc.record({ id: fc.integer({ min: 0, max: 8 }).map(String), data: fc.string({ maxLength: 20 }) });
      await fc.assert(
        fc.asyncProperty(
          fc.array(command, { maxLength: 60 }),
          fc.integer({ min: 1, max: 20 }),
          async (commands, events) => {
            await reopen({ events });
            const model: Entry[] = [];
            for (const [index, { id, data }] of commands.entries()) {
              model.push({ position: index + 1, update: update(id, data) });
              await journal.append(update(id, data));
            }
            const held = model.slice(-events);
            expect(await read(0, 1_000)).toMatchObject(held);
            expect(journal.oldest).toBe(model.length - held.length + 1);
            for (let id = 0; id <= 8; id += 1) {
              const first = held.find((entry) => entry.update.id === String(id));
              expect(await journal.locate(String(id))).toBe(first?.position);
            }
          },
        ),
        { numRuns: 60 },
      );
    });

    if (!spoil) return;

    describe('with entries that are damaged', () => {
      let log: CapturedLog;

      beforeEach(() => {
        log = new CapturedLog();
        Logger.overrideLogger(log);
      });

      const damage = async (...ids: string[]): Promise<void> => {
        journal = await spoil(journal, ids);
      };

      it('gives what is whole, in order, and the places of the others, which it logs once', async () => {
        await append('id-1', 'id-2', 'id-3', 'id-4', 'id-5', 'id-6', 'id-7');
        await damage('id-1', 'id-3', 'id-4', 'id-7');
        const found = await read(0, 10);
        expect(idsOf(found)).toEqual([undefined, 'id-2', undefined, undefined, 'id-5', 'id-6', undefined]);
        expect(found.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(await read(2, 2)).toMatchObject([{ position: 3 }, { position: 4 }]);
        expect(log.errors.map(({ position }) => position)).toEqual([1, 3, 4, 7]);
      });

      it('goes on after them, and still knows where they were', async () => {
        await append('id-1', 'id-2', 'id-3');
        await damage('id-2', 'id-3');
        expect([journal.head, journal.oldest]).toEqual([3, 1]);
        expect(await journal.locate('id-2')).toBe(2);
        expect([1, 3]).toContain(await journal.locate(journal.lastId ?? ''));
        await append('id-4');
        expect([journal.head, journal.lastId]).toEqual([4, 'id-4']);
        expect(idsOf(await read(0, 10))).toEqual(['id-1', undefined, undefined, 'id-4']);
      });

      it('begins again where all of them are', async () => {
        await append('id-1', 'id-2');
        await damage('id-1', 'id-2');
        expect(journal.head).toBe(2);
        await append('id-3');
        expect(idsOf(await read(0, 10)).filter((id) => id !== undefined)).toEqual(['id-3']);
      });

      it('tells its tail of them in their places', async () => {
        await append('id-1', 'id-2', 'id-3', 'id-4', 'id-5');
        await damage('id-1', 'id-4');
        const seen: ReadEntry[] = [];
        journal.tail(0, (some) => seen.push(...some));
        while (seen.length < 5) await new Promise(setImmediate);
        await append('id-6');
        expect(idsOf(seen)).toEqual([undefined, 'id-2', 'id-3', undefined, 'id-5', 'id-6']);
        expect(seen.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6]);
      });

      it('lets go of them like of all others', async () => {
        await reopen({ events: 5 });
        await append('id-1', 'id-2', 'id-3', 'id-4', 'id-5');
        await damage('id-1', 'id-3');
        await append('id-6', 'id-7', 'id-8');
        expect(journal.oldest).toBe(4);
        expect(idsOf(await read(0, 10))).toEqual(['id-4', 'id-5', 'id-6', 'id-7', 'id-8']);
      });
    });
  });
}
