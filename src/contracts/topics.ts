import { isWhole, type Journal, type Retention } from '../storage/journal/journal.js';
import { newRecordId } from '../storage/journal/presence-record.js';
import type { HeldTopic, TopicAddresses, TopicLookup, TopicQuery } from '../storage/journal/topics/topic-lookup.js';
import type { Update } from '../storage/journal/update.js';
import { type Engine, PLENTY } from './journal.js';
import type { Tools } from './tools.js';

/** An engine whose logs tell the addresses of topics. */
export interface TopicEngine extends Pick<Engine, 'name' | 'again'> {
  readonly open: (
    retention: Retention,
    now: () => number,
    presence: Retention,
    addresses: TopicAddresses,
  ) => Promise<Journal>;
}

const BASE = 'https://hub.example/.well-known/mercure';

/** Addresses as the hub makes them, but for what a URL has besides its origin and path. */
const addresses: TopicAddresses = {
  base: BASE,
  of(topic) {
    if (!URL.canParse(topic, BASE)) return undefined;
    const { protocol, host, pathname } = new URL(topic, BASE);
    return `${protocol}//${host}${pathname}`;
  },
};

const LONG = `https://example.com/long/${'x'.repeat(3_000)}`;

/** Some lead to the same address, some to another one than their own text, and one to none. */
const TOPICS = [
  'https://example.com/users/1',
  'https://example.com/users/2',
  'https://example.com/users/2?tab=a',
  'https://EXAMPLE.com/users/3',
  'https://example.com:443/users/4',
  'https://example.com/ü',
  '/users/5',
  'room',
  'http://[',
  '',
  '*',
  `${LONG}1`,
  `${LONG}2`,
];

const PREFIXES = [
  '',
  'https://example.com/users/',
  'https://hub.example/',
  'https://example.com/long/xxx',
  LONG,
  'r',
  '☃',
];

function updateOf(id: string, topics: readonly string[]): Update {
  return { topics, data: `data of ${id}`, id, private: id.endsWith('0') };
}

function byTopic(one: { readonly topic: string }, other: { readonly topic: string }): number {
  return one.topic < other.topic ? -1 : Number(one.topic > other.topic);
}

/** What every engine must hold to that finds updates by topic and takes updates out. */
export function describeTopics(tools: Tools, { name, open, again }: TopicEngine): void {
  const { describe, it, beforeEach, afterEach, expect, fc } = tools;

  /** Every topic of a list, asked for in parts. */
  function allOf(lookup: TopicLookup, query: Omit<TopicQuery, 'limit'>, limit: number): readonly HeldTopic[] {
    const { topics, next } = lookup.topics({ ...query, limit });
    expect(topics.length).toBeLessThanOrEqual(limit);
    return next === undefined ? topics : [...topics, ...allOf(lookup, { ...query, from: next }, limit)];
  }

  describe(`the ${name} journal by topic`, () => {
    let now = 1_000_000;
    let journal: Journal;

    async function reopen(retention: Partial<Retention> = {}): Promise<void> {
      await journal.close();
      journal = await open({ ...PLENTY, ...retention }, () => now, { ...PLENTY, events: 3 }, addresses);
    }

    /** The index, once it knows of everything up to `head`. */
    async function lookupAt(head: number): Promise<TopicLookup> {
      for (;;) {
        const { topics } = journal;
        if (topics && journal.head >= head) return topics;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }

    beforeEach(async () => {
      now = 1_000_000;
      journal = await open(PLENTY, () => now, PLENTY, addresses);
    });
    afterEach(() => journal.close());

    it('has no topics at the beginning', async () => {
      const lookup = await lookupAt(0);
      expect(lookup.topics({ by: 'text', prefix: '', limit: 10 })).toEqual({ topics: [], next: undefined });
      expect(lookup.positionsAfter('a', 0, 10)).toEqual([]);
      expect(lookup.positionsBefore('a', 10, 10)).toEqual([]);
      expect(await journal.readAt([])).toMatchObject({ entries: [] });
    });

    it('gives an update that names a topic twice once', async () => {
      await journal.append(updateOf('a', ['t', 'u', 't']));
      const lookup = await lookupAt(1);
      expect(lookup.positionsAfter('t', 0, 10)).toEqual([1]);
      expect(lookup.topics({ by: 'text', prefix: 't', limit: 10 }).topics).toEqual([
        { topic: 't', count: 1, newest: 1 },
      ]);
    });

    it('gives no more positions than were asked for, from either end', async () => {
      for (let count = 0; count < 5; count += 1) await journal.append(updateOf(`${count}`, ['t']));
      const lookup = await lookupAt(5);
      expect(lookup.positionsAfter('t', 1, 2)).toEqual([2, 3]);
      expect(lookup.positionsBefore('t', 5, 3)).toEqual([4, 3, 2]);
      expect(lookup.positionsBefore('t', 100, 1)).toEqual([5]);
      expect(lookup.positionsAfter('t', 5, 2)).toEqual([]);
    });

    it('finds nothing by topic that has grown too old', async () => {
      await reopen({ age: 1_000 });
      await journal.append(updateOf('a', ['t']));
      await lookupAt(1);
      now += 5_000;
      await journal.append(updateOf('b', ['u']));
      await journal.read(0, 10);
      const lookup = await lookupAt(2);
      expect(lookup.positionsAfter('t', 0, 10)).toEqual([]);
      expect(lookup.positionsBefore('t', 10, 10)).toEqual([]);
      expect(allOf(lookup, { by: 'text', prefix: '' }, 10)).toEqual([{ topic: 'u', count: 1, newest: 2 }]);
    });

    it('reads entries of any size at positions, in parts', async () => {
      for (let count = 1; count <= 8; count += 1) {
        await journal.append({ ...updateOf(`${count}`, ['t']), data: 'x'.repeat(200_000) });
      }
      await lookupAt(8);
      const wanted = [1, 3, 4, 8];
      const read: number[] = [];
      while (read.length < wanted.length) {
        const rest = wanted.slice(read.length);
        const { entries, upTo } = await journal.readAt(rest);
        expect(entries.length).toBeGreaterThan(0);
        expect(rest.filter((position) => position <= upTo)).toEqual(entries.map(({ position }) => position));
        read.push(...entries.map(({ position }) => position));
      }
      expect(read).toEqual(wanted);
    });

    it('takes updates out, and with them whatever leads to them', async () => {
      for (const id of ['a', 'b', 'c', 'd', 'e']) {
        await journal.append(updateOf(id, ['t', `of-${id}`]), { idempotencyKey: `key-${id}`, fingerprint: id });
      }
      await lookupAt(5);
      const told: number[] = [];
      journal.onRemoved((positions) => told.push(...(positions ?? [])));
      await journal.remove([1, 3, 5, 77]);
      expect(told).toEqual(expect.arrayContaining([1, 3, 5]));
      const check = async (): Promise<void> => {
        const lookup = await lookupAt(5);
        expect(await journal.read(0, 10)).toMatchObject({
          entries: [{ position: 2 }, { position: 4 }],
          upTo: 5,
          oldest: 1,
        });
        expect((await journal.read(0, 10)).entries).toHaveLength(2);
        expect([journal.head, journal.oldest, journal.lastId]).toEqual([5, 1, 'd']);
        expect(lookup.positionsAfter('t', 0, 10)).toEqual([2, 4]);
        expect(allOf(lookup, { by: 'text', prefix: 'of-' }, 10).map(({ topic }) => topic)).toEqual(['of-b', 'of-d']);
        expect((await journal.readAt([1, 2, 3, 4, 5])).entries).toMatchObject([{ position: 2 }, { position: 4 }]);
        for (const id of ['a', 'c', 'e']) expect(await journal.locate(id)).toBeUndefined();
        expect(await journal.locate('d')).toBe(4);
      };
      await check();
      if (again) {
        journal = await again(journal);
        await check();
      }
      expect(await journal.append(updateOf('f', ['t']), { idempotencyKey: 'key-a' })).toMatchObject({
        outcome: 'stored',
        position: 6,
      });
      expect((await lookupAt(6)).positionsAfter('t', 0, 10)).toEqual([2, 4, 6]);
    });

    it('counts neither an update that was taken out among those that it keeps, nor as trimmed', async () => {
      await reopen({ events: 4 });
      for (const id of ['a', 'b', 'c', 'd']) await journal.append(updateOf(id, ['t']));
      await journal.remove([1, 2]);
      expect(journal.oldest).toBe(1);
      for (const id of ['e', 'f', 'g', 'h']) await journal.append(updateOf(id, ['t']));
      const { entries, oldest } = await journal.read(0, 10);
      expect(entries.map(({ position }) => position)).toEqual([5, 6, 7, 8]);
      expect(oldest).toBe(5);
    });

    it('finds what a scan of the log finds, whatever was appended, taken out, trimmed and opened again', async () => {
      const deed = fc.oneof(
        {
          weight: 10,
          arbitrary: fc.record({ append: fc.uniqueArray(fc.constantFrom(...TOPICS), { minLength: 1, maxLength: 3 }) }),
        },
        { weight: 2, arbitrary: fc.record({ presence: fc.integer({ min: 1, max: 3 }) }) },
        { weight: 2, arbitrary: fc.record({ remove: fc.nat(40) }) },
        { weight: 1, arbitrary: fc.record({ again: fc.constant(true) }) },
      );
      const limit = fc.integer({ min: 1, max: 4 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(deed, { maxLength: 40 }),
          fc.integer({ min: 1, max: 30 }),
          limit,
          async (deeds, events, most) => {
            await reopen({ events });
            let head = 0;
            for (const one of deeds) {
              if ('append' in one) await journal.append(updateOf(`${(head += 1)}`, one.append));
              else if ('presence' in one) {
                head += one.presence;
                await journal.appendPresence({ id: newRecordId(), events: one.presence, content: 'who' });
              } else if ('remove' in one) await journal.remove([one.remove]);
              else if (again) journal = await again(journal);
            }
            const lookup = await lookupAt(head);
            const { entries, oldest } = await journal.read(0, 1_000);
            const held = entries.flatMap((entry) => ('update' in entry && isWhole(entry) ? [entry] : []));
            expect(lookup.from).toBeLessThanOrEqual(oldest);
            const found = TOPICS.map((topic) => {
              const positions = held
                .filter(({ update }) => update.topics.includes(topic))
                .map(({ position }) => position);
              const middle = Math.floor(head / 2);
              expect(lookup.positionsAfter(topic, 0, 1_000)).toEqual(positions);
              expect(lookup.positionsAfter(topic, middle, most)).toEqual(
                positions.filter((one) => one > middle).slice(0, most),
              );
              const before = positions.filter((one) => one < middle).toReversed();
              expect(lookup.positionsBefore(topic, middle, most)).toEqual(before.slice(0, most));
              return { topic, count: positions.length, newest: positions.at(-1) ?? 0 };
            }).filter(({ count }) => count > 0);
            for (const prefix of PREFIXES) {
              const byText = found.filter(({ topic }) => topic.startsWith(prefix)).toSorted(byTopic);
              expect([...allOf(lookup, { by: 'text', prefix }, most)].toSorted(byTopic)).toEqual(byText);
              const byAddress = found.filter(({ topic }) => addresses.of(topic)?.startsWith(prefix));
              expect(allOf(lookup, { by: 'address', prefix }, most)).toEqual(expect.arrayContaining(byAddress));
            }
            const wanted = held.filter((_, index) => index % 2 === 0);
            expect((await journal.readAt(wanted.map(({ position }) => position))).entries).toMatchObject(wanted);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}
