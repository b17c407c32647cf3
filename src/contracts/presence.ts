import type { Entry, Journal, PresenceEntry, ReadEntry, Retention } from '../storage/journal/journal.js';
import { eventIdOf, newRecordId, type PresenceRecord } from '../storage/journal/presence-record.js';
import type { Update } from '../storage/journal/update.js';
import { type Engine, PLENTY, update } from './journal.js';
import type { Tools } from './tools.js';

function record(events = 1, content = 'who and what'): PresenceRecord {
  return { id: newRecordId(), events, content };
}

/** What a journal holds, as two lists of which each keeps its newest entries. */
class TwoLists {
  readonly all: (Entry | PresenceEntry)[] = [];
  private readonly updates: Entry[] = [];
  private readonly records: PresenceEntry[] = [];
  head = 0;

  constructor(
    private readonly events: number,
    private readonly presence: number,
  ) {}

  add(one: Update): Entry {
    const entry = { position: (this.head += 1), update: one };
    this.updates.push(entry);
    this.all.push(entry);
    return entry;
  }

  addPresence(one: PresenceRecord): PresenceEntry {
    const entry = { position: (this.head += one.events), record: one };
    this.records.push(entry);
    this.all.push(entry);
    return entry;
  }

  get oldest(): number {
    return (this.updates.at(-this.events - 1)?.position ?? 0) + 1;
  }

  get oldestPresence(): number {
    return (this.records.at(-this.presence - 1)?.position ?? 0) + 1;
  }

  get lastId(): string | undefined {
    const newest = this.all.at(-1);
    if (!newest) return undefined;
    return 'record' in newest ? eventIdOf(newest.record, newest.record.events - 1) : newest.update.id;
  }

  heldAfter(after: number): (Entry | PresenceEntry)[] {
    const { oldest, oldestPresence } = this;
    return this.all.filter(
      (entry) => entry.position > after && entry.position >= ('record' in entry ? oldestPresence : oldest),
    );
  }
}

/** What every engine must hold to that has comings and goings beside updates. */
export function describePresence(tools: Tools, { name, open, again }: Engine): void {
  const { describe, it, beforeEach, afterEach, expect, fc } = tools;
  describe(`the ${name} journal with comings and goings`, () => {
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

    it('keeps them apart from the updates, in one order with them', async () => {
      const [first, second] = [record(3), record(1)];
      await append('a');
      expect(await journal.appendPresence(first)).toEqual({
        outcome: 'stored',
        position: 4,
        id: eventIdOf(first, 2),
      });
      expect(journal.lastId).toBe(eventIdOf(first, 2));
      expect(await journal.append(update('b'))).toMatchObject({ position: 5 });
      expect(await journal.appendPresence(second)).toMatchObject({ position: 6 });
      expect([journal.head, journal.oldest, journal.oldestPresence]).toEqual([6, 1, 1]);
      expect(await journal.read(0, 10)).toMatchObject({
        entries: [
          { position: 1, update: update('a') },
          { position: 4, record: first },
          { position: 5, update: update('b') },
          { position: 6, record: second },
        ],
        upTo: 6,
        oldest: 1,
        oldestPresence: 1,
      });
      await append('c');
      expect(journal.lastId).toBe('c');
    });

    it('gives a record whole to a reader that has had some of its events', async () => {
      const one = record(5);
      await journal.appendPresence(one);
      for (const after of [0, 1, 4]) expect(await read(after, 1)).toMatchObject([{ position: 5, record: one }]);
      expect(await read(5, 1)).toEqual([]);
    });

    it('stores one once under one idempotency key', async () => {
      const one = record(2);
      const options = { idempotencyKey: 'come' };
      await journal.appendPresence(one, options);
      expect(await journal.appendPresence(record(), options)).toEqual({ outcome: 'repeated', id: eventIdOf(one, 1) });
      expect(await journal.append(update('a'), options)).toMatchObject({ outcome: 'stored', position: 3 });
    });

    it('tells its tail of them in their places', async () => {
      const seen: number[] = [];
      await append('a');
      await journal.appendPresence(record(2));
      const stop = journal.tail(0, (some) => seen.push(...some.map(({ position }) => position)));
      await append('b');
      await journal.appendPresence(record(2));
      while (seen.length < 4) await new Promise(setImmediate);
      expect(seen).toEqual([1, 3, 4, 6]);
      stop();
    });

    it('lets no crowd of them evict an update, and no update one of them', async () => {
      await reopen({ events: 3 }, { events: 2 });
      await append('a');
      for (let count = 0; count < 300; count += 1) await journal.appendPresence(record(2));
      expect([journal.oldest, journal.oldestPresence, journal.head]).toEqual([1, 598, 601]);
      expect(await journal.read(0, 10)).toMatchObject({
        entries: [{ position: 1 }, { position: 599 }, { position: 601 }],
        upTo: 601,
        oldest: 1,
        oldestPresence: 598,
      });
      expect(await journal.read(1, 1)).toMatchObject({ entries: [{ position: 599 }], upTo: 599 });
      await append('b', 'c', 'd', 'e');
      expect([journal.oldest, journal.oldestPresence]).toEqual([603, 598]);
      expect((await read(0, 10)).map(({ position }) => position)).toEqual([599, 601, 603, 604, 605]);
    });

    it('keeps none beyond their age, and none beyond their bytes', async () => {
      await reopen({}, { age: 1_000, bytes: 20_000 });
      for (let count = 0; count < 20; count += 1) await journal.appendPresence(record(1, 'x'.repeat(3_000)));
      expect(journal.oldestPresence).toBeGreaterThan(14);
      expect(journal.oldestPresence).toBeLessThanOrEqual(20);
      await append('a');
      now += 2_000;
      expect(await journal.read(0, 10)).toMatchObject({
        entries: [{ position: 21 }],
        oldest: 1,
        oldestPresence: 21,
      });
      expect(await journal.read(21, 10)).toMatchObject({ entries: [], upTo: 21 });
    });

    it('says how far it has read where nothing is held', async () => {
      await reopen({}, { events: 1 });
      for (let count = 0; count < 10; count += 1) await journal.appendPresence(record());
      now += 2 * PLENTY.age;
      expect(await journal.read(0, 10)).toMatchObject({ entries: [], upTo: 10, oldest: 1, oldestPresence: 11 });
      expect(await journal.append(update('a'))).toMatchObject({ position: 11 });
    });

    it('behaves like two plain lists that are cut off at the front', async () => {
      const deed = fc.record({
        id: fc.integer({ min: 0, max: 5 }).map(String),
        events: fc.integer({ min: 0, max: 3 }),
      });
      const limit = fc.integer({ min: 1, max: 8 });
      await fc.assert(
        fc.asyncProperty(fc.array(deed, { maxLength: 60 }), limit, limit, async (deeds, events, presence) => {
          await reopen({ events }, { events: presence });
          const model = new TwoLists(events, presence);
          const seen: ReadEntry[] = [];
          const stop = journal.tail(0, (some) => seen.push(...some));
          for (const { id, events: count } of deeds) {
            const entry = count === 0 ? model.add(update(id)) : model.addPresence(record(count));
            await ('record' in entry ? journal.appendPresence(entry.record) : journal.append(entry.update));
          }
          while (seen.length < deeds.length) await new Promise(setImmediate);
          stop();
          expect(seen).toMatchObject(model.all);
          const { head, oldest, oldestPresence, lastId } = model;
          expect([journal.head, journal.oldest, journal.oldestPresence]).toEqual([head, oldest, oldestPresence]);
          expect(journal.lastId).toBe(lastId);
          for (let after = 0; after <= head; after += 1) {
            const expected = model.heldAfter(after).slice(0, 3);
            const last = expected.at(-1)?.position ?? head;
            const reading = await journal.read(after, 3);
            expect(reading).toMatchObject({ entries: expected, oldest, oldestPresence });
            expect(expected.length < 3 ? [head] : [last, head]).toContain(reading.upTo);
          }
        }),
        { numRuns: 60 },
      );
    });

    if (!again) return;

    it('has them again when it is opened again, with what is missing', async () => {
      await reopen({ events: 2 }, { events: 2 });
      const records = [record(2), record(1), record(3)];
      await append('a', 'b', 'c');
      for (const one of records) await journal.appendPresence(one);
      const before = await journal.read(0, 10);
      const { lastId } = journal;
      journal = await again(journal);
      expect(await journal.read(0, 10)).toMatchObject(before);
      expect([journal.head, journal.oldest, journal.oldestPresence, journal.lastId]).toEqual([9, 2, 6, lastId]);
      expect(await journal.appendPresence(record())).toMatchObject({ position: 10 });
      now += 2 * PLENTY.age;
      journal = await again(journal);
      expect(await journal.read(0, 10)).toMatchObject({ entries: [], upTo: 10, oldest: 4, oldestPresence: 11 });
      expect(await journal.append(update('d'))).toMatchObject({ position: 11 });
    });
  });
}
