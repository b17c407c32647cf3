import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Grants, UNLIMITED } from '../../src/access/grants.js';
import { Cohort } from '../../src/hub/delivery/cohort.js';
import { JournalPages } from '../../src/hub/delivery/log/journal-pages.js';
import { RecentLog } from '../../src/hub/delivery/log/recent-log.js';
import { Slices } from '../../src/hub/delivery/slices.js';
import { TopicPlans } from '../../src/hub/delivery/topic-plans.js';
import { Interest } from '../../src/hub/matching/interest.js';
import type { Matcher } from '../../src/hub/matching/matcher.js';
import { topicAddresses } from '../../src/hub/matching/url-pattern/topic-addresses.js';
import { Background } from '../../src/shared/background.js';
import { isPresence, isWhole, type Journal, type Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { newRecordId } from '../../src/storage/journal/presence-record.js';
import type { TopicAddresses } from '../../src/storage/journal/topics/topic-lookup.js';
import { openRedis } from '../journal/open-redis.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

/** May read private updates of the first users alone. */
const SOME: Grants = {
  ...UNLIMITED,
  readKey: 'some',
  canRead: (topics) => topics.some((topic) => topic.endsWith('1')),
};

const MATCHERS: readonly Matcher[] = [
  { type: 'exact', pattern: 'https://example.com/users/1' },
  { type: 'exact', pattern: 'https://example.com/users/2' },
  { type: 'exact', pattern: 'room' },
  { type: 'exact', pattern: 'nobody' },
  { type: 'exact', pattern: '*' },
  { type: 'urlpattern', pattern: 'https://example.com/users/:id' },
  { type: 'urlpattern', pattern: 'https://example.com/users/(1|2)' },
  { type: 'urlpattern', pattern: '/relative/*' },
  { type: 'urlpattern', pattern: '*://*/users/3' },
  { type: 'uritemplate', pattern: 'https://example.com/users/{id}' },
];

/** Updates that nobody wants, or few, or many: the choice of the cheaper way lies in between. */
const topicsOf: fc.Arbitrary<readonly string[]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant(['urn:of-others']) },
  {
    weight: 2,
    arbitrary: fc.uniqueArray(
      fc.constantFrom(
        'https://example.com/users/1',
        'https://EXAMPLE.com:443/users/1',
        'https://example.com/users/2',
        'https://example.com/users/3?a',
        '/relative/1',
        'room',
        'urn:of-others',
        'http://[',
      ),
      { minLength: 1, maxLength: 3 },
    ),
  },
);

interface Engine {
  readonly name: string;
  readonly open: (retention: Retention, addresses: TopicAddresses) => Promise<Journal>;
}

/** What a reader of a cohort would be sent, slice by slice, from a cursor to the head. */
async function replay(slices: Slices, cohort: Cohort, journal: Journal, from: number): Promise<string[]> {
  const sent: string[] = [];
  for (let cursor = from; cursor < journal.head;) {
    if (cursor + 1 < journal.oldest) cursor = journal.oldest - 1;
    const slice = await slices.after({ cursor, history: 0 }, cohort, journal.head);
    expect(slice.last).toBeGreaterThan(cursor);
    if (slice.bytes) sent.push(slice.bytes.plain.toString());
    cursor = slice.last;
  }
  return sent.join('').split('\n\n');
}

/** The same log without an index. */
function withoutIndex(journal: Journal): Journal {
  return new Proxy(journal, {
    get: (target, name) => {
      const value: unknown = name === 'topics' ? undefined : Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const background = new Background();

function slicesOf(journal: Journal, log: RecentLog): Slices {
  const pages = new JournalPages(journal, background);
  return new Slices(pages, log, background, new TopicPlans(journal, background));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What is appended to a log: runs of updates, comings and goings, and what is taken out again. */
interface Log {
  readonly updates: readonly (readonly string[])[];
  readonly presenceEvery: number;
  readonly removed: readonly number[];
  readonly events: number;
  readonly recentBytes: number;
}

const log: fc.Arbitrary<Log> = fc.record({
  updates: fc.array(topicsOf, { minLength: 150, maxLength: 700, size: 'max' }),
  presenceEvery: fc.integer({ min: 5, max: 200 }),
  removed: fc.array(fc.nat(500), { maxLength: 5 }),
  events: fc.constantFrom(100, 300, 10_000),
  recentBytes: fc.constantFrom(1, 50_000, 10_000_000),
});

async function fill(journal: Journal, { updates, presenceEvery, removed }: Log): Promise<void> {
  const appends: unknown[] = [];
  for (const [index, topics] of updates.entries()) {
    const data = `data of ${index}`.padEnd(index % 10 === 0 ? 5_000 : 20, '.');
    appends.push(journal.append({ topics, data, id: `id-${index}`, private: index % 5 === 0 }));
    if (index % presenceEvery === 0) {
      appends.push(journal.appendPresence({ id: newRecordId(), events: 3, content: 'who' }));
    }
  }
  await Promise.all(appends);
  await journal.remove(removed);
  await until(() => journal.topics !== undefined);
}

function describeLookup({ name, open }: Engine): void {
  describe(`a reader of the ${name} journal that comes back`, () => {
    it('is sent the same whether its updates are looked up or the log is read through', async () => {
      let lookedUp = 0;
      await fc.assert(
        fc.asyncProperty(
          log,
          fc.array(fc.uniqueArray(fc.constantFrom(...MATCHERS), { minLength: 1, maxLength: 3 }), {
            minLength: 4,
            maxLength: 4,
          }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (given, interests, part) => {
            const journal = await open({ ...PLENTY, events: given.events }, topicAddresses(HUB_URL));
            const recent = new RecentLog(given.recentBytes, 0);
            const stop = journal.tail(0, (entries) => {
              for (const entry of entries) if (isPresence(entry) || isWhole(entry)) recent.push(entry);
            });
            try {
              await fill(journal, given);
              await until(() => recent.head === journal.head);
              // What was taken out stays in this recent log, which nobody has told.
              for (const position of given.removed) recent.remove(position);
              const from = Math.floor(part * journal.head);
              for (const matchers of interests) {
                const cohort = new Cohort('', new Interest(matchers, HUB_URL), SOME);
                cohort.enter();
                const reads = countReads(journal);
                const sent = await replay(slicesOf(reads.journal, recent), cohort, journal, from);
                expect(sent).toEqual(await replay(slicesOf(withoutIndex(journal), recent), cohort, journal, from));
                if (reads.at > 0) lookedUp += 1;
              }
            } finally {
              stop();
              await journal.close();
            }
          },
        ),
        { numRuns: 25 },
      );
      expect(lookedUp).toBeGreaterThan(0);
    });

    it('goes on where the positions end that were looked up together', async () => {
      const journal = await open(PLENTY, topicAddresses(HUB_URL));
      try {
        const updates = Array.from({ length: 12_000 }, (_, index) => [
          index % 5 === 0 ? `urn:${(index / 5) % 2}` : 'urn:of-others',
        ]);
        await fill(journal, { updates, presenceEvery: 10_000, removed: [], events: 0, recentBytes: 0 });
        const matchers: Matcher[] = ['urn:0', 'urn:1'].map((pattern) => ({ type: 'exact', pattern }));
        const cohort = new Cohort('', new Interest(matchers, HUB_URL), UNLIMITED);
        cohort.enter();
        const reads = countReads(journal);
        const sent = await replay(slicesOf(reads.journal, new RecentLog(1, journal.head)), cohort, journal, 0);
        const ids = sent.flatMap((event) => /^id: (.*)$/m.exec(event)?.[1] ?? []);
        expect(ids).toEqual(Array.from({ length: 2_400 }, (_, index) => `id-${5 * index}`));
        expect(reads.through).toBeLessThan(2_000);
      } finally {
        await journal.close();
      }
    });

    it('costs what it gets, however much others have published', async () => {
      const journal = await open(PLENTY, topicAddresses(HUB_URL));
      const recent = new RecentLog(1, 0);
      const stop = journal.tail(0, (entries) => {
        for (const entry of entries) if (isPresence(entry) || isWhole(entry)) recent.push(entry);
      });
      try {
        const updates = Array.from({ length: 6_000 }, (_, index) => [`https://example.com/users/${index % 300}`]);
        await fill(journal, { updates, presenceEvery: 1_000, removed: [], events: 0, recentBytes: 0 });
        await until(() => recent.head === journal.head);
        for (const matcher of [
          MATCHERS[0],
          { type: 'urlpattern', pattern: 'https://example.com/users/1' },
        ] as Matcher[]) {
          const cohort = new Cohort('', new Interest([matcher], HUB_URL), UNLIMITED);
          cohort.enter();
          const reads = countReads(journal);
          const sent = await replay(slicesOf(reads.journal, recent), cohort, journal, 0);
          expect(sent.filter((event) => event.includes('data: '))).toHaveLength(20);
          expect([reads.through, reads.at]).toEqual([0, 20]);
        }
      } finally {
        stop();
        await journal.close();
      }
    });
  });
}

/** Counts the entries that are read through, and those that are read at positions. */
function countReads(journal: Journal): { journal: Journal; through: number; at: number } {
  const counts = { journal, through: 0, at: 0 };
  counts.journal = new Proxy(journal, {
    get: (target, name) => {
      if (name === 'read') {
        return async (after: number, limit: number) => {
          const reading = await target.read(after, limit);
          counts.through += reading.entries.length;
          return reading;
        };
      }
      if (name === 'readAt') {
        return (positions: readonly number[]) => {
          counts.at += positions.length;
          return target.readAt(positions);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return counts;
}

describeLookup({
  name: 'memory',
  open: (retention, addresses) => Promise.resolve(new MemoryJournal(retention, Date.now, PLENTY, addresses)),
});

describe('on disk', () => {
  let directory: string;
  let journals = 0;
  beforeAll(async () => void (directory = await mkdtemp(join(tmpdir(), 'herald-lookup-'))));
  afterAll(() => rm(directory, { recursive: true }));

  describeLookup({
    name: 'LMDB',
    open: (retention, addresses) =>
      LmdbJournal.open(join(directory, `${(journals += 1)}`), retention, Date.now, PLENTY, addresses),
  });
});

describeWith(redisServer, 'in Redis', (program) => {
  let redis: RedisServer;
  let journals = 0;
  beforeAll(async () => void (redis = await RedisServer.start(program, { configuration: ['appendfsync no'] })));
  afterAll(() => redis.stop());

  describeLookup({
    name: 'Redis',
    open: (retention, addresses) =>
      openRedis(redis.url, `lookup-${(journals += 1)}`, { retention, presenceRetention: PLENTY, addresses }),
  });
});
