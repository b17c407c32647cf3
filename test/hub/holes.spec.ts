import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UNLIMITED } from '../../src/access/grants.js';
import { GuardedGrants } from '../../src/access/guarded-grants.js';
import { parseMatcher } from '../../src/hub/matching/matcher.js';
import { PresenceEvents } from '../../src/hub/presence/presence-events.js';
import { CURRENT_DIALECT } from '../../src/hub/protocol/current-dialect.js';
import { HubService } from '../../src/hub/service/hub.service.js';
import type { Journal, Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { MemoryJournal } from '../../src/storage/journal/memory/memory-journal.js';
import { RedisJournal } from '../../src/storage/journal/redis/redis-journal.js';
import { MemoryState } from '../../src/storage/state/memory/memory-state.js';
import { ResponseConnection } from '../../src/streams/connections/response-connection.js';
import { StreamRegistry } from '../../src/streams/registry/stream-registry.js';
import { PacedClient } from '../support/paced-client.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

/** Comings and goings are trimmed all the time, and updates never: no reader of updates may notice. */
const UPDATES: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };
const PRESENCE: Retention = { ...UPDATES, events: 3 };

const HUB_URL = new URL('https://hub.example/.well-known/mercure');
const TOPIC = 'urn:updates';

const EVENTS = new PresenceEvents({ hubUrl: HUB_URL, dialects: [CURRENT_DIALECT] });

type Command =
  | { readonly do: 'publish'; readonly count: number; readonly size: number }
  | { readonly do: 'crowd'; readonly count: number; readonly matchers: number }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: 'connect' | 'stall' | 'read' | 'leave'; readonly reader: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('publish'),
      count: fc.integer({ min: 1, max: 4 }),
      size: fc.constantFrom(10, 30_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('crowd'),
      count: fc.constantFrom(1, 2, 10, 40),
      matchers: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), turns: fc.integer({ min: 1, max: 10 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('connect', 'connect', 'stall', 'read', 'leave'),
      reader: fc.integer({ min: 0, max: 3 }),
    }),
  },
);

/** What a reader got: the number of an update, the name of somebody who has come, or a notice. */
interface Seen {
  readonly update?: number;
  readonly somebody?: string;
  readonly notice?: string;
}

class Reader {
  readonly seen: Seen[] = [];
  private client: PacedClient | undefined;
  private parsed = 0;
  private lastId: string | undefined;
  /** The number of updates when it came first. */
  from = 0;

  /** @param isWatching whether it wants to know who comes and goes, too. */
  constructor(
    private readonly hub: HubService,
    readonly isWatching: boolean,
  ) {}

  async connect(published: number): Promise<void> {
    if (this.client) return;
    const start = await this.hub.locate(this.lastId);
    if (this.lastId === undefined) this.from = published;
    const client = new PacedClient();
    this.client = client;
    this.parsed = 0;
    const matchers = [parseMatcher('exact', this.isWatching ? '*' : TOPIC, HUB_URL)];
    this.hub.subscribe(
      (first) => {
        client.text += first;
        return new ResponseConnection(client, this.hub['streams'].outstanding);
      },
      { matchers, grants: UNLIMITED, start, requestId: '', address: '' },
    );
  }

  stall(): void {
    if (this.client) this.client.isReading = false;
  }

  read(): void {
    this.client?.read();
  }

  leave(): void {
    this.look();
    this.client?.destroy();
    this.client = undefined;
  }

  /** Takes what has arrived, event by event. */
  look(): void {
    const parts = (this.client?.text.slice(this.parsed) ?? '').split('\n\n');
    for (const part of parts.slice(0, -1)) {
      this.parsed += part.length + 2;
      this.take(part);
    }
  }

  private take(text: string): void {
    this.lastId = /^id: (.*)$/m.exec(text)?.[1] ?? this.lastId;
    const [, data = ''] = /^data: (.*)$/m.exec(text) ?? [];
    if (text.includes('event: herald\n')) this.seen.push({ notice: data });
    else if (text.includes('event: mercure\n')) this.seen.push({ somebody: (JSON.parse(data) as { id: string }).id });
    else if (data !== '') this.seen.push({ update: Number.parseInt(data, 10) });
  }

  get updates(): number[] {
    return this.seen.flatMap(({ update }) => update ?? []);
  }

  get somebodies(): string[] {
    return this.seen.flatMap(({ somebody }) => somebody ?? []);
  }

  get losses(): string[] {
    return this.seen.flatMap(({ notice }) => (notice && /gap|reset/.test(notice) ? notice : []));
  }
}

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise(setImmediate);
}

class Scene {
  readonly readers: readonly Reader[];
  published = 0;
  /** Everybody who came, in order: one for each matcher. */
  readonly somebodies: string[] = [];
  private readonly hub: HubService;

  constructor(
    readonly journal: Journal,
    recentBytes: number,
  ) {
    const streams = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 60_000 });
    this.hub = new HubService(journal, streams, new MemoryState(0), new GuardedGrants(), {
      hubUrl: HUB_URL,
      legacy: false,
      // The readers of the test have no token, and are not told of themselves.
      subscriptions: { enabled: true, grace: 0, anonymous: false },
      recentBytes,
      flushInterval: 0,
      quota: { each: { updates: 0, bytes: 0 }, all: { updates: 0, bytes: 0 } },
    });
    this.readers = [false, false, true, true].map((isWatching) => new Reader(this.hub, isWatching));
  }

  async do(given: Command): Promise<void> {
    if (given.do === 'publish') await this.publish(given.count, given.size);
    else if (given.do === 'crowd') await this.crowd(given.count, given.matchers);
    else if (given.do === 'wait') await turns(given.turns);
    else if (given.do === 'connect') await this.readers[given.reader]?.connect(this.published);
    else this.readers[given.reader]?.[given.do]();
  }

  async publish(count: number, size: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      this.published += 1;
      await this.hub.publish({ topics: [TOPIC], data: `${this.published} ${'x'.repeat(size)}` });
    }
  }

  async crowd(count: number, matchers: number): Promise<void> {
    const records = Array.from({ length: count }, (_, index) => {
      const record = EVENTS.recordOf({
        subscriber: `urn:somebody:${this.somebodies.length}:${index}`,
        isActive: true,
        matchers: Array.from({ length: matchers }, (__, matcher) => ({
          matcher: { type: 'exact' as const, pattern: `urn:${matcher}` },
        })),
      });
      if (!record) throw new Error('nothing to tell');
      return record;
    });
    for (const record of records) {
      this.somebodies.push(
        ...[...EVENTS.eventsOf(record, String)].map(({ data }) => (JSON.parse(data) as { id: string }).id),
      );
    }
    await Promise.all(records.map((record) => this.journal.appendPresence(record)));
  }

  /** Everybody reads on, and comes back who has left, until all have the last update. */
  async end(): Promise<void> {
    await this.publish(1, 10);
    const deadline = performance.now() + 10_000;
    for (const reader of this.readers) {
      reader.read();
      if (reader.seen.length > 0) await reader.connect(this.published);
    }
    const waiting = this.readers.filter(({ seen }) => seen.length > 0);
    while (waiting.some((reader) => reader.updates.at(-1) !== this.published)) {
      if (performance.now() > deadline) throw new Error('the last update never came');
      await new Promise(setImmediate);
      for (const reader of waiting) reader.look();
    }
  }

  async close(): Promise<void> {
    for (const reader of this.readers) reader.leave();
    await this.hub.beforeApplicationShutdown();
    await this.hub.onApplicationShutdown();
  }
}

async function run(journal: Journal, recentBytes: number, commands: readonly Command[]): Promise<void> {
  const scene = new Scene(journal, recentBytes);
  try {
    for (const given of commands) {
      await scene.do(given);
      for (const reader of scene.readers) reader.look();
    }
    for (const reader of scene.readers) reader.look();
    await scene.end();
    for (const reader of scene.readers.filter(({ seen }) => seen.length > 0)) check(reader, scene);
  } finally {
    await scene.close();
  }
}

function check(reader: Reader, { published, somebodies }: Scene): void {
  const all = Array.from({ length: published - reader.from }, (_, index) => reader.from + 1 + index);
  expect(reader.updates).toEqual(all);
  expect(reader.losses.filter((loss) => !loss.includes('"reason":"presence"'))).toEqual([]);
  if (!reader.isWatching) {
    expect([reader.losses, reader.somebodies]).toEqual([[], []]);
    return;
  }
  const places = reader.somebodies.map((somebody) => somebodies.indexOf(somebody));
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(new Set(places).size).toBe(places.length);
  const [first = Infinity, last = -Infinity] = [places[0], places.at(-1)];
  const isMissingSome = places.length < last - first + 1;
  if (isMissingSome) expect(reader.losses).not.toEqual([]);
}

function itSeesNoHoles(name: string, open: () => Promise<Journal>): void {
  it(`loses nothing and repeats nothing, live, behind and resuming, ${name}`, async () => {
    const recent = fc.constantFrom(1, 2 ** 20);
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { minLength: 10, maxLength: 60, size: 'max' }),
        recent,
        async (commands, recentBytes) => {
          await run(await open(), recentBytes, commands);
        },
      ),
      { numRuns: 120, interruptAfterTimeLimit: 15_000 },
    );
  }, 60_000);
}

describe('positions with holes', () => {
  beforeAll(() => Logger.overrideLogger(false));

  itSeesNoHoles('from memory', () => Promise.resolve(new MemoryJournal(UPDATES, Date.now, PRESENCE)));

  describe('on the disk', () => {
    let root = '';
    let count = 0;
    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), 'herald-holes-'));
    });
    afterAll(() => rm(root, { recursive: true }));

    itSeesNoHoles('from LMDB', () => LmdbJournal.open(join(root, String(count++)), UPDATES, Date.now, PRESENCE));
  });

  describeWith(redisServer, 'in Redis', (program) => {
    let redis: RedisServer;
    let count = 0;
    beforeAll(async () => {
      redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    itSeesNoHoles('from Redis', () =>
      RedisJournal.open({
        url: redis.url,
        sentinels: [],
        sentinelName: 'mymaster',
        isCluster: false,
        prefix: `holes-${count++}`,
        replicas: 0,
        indexBytes: 2 ** 28,
        retention: UPDATES,
        presenceRetention: PRESENCE,
      }),
    );
  });
});
