import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, transportsAt } from '../support/transports.js';

/** A reader as its application sees it: one sequence of ids, over however many connections. */
class Reader {
  readonly seen: string[] = [];
  private client: StreamClient | undefined;
  private connections = 0;
  private taken = 0;

  constructor(
    private readonly herald: Herald,
    private readonly topic: string,
    private readonly number: number,
  ) {}

  /** Connects over the next of the transports that are spoken there. */
  async connect(): Promise<void> {
    if (this.client && !this.client.ended) return;
    const last = this.collect().at(-1);
    this.taken = 0;
    const transports = transportsAt(this.herald.url);
    const transport = transports[(this.number + this.connections++) % transports.length] ?? 'http1';
    const path = `${HUB}?match=${this.topic}`;
    this.client = await subscribeOver(transport, this.herald, path, last ? { 'last-event-id': last } : {});
    await this.client.until(({ hasBegun }) => hasBegun);
  }

  stall(): void {
    this.client?.stall();
  }

  read(): void {
    this.client?.read();
  }

  async drop(reset: boolean): Promise<void> {
    if (!this.client) return;
    // What has been read by now counts as seen; what is still on its way is lost with the connection.
    this.collect();
    if (reset) this.client.reset();
    await this.client[Symbol.asyncDispose]();
    this.client = undefined;
  }

  /** Resolves once `id` has come. */
  async until(id: string): Promise<void> {
    await this.connect();
    this.read();
    await this.client?.until(() => this.collect().at(-1) === id);
  }

  private collect(): readonly string[] {
    const events = this.client?.events.slice(this.taken) ?? [];
    this.taken += events.length;
    this.seen.push(...events.flatMap(({ event, id }) => (event === 'herald' || id === undefined ? [] : [id])));
    return this.seen;
  }
}

type Command =
  | { readonly do: 'publish'; readonly count: number; readonly bytes: number; readonly wait: boolean }
  | { readonly do: 'flood' }
  | { readonly do: 'connect' | 'stall' | 'read' | 'drop' | 'reset'; readonly reader: number };

const READERS = 4;

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      count: fc.integer({ min: 1, max: 60 }),
      bytes: fc.constantFrom(1, 200, 15_000),
      wait: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'flood' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('connect', 'connect', 'stall', 'read', 'drop', 'reset'),
      reader: fc.nat(READERS - 1),
    }),
  },
);

async function act(what: Extract<Command, { reader: number }>['do'], reader: Reader | undefined): Promise<void> {
  if (what === 'connect') await reader?.connect();
  else if (what === 'stall') reader?.stall();
  else if (what === 'read') reader?.read();
  else await reader?.drop(what === 'reset');
}

let runs = 0;

const SETTINGS = [
  ['a roomy recent log', { HERALD_RECENT_BYTES: '64mb' }],
  ['a recent log that most replays find too short', { HERALD_RECENT_BYTES: '128kb' }],
  ['a flush interval', { HERALD_RECENT_BYTES: '1mb', HERALD_FLUSH_INTERVAL: '5ms' }],
] as const;

/** What readers come over, and how many runs there are: over TLS they choose between two transports. */
const SOCKETS = [
  ['HTTP/1.1', {}, 8],
  ['HTTP/1.1 over TLS and HTTP/2', TLS_ENVIRONMENT, 12],
] as const;

const CASES = SETTINGS.flatMap(([log, env]) =>
  SOCKETS.map(([socket, more, numRuns]) => ({ log, socket, env: { ...env, ...more }, numRuns })),
);

describe.each(CASES)('the seam between replay and live, with $log, over $socket', ({ env, numRuns }) => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub({
      HERALD_RETAIN_BYTES: '2gb',
      HERALD_RETAIN_EVENTS: '1000000',
      HERALD_MAX_BODY: '8mb',
      ...env,
    });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald[Symbol.asyncDispose]();
  });

  async function publish(topic: string, count: number, bytes: number): Promise<void> {
    const lines = Array.from({ length: count }, () => JSON.stringify({ topic, data: 'x'.repeat(bytes) }));
    const headers = { 'content-type': 'application/x-ndjson' };
    const response = await publisher.post(lines.join('\n'), headers, `${HUB}/batch`);
    expect([response.statusCode, (await textOf(response)).includes('error')]).toEqual([200, false]);
  }

  async function publishStep(
    step: Exclude<Command, { reader: number }>,
    topic: string,
    publishing: Promise<void>[],
  ): Promise<void> {
    if (step.do === 'publish') {
      publishing.push(publish(topic, step.count, step.bytes));
      if (step.wait) await Promise.all(publishing);
      return;
    }
    // Push by push, until the kernel has no more room for a live reader that has stalled.
    for (let push = 0; push < 9; push += 1) await publish(topic, 7, 100_000);
  }

  async function run(commands: readonly Command[]): Promise<void> {
    const topic = `urn:run:${runs++}`;
    const readers = Array.from({ length: READERS }, (_, number) => new Reader(herald, topic, number));
    const publishing: Promise<void>[] = [];
    for (const step of commands) {
      if ('reader' in step) await act(step.do, readers[step.reader]);
      else await publishStep(step, topic, publishing);
    }
    await Promise.all(publishing);
    await Promise.all(readers.map((reader) => reader.connect()));
    const last = await publisher.publish({ topic, data: 'last' });
    await Promise.all(readers.map((reader) => reader.until(last)));
    const [transport] = transportsAt(herald.url);
    const path = `${HUB}?match=${topic}&last_event_id=earliest`;
    await using log = await subscribeOver(transport, herald, path);
    await log.until(({ events }) => events.findLast(({ event }) => event !== 'herald')?.id === last);
    const order = log.events.filter(({ event }) => event !== 'herald').map(({ id }) => id);
    for (const reader of readers) {
      expect(reader.seen).toEqual(order.slice(order.length - reader.seen.length));
      await reader.drop(false);
    }
  }

  it('loses nothing, doubles nothing, and keeps the order, whatever connections do', async () => {
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 24 }), run), {
      numRuns,
      endOnFailure: true,
    });
  }, 90_000);
});
