import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  Clock,
  ConflatingHub,
  EXACT,
  INTERESTS,
  INTERVAL,
  TOPICS,
  turns,
  Watched,
} from '../../../test/support/conflation-stage.js';
import { PacedClient } from '../../../test/support/paced-client.js';
import { HUB_LIMITS } from '../limits/hub.limits.js';

/** More than a connection has room for, so that each slice has one update, and fills a socket that nobody reads. */
const LARGE = 'x'.repeat(40_000);

const ACT = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      topics: fc.uniqueArray(fc.constantFrom(...TOPICS, 'urn:other'), { minLength: 1, maxLength: 2 }),
      isPrivate: fc.boolean(),
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

type Act = typeof ACT extends fc.Arbitrary<infer One> ? One : never;

/** Some readers of a hub, and what they are to get. */
class Play {
  readonly readers: readonly Watched[];
  private readonly clock: Clock;

  constructor(private readonly hub: ConflatingHub) {
    this.clock = new Clock(hub);
    this.readers = [new Watched(hub), new Watched(hub), new Watched(hub)];
  }

  async act(one: Act): Promise<void> {
    const { hub, clock } = this;
    if (one.do === 'publish') {
      await hub.publish(one.topics, { isPrivate: one.isPrivate, data: LARGE });
      await this.settle(clock.look());
    } else if (one.do === 'remove') {
      await hub.remove(hub.journal.head - one.back);
      await this.settle(clock.look());
    } else if (one.do === 'pass') await this.pass(one.time);
    else {
      const reader = this.readers[one.reader];
      if (one.do === 'stall') reader?.stall();
      else if (one.do === 'read') reader?.read(clock.horizon);
      else await reader?.resume(one.do, clock.horizon);
      await this.settle(false);
    }
  }

  /** Everybody reads on until there is nothing left, and leaves. */
  async end(): Promise<void> {
    for (const one of this.readers) one.read(this.clock.horizon);
    await this.settle(false);
    await this.pass(INTERVAL);
    for (const { client } of this.readers) client.destroy();
    await turns();
    this.hub.fanOut.close();
  }

  private async pass(time: number): Promise<void> {
    jest.advanceTimersByTime(time);
    await this.settle(this.clock.pass(time));
  }

  private async settle(isOffered: boolean): Promise<void> {
    if (isOffered) for (const one of this.readers) one.offered(this.clock.horizon);
    await turns();
    for (const reader of this.readers) expectWhatIsModelled(reader);
  }
}

function expectWhatIsModelled({ expected, received, client }: Watched): void {
  // Of what a socket that is full has taken, its reader has not seen anything yet.
  if (client.isReading) expect(received).toEqual(expected);
  expect(received).toEqual([...new Set(received)].toSorted((first, second) => first - second));
}

async function play(acts: readonly Act[], hub: ConflatingHub): Promise<void> {
  const one = new Play(hub);
  for (const act of acts) await one.act(act);
  await one.end();
  expect(jest.getTimerCount()).toBe(0);
}

describe('delivery with max_rate', () => {
  beforeEach(
    () => void jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'performance', 'queueMicrotask'] }),
  );
  afterEach(() => void jest.useRealTimers());

  it.each([
    ['all in memory', 2 ** 24],
    ['nearly all read from the journal', 1_000],
  ])(
    'each offer is the newest of each topic since the last one, and nothing else comes, %s',
    async (_, recentBytes) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(ACT, { maxLength: 40, size: 'max' }),
          fc.constantFrom(...INTERESTS),
          (acts, matchers) => play(acts, new ConflatingHub(matchers, { recentBytes })),
        ),
        { numRuns: 60 },
      );
    },
  );

  const [A = '', B = '', C = ''] = TOPICS;

  /** What has come: positions of updates, and the types of notices. */
  function seenBy({ text }: PacedClient): (number | string)[] {
    return [...text.matchAll(/^(?:id: urn:(\d+)|data: \{"type":"([\w-]+)".*)$/gm)].map(
      ([, position, type]) => type ?? Number(position),
    );
  }

  async function publishAll(hub: ConflatingHub, topics: readonly string[], data = ''): Promise<void> {
    for (const topic of topics) await hub.publish([topic], { data });
    await turns();
  }

  /** The next offer is made, if there is something to offer. */
  async function nextOffer(): Promise<void> {
    jest.advanceTimersByTime(INTERVAL);
    await turns();
  }

  it('gives readers with the same cursor what is the newest when each has room', async () => {
    const hub = new ConflatingHub();
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
    const hub = new ConflatingHub();
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
    const hub = new ConflatingHub();
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
    const hub = new ConflatingHub(EXACT, { events: 3 });
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
    const hub = new ConflatingHub([{ type: 'exact', pattern: '*' }], { recentBytes });
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
    const hub = new ConflatingHub();
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
