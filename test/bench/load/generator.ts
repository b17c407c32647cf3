import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../statistics.js';
import type {
  DurationFindings,
  FillCommand,
  FloodCommand,
  OpenCommand,
  PaceCommand,
  Published,
  Settled,
} from './commands.js';
import { readOneEventId } from './event-id.js';
import { makePayload, nowMicroseconds } from './payload.js';
import { Publisher } from './publisher.js';
import { Reader } from './reader.js';
import { Tally, type WatchOptions } from './tally.js';
import { type BatchUpdate, PublishRequests, batchRequest, subscribeRequest, type Target } from './target.js';

/** A paced event waits for a free connection when so many are unanswered. */
const PACE_PUBLISHERS = 16;
/** Updates in a request, where a request may have several. */
const BATCH = 500;
/** How often `settle` looks at the count: a check at every event would cost the hot path. */
const SETTLE_LOOK_MILLISECONDS = 5;

/** The readers and publishers of one measurement against one server. */
export class Generator {
  readonly tally = new Tally();
  private readers: Reader[] = [];
  private publishers: Publisher[] = [];
  private sequences: number[] = [];
  private numbering = 1;
  /** How long each took of the last `open` or `flood`, in milliseconds. */
  private durations: number[] = [];

  constructor(readonly target: Target) {}

  /** Opens readers and resolves when each has its 200. */
  async open(command: OpenCommand): Promise<void> {
    const first = this.readers.length;
    let next = 0;
    this.durations = [];
    const openSome = async (): Promise<void> => {
      while (next < command.readers) {
        const number = next;
        next += 1;
        const request = subscribeRequest(this.target, number % command.topics, command.lastEventId);
        const begin = performance.now();
        this.readers[first + number] = await Reader.open(first + number, this.target.port, request, this.tally);
        this.durations.push(performance.now() - begin);
      }
    };
    await Promise.all(Array.from({ length: command.atOnce }, openSome));
  }

  /** How long streams of the last `open`, or publications of the last `flood`, have waited for their answers. */
  durationsFound(): DurationFindings {
    const ascending = this.durations.toSorted((one, other) => one - other);
    return { p50: percentile(ascending, 0.5), p99: percentile(ascending, 0.99) };
  }

  /** Ends every connection, of readers and publishers. */
  close(): void {
    for (const reader of this.readers) reader.close();
    for (const publisher of this.publishers) publisher.close();
    this.readers = [];
    this.publishers = [];
  }

  stall(every: number): void {
    for (let index = 0; index < this.readers.length; index += every) this.readers[index]?.stall();
  }

  watch(options: WatchOptions): void {
    this.tally.reset(options);
    this.numbering = options.publishers;
    this.sequences = Array.from({ length: options.publishers }, () => 0);
  }

  /** Publishes with every publisher waiting for its answers. Throws when an update is refused. */
  async flood(command: FloodCommand): Promise<Published> {
    const begin = performance.now();
    const end = begin + command.maxSeconds * 1000;
    let events = 0;
    this.durations = [];
    const publishSome = async (publisher: number): Promise<void> => {
      const requests = new PublishRequests(this.target);
      while (events < command.maxEvents && performance.now() < end) {
        const topic = events % command.topics;
        events += 1;
        const begun = performance.now();
        await this.publish(publisher, requests, topic, command.bytes);
        this.durations.push(performance.now() - begun);
      }
    };
    await Promise.all(Array.from({ length: command.publishers }, (_, publisher) => publishSome(publisher)));
    return { events, seconds: (performance.now() - begin) / 1000 };
  }

  /** Publishes with one publisher, so that everything is stored in order. Throws when an update is refused. */
  async fill(command: FillCommand): Promise<Published> {
    const begin = performance.now();
    const { firstTopic, topics, rounds, firstNumber, bytes } = command;
    const events = rounds * topics;
    const requests = new PublishRequests(this.target);
    const { batch } = this.target;
    const step = batch ? BATCH : 1;
    for (let event = 0; event < events; event += step) {
      const updates: BatchUpdate[] = [];
      for (let next = event; next < Math.min(events, event + step); next += 1) {
        const number = firstNumber + Math.floor(next / topics);
        updates.push({ topic: firstTopic + (next % topics), data: makePayload(number, nowMicroseconds(), bytes) });
      }
      const [{ topic, data } = { topic: 0, data: '' }] = updates;
      const request = batch ? batchRequest(this.target, batch, updates) : requests.make(topic, data);
      const status = await this.connection(0).send(request);
      if (status < 200 || status > 299) throw new Error(`updates were answered with ${status}`);
    }
    return { events, seconds: (performance.now() - begin) / 1000 };
  }

  /** Publishes by the clock: a slow answer delays no later event while a connection is free. */
  async pace(command: PaceCommand): Promise<Published> {
    const begin = performance.now();
    const requests = new PublishRequests(this.target);
    const answers: Promise<void>[] = [];
    const { topics = 1, together = 1, bytes, events, eventsPerSecond } = command;
    for (let event = 0; event < events; event += together) {
      const due = begin + (event * 1000) / eventsPerSecond;
      await delay(Math.max(0, due - performance.now()));
      const connection = await this.freeConnection();
      const numbers = Array.from({ length: together }, (_, index) => event + index);
      answers.push(
        together > 1
          ? this.publishTogether(numbers, topics, bytes, connection)
          : this.publish(0, requests, event % topics, bytes, connection),
      );
    }
    await Promise.all(answers);
    return { events, seconds: (performance.now() - begin) / 1000 };
  }

  /** Waits for deliveries; gives up early when every reader has been hung up on. */
  async settle(events: number, maxSeconds: number): Promise<Settled> {
    const end = performance.now() + maxSeconds * 1000;
    while (this.tally.received < events && performance.now() < end) {
      await delay(SETTLE_LOOK_MILLISECONDS);
    }
    const ended = this.readers.filter((reader) => reader.ended).length;
    return { received: this.tally.received, notices: this.tally.notices, ended };
  }

  /** Publishes one event and resolves with the id that a reader saw. */
  async mark(bytes: number, topic = 0): Promise<string> {
    const requests = new PublishRequests(this.target);
    return readOneEventId(this.target.port, subscribeRequest(this.target, topic), async () =>
      this.publish(0, requests, topic, bytes),
    );
  }

  private async publish(
    publisher: number,
    requests: PublishRequests,
    topic: number,
    bytes: number,
    connection = this.connection(publisher),
  ): Promise<void> {
    const sequence = this.sequences[publisher] ?? 0;
    this.sequences[publisher] = sequence + 1;
    const data = makePayload(sequence * this.numbering + publisher, nowMicroseconds(), bytes);
    const status = await connection.send(requests.make(topic, data));
    if (status < 200 || status > 299) throw new Error(`an update was answered with ${status}`);
  }

  private async publishTogether(
    numbers: readonly number[],
    topics: number,
    bytes: number,
    connection: Publisher,
  ): Promise<void> {
    const { batch } = this.target;
    if (!batch) throw new Error('the server has no batches');
    const updates = numbers.map((number) => {
      return { topic: number % topics, data: makePayload(number, nowMicroseconds(), bytes) };
    });
    const status = await connection.send(batchRequest(this.target, batch, updates));
    if (status < 200 || status > 299) throw new Error(`updates were answered with ${status}`);
  }

  private connection(index: number): Publisher {
    const publisher = this.publishers[index] ?? new Publisher(this.target.port);
    this.publishers[index] = publisher;
    return publisher;
  }

  private async freeConnection(): Promise<Publisher> {
    for (;;) {
      for (let index = 0; index < PACE_PUBLISHERS; index += 1) {
        const publisher = this.connection(index);
        if (!publisher.busy) return publisher;
      }
      await delay(1);
    }
  }
}
