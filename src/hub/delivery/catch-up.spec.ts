import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { PacedClient } from '../../../test/support/paced-client.js';
import type { Reading } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import { ResponseConnection } from '../../streams/connections/response-connection.js';
import { UNLIMITED } from '../../access/grants.js';
import { Cursors } from '../cursors/cursors.js';
import { Interest } from '../matching/interest.js';
import { parseMatcher } from '../matching/matcher.js';
import { Background } from '../../shared/background.js';
import { CatchUp } from './catch-up.js';
import { FanOut } from './fan-out.js';
import { JournalPages } from './log/journal-pages.js';
import { Reader, type ReaderContext, type ReaderStart } from './reader.js';
import { RecentLog } from './log/recent-log.js';
import { Slices } from './slices.js';
import { TopicPlans } from './topic-plans.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const LARGE = 'x'.repeat(50_000);

/** A journal that counts its reads, and whose engine can be away. */
class FaultyJournal extends MemoryJournal {
  reads = 0;
  isAway = false;

  override read(after: number, limit: number): Promise<Reading> {
    this.reads += 1;
    return this.isAway ? Promise.reject(new Error('away')) : super.read(after, limit);
  }
}

class Hub {
  now = 0;
  readonly journal: FaultyJournal;
  readonly outstanding: OutstandingBytes;
  private readonly fanOut: FanOut;
  private readonly context: ReaderContext;
  private readonly interest = new Interest([parseMatcher('exact', 'urn:t', HUB_URL)], HUB_URL);

  constructor({ age = Infinity, recentBytes = 2 ** 24, maxOutstanding = 2 ** 30 } = {}) {
    this.outstanding = new OutstandingBytes(maxOutstanding);
    this.journal = new FaultyJournal({ events: 1_000, bytes: Infinity, age }, () => this.now);
    const background = new Background();
    const log = new RecentLog(recentBytes, 0);
    const cursors = new Cursors(this.journal);
    this.fanOut = new FanOut(this.journal, log, cursors, { hubUrl: HUB_URL, background, interval: 0 });
    const slices = new Slices(
      new JournalPages(this.journal, background),
      log,
      background,
      new TopicPlans(this.journal, background),
    );
    this.context = {
      log: this.fanOut,
      cursors,
      catchUp: new CatchUp(this.journal, this.fanOut, slices, background, this.outstanding),
      onOver: ({ cohort }) => this.fanOut.release(cohort),
      onClosed: () => undefined,
    };
  }

  async publish(data: string): Promise<void> {
    await this.journal.append({ topics: ['urn:t'], data, id: `urn:${this.journal.head + 1}`, private: false });
  }

  /** Connects a reader that has been offered everything up to `cursor`. */
  connect(client: PacedClient, cursor = this.fanOut.head): Reader {
    const connection = new ResponseConnection(client, this.outstanding);
    const cohort = this.fanOut.cohortFor(this.interest, UNLIMITED);
    const greeting = cursor < this.fanOut.head ? 'caught-up' : undefined;
    const start: ReaderStart = { cursor, history: this.fanOut.history, greeting };
    const reader = new Reader(connection, cohort, start, this.context);
    reader.begin();
    return reader;
  }
}

function eventsOf(client: PacedClient | undefined): number | undefined {
  return client?.text.match(/^id: /gm)?.length;
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    if (turn > 20_000) throw new Error('it never came');
    await new Promise(setImmediate);
  }
}

/** Lets some turns of the event loop pass, in which everything happens that needs no timer. */
async function turns(count = 200): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

describe('catching up', () => {
  const clients: PacedClient[] = [];
  afterEach(() => {
    jest.useRealTimers();
    clients.splice(0).forEach((client) => client.destroy());
  });

  function open(isReading: boolean) {
    const made = new PacedClient(isReading);
    clients.push(made);
    return made;
  }

  it('leaves nobody deaf: whoever waited behind stalled readers and turned out to need nothing, or is gone', async () => {
    // With fake timers, stalled sockets count as filled for as long as the test wants.
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance', 'queueMicrotask'] });
    const hub = new Hub();
    await hub.publish(LARGE);
    for (let stalled = 0; stalled < 40; stalled += 1) hub.connect(open(false), 0);
    await turns();
    const resuming = Array.from({ length: 100 }, () => hub.connect(open(true), 0));
    resuming.slice(0, 50).forEach(({ connection }) => connection.cut('disconnected'));
    const late = Array.from({ length: 100 }, () => hub.connect(open(true)));
    expect(late.every(({ state }) => state === 'live')).toBe(true);
    await turns();
    expect(resuming.slice(50).some(({ state }) => state === 'live')).toBe(false);
    // Also the background's own rests end by a timer.
    const inTime = (condition: () => boolean): Promise<void> =>
      until(() => {
        jest.advanceTimersByTime(100);
        return condition();
      });
    await inTime(() => resuming.slice(50).every(({ state }) => state === 'live'));
    await hub.publish('last');
    await inTime(() => clients.slice(90).every(({ text }) => text.includes('data: last\n')));
  });

  it('goes on after everything was trimmed while somebody was behind', async () => {
    const hub = new Hub({ age: 1_000, recentBytes: 1 });
    for (let count = 0; count < 3; count += 1) await hub.publish(LARGE);
    const slow = hub.connect(open(false), 0);
    await turns();
    hub.now = 2_000;
    await hub.journal.locate('');
    const first = open(true);
    const early = hub.connect(first, 0);
    await until(() => early.state === 'live');
    await hub.publish('a');
    const second = open(true);
    hub.connect(second, 3);
    await until(() => first.text.includes('data: a\n') && second.text.includes('data: a\n'));
    clients[0]?.read();
    await until(() => slow.state === 'live');
    expect(clients[0]?.text).toContain('"type":"gap"');
    const { reads } = hub.journal;
    await turns();
    expect(hub.journal.reads).toBe(reads);
  });

  it('stops while memory is used up by what clients have not taken, and goes on when they take it or leave', async () => {
    const hub = new Hub({ maxOutstanding: 120_000 });
    await hub.publish(LARGE);
    await hub.publish(LARGE);
    for (let stalled = 0; stalled < 10; stalled += 1) hub.connect(open(false), 0);
    await turns();
    expect(hub.outstanding.total).toBeLessThan(120_000 + LARGE.length + 1_000);
    const reader = hub.connect(open(true), 0);
    await turns();
    expect(reader.state).toBe('behind');
    clients.slice(0, 10).forEach((stalled, index) => (index % 2 === 0 ? stalled.read() : stalled.destroy()));
    await until(() => reader.state === 'live');
    expect(eventsOf(clients[10])).toBe(2);
    expect(hub.outstanding.total).toBeLessThan(120_000);
  });

  it('goes on when there is memory again that readers held who were not catching up', async () => {
    const hub = new Hub({ maxOutstanding: 60_000 });
    for (let stalled = 0; stalled < 2; stalled += 1) hub.connect(open(false));
    await hub.publish(LARGE);
    await until(() => hub.outstanding.isExhausted);
    const reader = hub.connect(open(true), 0);
    await turns();
    expect(reader.state).toBe('behind');
    clients[0]?.read();
    await until(() => reader.state === 'live');
    expect(eventsOf(clients[2])).toBe(1);
  });

  it('waits while the engine is away, and gives everything when it is back', async () => {
    const hub = new Hub({ recentBytes: 1 });
    for (let count = 0; count < 5; count += 1) await hub.publish('a');
    hub.journal.isAway = true;
    const reader = hub.connect(open(true), 0);
    await until(() => hub.journal.reads > 0);
    hub.journal.isAway = false;
    while (reader.state !== 'live') await new Promise((resolve) => setTimeout(resolve, 10));
    expect(eventsOf(clients[0])).toBe(5);
  });
});
