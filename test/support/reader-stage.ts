import { DeliveryCounts } from '../../src/hub/delivery/counts/delivery-counts.js';
import { PacedClient } from './paced-client.js';
import { OutstandingBytes } from '../../src/streams/registry/outstanding-bytes.js';
import { ResponseConnection } from '../../src/streams/connections/response-connection.js';
import { UNLIMITED } from '../../src/access/grants.js';
import { Interest } from '../../src/hub/matching/interest.js';
import { parseMatcher } from '../../src/hub/matching/matcher.js';
import { Cohort } from '../../src/hub/delivery/cohort.js';
import { join } from '../../src/hub/delivery/joint.js';
import { Reader, type ReaderContext, type ReaderStart } from '../../src/hub/delivery/reader.js';
import { encodeEntry, type RecentEntry } from '../../src/hub/delivery/log/recent-entry.js';
import type { Slice } from '../../src/hub/delivery/slices.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

const INTEREST = new Interest([parseMatcher('exact', 'urn:t', HUB_URL)], HUB_URL);

/** More than a connection has room for. */
export const LARGE = 'x'.repeat(40_000);

/** The data of the events that came, and the types of the notices. */
function seenBy({ text }: PacedClient): string[] {
  return [...text.matchAll(/^data: (?:\{"type":"([\w-]+)".*|(.).*)$/gm)].map(([, type, data]) => type ?? data ?? '');
}

/** A log of entries with the data `1`, `2`, …, and one reader of it. */
export class Stage {
  readonly log = {
    head: 0,
    history: 0,
    common: 0,
    commonSince: (): number => this.log.common,
    counts: new DeliveryCounts(),
    matchedUpTo: (): number => this.log.head,
    idAt: (position: number): string | undefined => (position > 5 ? String(position) : undefined),
  };
  readonly client = new PacedClient();
  readonly connection = new ResponseConnection(this.client, new OutstandingBytes());
  readonly cohort: Cohort;
  readonly lane: Reader[] = [];
  readonly happened: string[] = [];
  readonly reader: Reader;

  constructor(head: number, { hasCursors = false, ...start }: Partial<ReaderStart> & { hasCursors?: boolean } = {}) {
    this.log.head = head;
    this.cohort = new Cohort('', INTEREST, UNLIMITED, { hasCursors });
    const context: ReaderContext = {
      log: this.log,
      cursors: { name: ({ position, id }) => `at-${position}-${id}` },
      catchUp: { add: (reader) => this.lane.push(reader), release: () => undefined },
      onOver: () => this.happened.push('over'),
      onClosed: (_, reason) => this.happened.push(reason),
    };
    this.reader = new Reader(
      this.connection,
      this.cohort,
      { cursor: head, history: 0, greeting: hasCursors ? 'cursor' : undefined, ...start },
      context,
    );
  }

  /** Publishes updates with this data each, and offers them to the cohort's live readers. */
  publish(...data: string[]): void {
    for (const one of data) this.cohort.add(this.append(one), () => []);
    this.cohort.offer(Infinity, this.log);
  }

  append(data: string): RecentEntry {
    this.log.head += 1;
    const position = this.log.head;
    return encodeEntry({ position, update: { topics: ['urn:t'], data, id: String(position), private: false } });
  }

  /** What has come of it, once its socket has answered. */
  async outcome(): Promise<object> {
    await new Promise(setImmediate);
    const { state, cursor } = this.reader;
    return { state, cursor, isInLane: this.lane.length > 0, seen: seenBy(this.client) };
  }
}

/** A reader that is behind, in the lane, with the cursor at 2 of 5. */
export function behind(): Stage {
  const stage = new Stage(5, { cursor: 2, greeting: 'caught-up' });
  stage.reader.begin();
  return stage;
}

/** A live reader whose client does not read, and whose socket is full. */
export function full(): Stage {
  const stage = new Stage(0);
  stage.reader.begin();
  stage.client.isReading = false;
  stage.publish(LARGE);
  return stage;
}

export function slice(first: number, last: number, data?: string, oldestPresence = 0): Slice {
  const entry =
    data === undefined
      ? undefined
      : encodeEntry({ position: last, update: { topics: [], data, id: '', private: false } });
  return {
    first,
    last,
    lastId: String(last),
    bytes: entry && join([entry.bytes]),
    damaged: 0,
    oldestPresence,
    updates: entry ? 1 : 0,
  };
}
