import { describe, expect, it } from '@jest/globals';
import { UNLIMITED } from '../../access/grants.js';
import { GuardedGrants } from '../../access/guarded-grants.js';
import type { Reading } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import type { Matcher } from '../matching/matcher.js';
import { topicAddresses } from '../matching/url-pattern/topic-addresses.js';
import { HistoryService } from './history.service.js';
import type { HubOptions } from './hub.options.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const PLENTY = { events: 1_000_000, bytes: Infinity, age: Infinity };
const MATCHERS: readonly Matcher[] = [{ type: 'urlpattern', pattern: 'https://example.com/:id(\\d+)' }];

const COUNT = 20;
const TOPICS = 100;

/** A history in which each update has many topics, all of which are matched. */
async function start(): Promise<HistoryService> {
  const journal = new MemoryJournal(PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
  for (let index = 0; index < COUNT; index += 1) {
    const topics = Array.from({ length: TOPICS }, (_, one) => `https://example.com/${index * TOPICS + one}`);
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append({ topics, data: '', id: `urn:${index}`, private: false });
  }
  return new HistoryService(journal, new GuardedGrants(), { hubUrl: HUB_URL } as HubOptions);
}

/** How often it is asked whether somebody waits, which is before each step; nobody does after so many. */
async function stepsOf(history: HistoryService, most: number): Promise<readonly [steps: number, found: number]> {
  let steps = 0;
  const isOver = (): boolean => (steps += 1) > most;
  const { updates } = await history.find({ matchers: MATCHERS, grants: UNLIMITED, isOver });
  return [steps, updates.length];
}

describe('the history', () => {
  it('names the topics of an update in a step each, and stops once nobody waits', async () => {
    const history = await start();
    const [steps, found] = await stepsOf(history, Infinity);
    expect(found).toBe(COUNT);
    expect(steps).toBeGreaterThan(COUNT * TOPICS);
    const most = steps - TOPICS;
    const [taken, named] = await stepsOf(history, most);
    expect([taken, named]).toEqual([most + 1, COUNT - 1]);
  });

  it('reads few large updates more than a page has', async () => {
    const read: number[] = [];
    class Watched extends MemoryJournal {
      override readAt(positions: readonly number[]): Promise<Reading> {
        read.push(...positions);
        return super.readAt(positions);
      }
    }
    const journal = new Watched(PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
    for (let index = 0; index < 500; index += 1) {
      const data = 'x'.repeat(index < 490 ? 0 : 300_000);
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.append({ topics: ['urn:t'], data, id: `urn:${index}`, private: false });
    }
    const history = new HistoryService(journal, new GuardedGrants(), { hubUrl: HUB_URL } as HubOptions);
    const matchers: readonly Matcher[] = [{ type: 'exact', pattern: 'urn:t' }];
    const { updates } = await history.find({ matchers, grants: UNLIMITED });
    expect(updates).toHaveLength(4);
    expect(read.length).toBeLessThan(6);
  });

  it('counts what characters take that JSON escapes', async () => {
    const journal = new MemoryJournal(PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
    for (const id of ['urn:1', 'urn:2']) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.append({ topics: ['urn:t'], data: '\u0001'.repeat(200_000), id, private: false });
    }
    const history = new HistoryService(journal, new GuardedGrants(), { hubUrl: HUB_URL } as HubOptions);
    const matchers: readonly Matcher[] = [{ type: 'exact', pattern: 'urn:t' }];
    expect((await history.find({ matchers, grants: UNLIMITED })).updates).toHaveLength(1);
  });

  it('looks at no further updates once nobody waits', async () => {
    const [steps, found] = await stepsOf(await start(), 5);
    expect(found).toBe(0);
    expect(steps).toBeLessThan(10);
  });
});
