import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Reading } from '../../../storage/journal/journal.js';
import { MemoryJournal } from '../../../storage/journal/memory/memory-journal.js';
import type { Update } from '../../../storage/journal/update.js';
import { Background } from '../../../shared/background.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { Interest } from '../../matching/interest.js';
import type { Matcher } from '../../matching/matcher.js';
import { topicAddresses } from '../../matching/url-pattern/topic-addresses.js';
import { Backwards } from './backwards.js';
import { JournalPages } from './journal-pages.js';
import { Latest } from './latest.js';
import type { Search } from './newest.js';
import { RecentLog } from './recent-log.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const PLENTY = { events: 1_000_000, bytes: Infinity, age: Infinity };

const TOPICS = ['https://example.com/a', 'https://example.com/b', '/c', 'urn:d', 'urn:of-others'];

const MATCHERS: readonly Matcher[] = [
  { type: 'exact', pattern: 'https://example.com/a' },
  { type: 'urlpattern', pattern: 'https://*/:name' },
  { type: 'exact', pattern: 'urn:d' },
  { type: 'exact', pattern: '*' },
];

/** A journal that finds nothing by topic. */
class WithoutIndex extends MemoryJournal {
  override get topics(): never {
    return undefined as never;
  }
}

function searchOf(matchers: readonly Matcher[], head: number, more: Partial<Search> = {}): Search {
  return {
    head,
    history: 0,
    interest: new Interest(matchers, HUB_URL),
    mayRead: (update) => !update.private,
    seesPresence: false,
    isOver: () => false,
    ...more,
  };
}

async function latestOf(journal: MemoryJournal, updates: readonly Update[], recent: number): Promise<Latest> {
  const log = new RecentLog(Infinity, Math.max(0, updates.length - recent));
  for (const [index, update] of updates.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append(update);
    if (index >= updates.length - recent) log.push({ position: index + 1, update });
  }
  const background = new Background();
  return new Latest(journal, new Backwards(log, new JournalPages(journal, background)), background);
}

/** What is to be found, by the plainest way. */
function expectedOf(updates: readonly Update[], { interest, mayRead }: Search): number[] {
  const topics = new Set(updates.flatMap((update) => update.topics).filter((topic) => interest.includes([topic])));
  const found = [...topics].flatMap((topic) => {
    const all = updates.flatMap((update, index) => (update.topics.includes(topic) ? [{ update, index }] : []));
    const newest = all.slice(-HUB_LIMITS.latest.perTopic).findLast(({ update }) => mayRead(update));
    return newest ? [newest.index + 1] : [];
  });
  return [...new Set(found)].toSorted((one, other) => one - other);
}

describe('Latest', () => {
  it('finds the newest update of each topic that may be read, with an index and without', async () => {
    const update = fc.record({
      topics: fc.uniqueArray(fc.constantFrom(...TOPICS), { minLength: 1, maxLength: 3 }),
      private: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(update, { maxLength: 120, size: 'max' }),
        fc.uniqueArray(fc.constantFrom(...MATCHERS), { minLength: 1, maxLength: 3 }),
        fc.nat(120),
        async (given, matchers, recent) => {
          const updates = given.map((one, index) => ({ ...one, data: '', id: `urn:${index}` }));
          const search = searchOf(matchers, updates.length);
          const expected = { positions: expectedOf(updates, search), truncatedTo: undefined };
          for (const Engine of [MemoryJournal, WithoutIndex]) {
            const journal = new Engine(PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
            // oxlint-disable-next-line no-await-in-loop -- one after the other
            expect(await (await latestOf(journal, updates, recent)).find(search)).toEqual(expected);
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it('reads an older update of a topic only where the newer ones may not be read', async () => {
    const updates = Array.from({ length: 1_000 }, (_, index) => ({
      topics: [`https://example.com/${index % 10}`],
      data: '',
      id: `urn:${index}`,
      private: index >= 990 && index % 2 === 0,
    }));
    const read: number[] = [];
    class Watched extends MemoryJournal {
      override readAt(positions: readonly number[]): Promise<Reading> {
        read.push(...positions);
        return super.readAt(positions);
      }
    }
    const journal = new Watched(PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
    const latest = await latestOf(journal, updates, 0);
    const found = await latest.find(searchOf([{ type: 'urlpattern', pattern: 'https://example.com/:n' }], 1_000));
    expect(found?.positions).toEqual([981, 983, 985, 987, 989, 992, 994, 996, 998, 1_000]);
    expect(read).toHaveLength(15);
  });

  it('looks no further through a log without an index than it may, and says so', async () => {
    const most = HUB_LIMITS.latest.lookedThrough;
    const updates = Array.from({ length: most + 1_000 }, (_, index) => ({
      topics: [index === 0 ? 'urn:first' : 'urn:of-others'],
      data: '',
      id: `urn:${index}`,
      private: false,
    }));
    const latest = await latestOf(new WithoutIndex(PLENTY), updates, updates.length);
    const matchers: Matcher[] = [
      { type: 'exact', pattern: 'urn:first' },
      { type: 'exact', pattern: 'urn:of-others' },
    ];
    expect(await latest.find(searchOf(matchers, updates.length))).toEqual({
      positions: [updates.length],
      truncatedTo: 1,
    });
  });

  it('stops once nobody waits for it', async () => {
    const updates = Array.from({ length: 500 }, (_, index) => ({
      topics: [`urn:${index}`],
      data: '',
      id: `urn:${index}`,
      private: false,
    }));
    for (const Engine of [MemoryJournal, WithoutIndex]) {
      let looks = 0;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const latest = await latestOf(new Engine(PLENTY), updates, 0);
      const isOver = (): boolean => (looks += 1) > 3;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await latest.find(searchOf([MATCHERS[3] as Matcher], 500, { isOver }))).toBeUndefined();
    }
  });
});
