import { expect } from '@jest/globals';
import { ANONYMOUS } from '../../src/access/grants.js';
import { Background } from '../../src/shared/background.js';
import type { ResetListener } from '../../src/storage/journal/journal.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { ResponseConnection } from '../../src/streams/connections/response-connection.js';
import { OutstandingBytes } from '../../src/streams/registry/outstanding-bytes.js';
import { Cursors } from '../../src/hub/cursors/cursors.js';
import { Interest } from '../../src/hub/matching/interest.js';
import type { Matcher } from '../../src/hub/matching/matcher.js';
import { CatchUp } from '../../src/hub/delivery/catch-up.js';
import { FanOut } from '../../src/hub/delivery/fan-out.js';
import { JournalPages } from '../../src/hub/delivery/log/journal-pages.js';
import { RecentLog } from '../../src/hub/delivery/log/recent-log.js';
import type { Found } from '../../src/hub/delivery/log/wanted-positions.js';
import { Reader, type ReaderContext } from '../../src/hub/delivery/reader.js';
import { Slices } from '../../src/hub/delivery/slices.js';
import { TopicPlans } from '../../src/hub/delivery/topic-plans.js';
import { PacedClient } from './paced-client.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
/** Milliseconds between two offers. */
export const INTERVAL = 500;

export const TOPICS = ['https://example.com/a', 'https://example.com/b', 'https://example.com/c'];

export const EXACT: readonly Matcher[] = TOPICS.map((pattern) => ({ type: 'exact', pattern }));

/** The same topics, found by hash, by their path, or by evaluating a pattern. */
export const INTERESTS: readonly (readonly Matcher[])[] = [
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
export async function turns(count = 60): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise(setImmediate);
}

/** A hub within this process, with readers that get two offers a second at most. */
export class ConflatingHub {
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

/** A reader with the plainest idea of what it is to get. Each update must fill a socket that nobody reads. */
export class Watched {
  client = new PacedClient();
  reader: Reader;
  /** What it is to have got, and what is on its way to a socket that is full. */
  readonly expected: number[] = [];
  private plan: { readonly positions: readonly number[]; readonly upTo: number } | undefined;
  private cursor: number;
  private isFull = false;
  private readonly earlier: string[] = [];

  constructor(private readonly hub: ConflatingHub) {
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

  stall(): void {
    this.client.isReading = false;
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
    if (by === 'notice') expectNone(this.hub.newestBetween(this.cursor, cursor));
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

function expectNone(positions: readonly number[]): void {
  expect(positions).toEqual([]);
}

/** When the cohort offers, as the plainest clock has it. */
export class Clock {
  horizon = 0;
  private since = Infinity;
  private held = 0;

  constructor(private readonly hub: ConflatingHub) {}

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
