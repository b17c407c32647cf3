import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { PacedClient } from '../../../test/support/paced-client.js';
import { ANONYMOUS } from '../../access/grants.js';
import { Background } from '../../shared/background.js';
import type { ResetListener } from '../../storage/journal/journal.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { ResponseConnection } from '../../streams/connections/response-connection.js';
import { OutstandingBytes } from '../../streams/registry/outstanding-bytes.js';
import { Cursors } from '../cursors/cursors.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { Interest } from '../matching/interest.js';
import type { Matcher } from '../matching/matcher.js';
import { CatchUp } from './catch-up.js';
import { FanOut } from './fan-out.js';
import { JournalPages } from './log/journal-pages.js';
import { RecentLog } from './log/recent-log.js';
import type { Found } from './log/wanted-positions.js';
import { Reader, type ReaderContext } from './reader.js';
import { Slices } from './slices.js';
import { TopicPlans } from './topic-plans.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const INTERVAL = 500;

/** More than a connection has room for, so that each slice has one update, and fills a socket that nobody reads. */
const LARGE = 'x'.repeat(40_000);

const TOPICS = ['https://example.com/a', 'https://example.com/b', 'https://example.com/c'];

const EXACT: readonly Matcher[] = TOPICS.map((pattern) => ({ type: 'exact', pattern }));

/** The same topics, found by hash, by their path, or by evaluating a pattern. */
const INTERESTS: readonly (readonly Matcher[])[] = [
  EXACT,
  [{ type: 'urlpattern', pattern: 'https://example.com/:name' }],
  [{ type: 'urlpattern', pattern: 'https://example.com/:name([abc])' }],
];

interface Published {
  readonly position: number;
  readonly topics: readonly string[];
  readonly private: boolean;
}

/** Lets some turns of the event loop pass, in which everything happens that needs no timer. */
async function turns(count = 60): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

/** A hub within this process, with readers that get two offers a second at most. */
class Hub {
  readonly journal: MemoryJournal;
  readonly published: Published[] = [];
  readonly fanOut: FanOut;
  private readonly context: ReaderContext;
  private readonly outstanding = new OutstandingBytes(2 ** 30);
  private readonly interest: Interest;
  readonly cursors: Cursors;
  lose: ResetListener = () => undefined;

  constructor(matchers: readonly Matcher[] = EXACT, { recentBytes = 2 ** 24, events = 1_000_000 } = {}) {
    this.journal = new MemoryJournal({ events, bytes: Infinity, age: Infinity });
    const { journal } = this;
    const tail = journal.tail.bind(journal);
    journal.tail = (from, listener, onReset: ResetListener = () => undefined) => {
      this.lose = onReset;
      return tail(from, listener);
    };
    this.cursors = new Cursors(journal);
    this.interest = new Interest(matchers, HUB_URL);
    // Its clock stands still, so it needs no timer, which the test would have to let pass.
    const background = new Background(() => 0);
    const log = new RecentLog(recentBytes, 0);
    this.fanOut = new FanOut(this.journal, log, this.cursors, { hubUrl: HUB_URL, background, interval: 0 });
    const pages = new JournalPages(this.journal, background);
    const slices = new Slices(pages, log, background, new TopicPlans(this.journal, background));
    this.journal.onRemoved((positions) => {
      this.fanOut.remove(positions);
      pages.clear();
      slices.clear();
    });
    this.context = {
      log: this.fanOut,
      cursors: this.cursors,
      catchUp: new CatchUp(this.journal, this.fanOut, slices, background, this.outstanding),
      onOver: ({ cohort }) => this.fanOut.release(cohort),
      onClosed: () => undefined,
    };
  }

  async publish(topics: readonly string[], { isPrivate = false, data = '' } = {}): Promise<void> {
    const position = this.journal.head + 1;
    this.published.push({ position, topics, private: isPrivate });
    await this.journal.append({ topics, data, id: `urn:${position}`, private: isPrivate });
  }

  async remove(position: number): Promise<void> {
    const index = this.published.findIndex((one) => one.position === position);
    if (index !== -1) this.published.splice(index, 1);
    await this.journal.remove([position]);
  }

  /** What a reader is to be offered after a cursor, up to another, by the plainest way. */
  newestBetween(cursor: number, upTo: number): number[] {
    const newest = new Map<string, number>();
    for (const one of this.published) {
      if (one.position <= cursor || one.position > upTo || one.private) continue;
      for (const topic of one.topics) if (this.interest.includes([topic])) newest.set(topic, one.position);
    }
    return [...new Set(newest.values())].toSorted((one, other) => one - other);
  }

  connect(client: PacedClient, cursor = this.fanOut.head, plan?: Found): Reader {
    const cohort = this.fanOut.cohortFor(this.interest, ANONYMOUS, { maxRate: 1_000 / INTERVAL, hasCursors: true });
    const { history } = this.fanOut;
    const greeting = cursor < this.fanOut.head ? 'caught-up' : undefined;
    const reader = new Reader(
      new ResponseConnection(client, this.outstanding),
      cohort,
      { cursor, history, greeting, plan },
      this.context,
    );
    reader.begin();
    return reader;
  }
}

/** A reader with the plainest idea of what it is to get. */
class Watched {
  client = new PacedClient();
  reader: Reader;
  /** What it is to have got, and what is on its way to a socket that is full. */
  readonly expected: number[] = [];
  private plan: { readonly positions: readonly number[]; readonly upTo: number } | undefined;
  private cursor: number;
  private isFull = false;
  private readonly earlier: string[] = [];

  constructor(private readonly hub: Hub) {
    this.cursor = hub.fanOut.head;
    this.reader = hub.connect(this.client);
  }

  /** The positions that it has got, over all its connections. */
  get received(): number[] {
    const text = [...this.earlier, this.client.text].join('');
    return [...text.matchAll(/^id: urn:(\d+)$/gm)].map(([, position]) => Number(position));
  }

  /** Its cohort has offered everything up to `horizon`. */
  offered(horizon: number): void {
    if (this.isFull || horizon <= this.cursor) return;
    const positions = this.hub.newestBetween(this.cursor, horizon);
    if (this.client.isReading) {
      this.expected.push(...positions);
      this.cursor = horizon;
      return;
    }
    // The first one fills the socket. The rest of the offer comes when there is room, whatever else is published then.
    const [first, ...rest] = positions;
    if (first !== undefined) this.expected.push(first);
    this.isFull = first !== undefined;
    this.plan = rest.length > 0 ? { positions: rest, upTo: horizon } : undefined;
    this.cursor = first === undefined || rest.length === 0 ? horizon : first;
  }

  read(horizon: number): void {
    this.client.read();
    this.isFull = false;
    const gone = new Set(this.hub.published.map(({ position }) => position));
    this.expected.push(...(this.plan?.positions.filter((position) => gone.has(position)) ?? []));
    this.cursor = this.plan?.upTo ?? this.cursor;
    this.plan = undefined;
    this.offered(horizon);
  }

  /** Comes back with the id of its last notice, or of the last update that it got. */
  async resume(by: 'notice' | 'update', horizon: number): Promise<void> {
    const place = by === 'notice' ? await this.hub.cursors.locate(this.reader.noticeId() ?? '') : undefined;
    const cursor = place?.position ?? this.received.at(-1) ?? this.cursor;
    // A notice names no place beyond what is held back for the next offer.
    if (by === 'notice') expect(this.hub.newestBetween(this.cursor, cursor)).toEqual([]);
    this.earlier.push(this.client.text);
    this.client.destroy();
    await turns();
    this.client = new PacedClient();
    this.plan = undefined;
    this.isFull = false;
    this.cursor = cursor;
    // What was on its way is lost with the connection.
    this.expected.splice(0, Infinity, ...this.received);
    this.reader = this.hub.connect(this.client, cursor);
    this.offered(horizon);
  }
}

/** When the cohort offers, as the plainest clock has it. */
class Clock {
  horizon = 0;
  private since = Infinity;
  private held = 0;

  constructor(private readonly hub: Hub) {}

  /** Something was published or removed. Answers whether an offer is made. */
  look(): boolean {
    if (this.hub.newestBetween(this.held, this.hub.fanOut.head).length > 0) this.held = this.hub.fanOut.head;
    if (this.held <= this.horizon || this.since < INTERVAL) return false;
    this.horizon = this.hub.fanOut.head;
    this.held = this.horizon;
    this.since = 0;
    return true;
  }

  pass(time: number): boolean {
    this.since += time;
    return this.look();
  }
}

describe('delivery with max_rate', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());

  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('publish' as const),
        topics: fc.uniqueArray(fc.constantFrom(...TOPICS, 'urn:other'), { minLength: 1, maxLength: 2 }),
        isPrivate: fc.boolean().map((one) => one && true),
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.constantFrom(100, INTERVAL) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), back: fc.nat(4) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('stall' as const, 'read' as const, 'notice' as const, 'update' as const),
        reader: fc.nat(2),
      }),
    },
  );

  it.each([
    ['all in memory', 2 ** 24],
    ['nearly all read from the journal', 1_000],
  ])('each offer is the newest of each topic since the last one, and nothing else comes, %s', async (_, recentBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40, size: 'max' }), fc.constantFrom(...INTERESTS), async (acts, matchers) => {
        const hub = new Hub(matchers, { recentBytes });
        const clock = new Clock(hub);
        const readers = [new Watched(hub), new Watched(hub), new Watched(hub)];
        const settle = async (isOffered: boolean): Promise<void> => {
          if (isOffered) for (const one of readers) one.offered(clock.horizon);
          await turns();
          for (const one of readers) {
            const { expected, received, client } = one;
            // Of what a socket that is full has taken, its reader has not seen anything yet.
            if (client.isReading) expect(received).toEqual(expected);
            expect(received).toEqual([...new Set(received)].toSorted((first, second) => first - second));
          }
        };
        for (const one of acts) {
          if (one.do === 'publish') {
            await hub.publish(one.topics, { isPrivate: one.isPrivate, data: LARGE });
            await settle(clock.look());
          } else if (one.do === 'remove') {
            await hub.remove(hub.journal.head - one.back);
            await settle(clock.look());
          } else if (one.do === 'pass') {
            jest.advanceTimersByTime(one.time);
            await settle(clock.pass(one.time));
          } else {
            const reader = readers[one.reader];
            if (one.do === 'stall') Object.assign(reader?.client ?? {}, { isReading: false });
            else if (one.do === 'read') reader?.read(clock.horizon);
            else await reader?.resume(one.do, clock.horizon);
            await settle(false);
          }
        }
        for (const one of readers) one.read(clock.horizon);
        await settle(false);
        jest.advanceTimersByTime(INTERVAL);
        await settle(clock.pass(INTERVAL));
        for (const { client } of readers) client.destroy();
        await turns();
        expect(jest.getTimerCount()).toBe(0);
        hub.fanOut.close();
      }),
      { numRuns: 100 },
    );
  });

  const [A = '', B = '', C = ''] = TOPICS;

  /** What has come: positions of updates, and the types of notices. */
  function seenBy({ text }: PacedClient): (number | string)[] {
    return [...text.matchAll(/^(?:id: urn:(\d+)|data: \{"type":"([\w-]+)".*)$/gm)].map(
      ([, position, type]) => type ?? Number(position),
    );
  }

  async function publishAll(hub: Hub, topics: readonly string[], data = ''): Promise<void> {
    for (const topic of topics) await hub.publish([topic], { data });
    await turns();
  }

  /** The next offer is made, if there is something to offer. */
  async function nextOffer(): Promise<void> {
    jest.advanceTimersByTime(INTERVAL);
    await turns();
  }

  it('gives readers with the same cursor what is the newest when each has room', async () => {
    const hub = new Hub();
    const clients = [new PacedClient(false), new PacedClient(false)];
    for (const client of clients) hub.connect(client);
    const [first, second] = clients;
    await publishAll(hub, [A], LARGE);
    await publishAll(hub, [A, A]);
    await nextOffer();
    first?.read();
    await publishAll(hub, [A, B]);
    await nextOffer();
    second?.read();
    await turns();
    expect(clients.map(seenBy)).toEqual([
      [1, 3, 4, 5],
      [1, 4, 5],
    ]);
  });

  it('finishes an offer that has begun, so that a slow reader gets every topic', async () => {
    const hub = new Hub();
    const client = new PacedClient();
    hub.connect(client);
    await publishAll(hub, [A]);
    client.isReading = false;
    await publishAll(hub, [A, B, C], LARGE);
    await nextOffer();
    await publishAll(hub, [A, B, C], LARGE);
    await nextOffer();
    client.read();
    await turns();
    expect(seenBy(client)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('sends a plan for the beginning at once, also where the horizon is behind it', async () => {
    const hub = new Hub();
    const witness = new PacedClient();
    hub.connect(witness);
    await publishAll(hub, [A]);
    await publishAll(hub, [A, B, C]);
    expect(seenBy(witness)).toEqual([1]);
    const client = new PacedClient();
    hub.connect(client, 1, { positions: [2, 3, 4], upTo: 4 });
    await turns();
    expect(seenBy(client)).toEqual([2, 3, 4, 'caught-up']);
    await nextOffer();
    expect([seenBy(witness), seenBy(client)]).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4, 'caught-up'],
    ]);
  });

  it('tells of a gap where the newest of a topic was trimmed, and not where only older ones were', async () => {
    const hub = new Hub(EXACT, { events: 3 });
    const client = new PacedClient();
    hub.connect(client);
    await publishAll(hub, [A]);
    await publishAll(hub, [B, A, B, A, B, A]);
    await nextOffer();
    expect(seenBy(client)).toEqual([1, 6, 7]);
    await publishAll(hub, [C, A, A, A]);
    await nextOffer();
    expect(seenBy(client)).toEqual([1, 6, 7, 'gap', 11]);
  });

  it.each([
    ['memory', 2 ** 24],
    ['the journal', 1_000],
  ])('loses nothing of more topics than an offer may have, from %s', async (_, recentBytes) => {
    const hub = new Hub([{ type: 'exact', pattern: '*' }], { recentBytes });
    const topics = Array.from({ length: HUB_LIMITS.offerTopics + 500 }, (__, index) => `urn:many:${index}`);
    await publishAll(hub, topics);
    await publishAll(hub, topics.slice(0, 10));
    const client = new PacedClient();
    hub.connect(client, 0);
    await turns(20_000);
    const received = seenBy(client);
    // The first offer ends before the newest updates of the first topics.
    expect(received).toEqual([...Array.from({ length: topics.length + 10 }, (__, index) => index + 1), 'caught-up']);
  });

  it('goes back with the log, tells so, and offers what took the place of what is lost', async () => {
    const hub = new Hub();
    const client = new PacedClient();
    const reader = hub.connect(client);
    await publishAll(hub, [A]);
    await publishAll(hub, [B, C]);
    await nextOffer();
    hub.lose(1);
    await turns();
    expect([seenBy(client), reader.state, reader.cursor]).toEqual([[1, 2, 3, 'reset'], 'live', 1]);
    expect(hub.fanOut.head).toBe(1);
  });
});
