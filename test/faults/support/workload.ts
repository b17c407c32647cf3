import { setTimeout as delay } from 'node:timers/promises';
import { EventStream, send, textOf } from '../../support/event-stream.js';
import { form, HUB, noticesOf, publisherToken } from '../../support/hub.js';
import type { Break, History, Sighting } from './history.js';
import type { Random } from './random.js';

const TOPIC = 'urn:faults';

/** Milliseconds after which a publisher or a reader takes an instance for dead and asks another one. */
const PATIENCE = 6_000;

/** Milliseconds that the readers get to come to the end when all is well again. */
const CLOSING_PATIENCE = 40_000;

/** The notices that tell a reader that it has lost something. `trimmed` and `not-held` are gaps. */
const BREAKS = new Set(['gap', 'reset']);

/** URLs of the instances, asked for anew each time: they come and go. */
export type Instances = () => readonly string[];

export interface WorkloadOptions {
  readonly random: Random;
  readonly publishAt: Instances;
  readonly readAt: Instances;
  readonly publishers?: number;
  readonly readers?: number;
}

/**
 * Publishers that try each update again until it is acknowledged, and readers that move between the instances. Runs
 * while a scenario makes trouble; `finish` waits until all readers have everything, and gives the history.
 */
export class Workload {
  private readonly acknowledged: string[] = [];
  private readonly publishing: Promise<void>[];
  private readonly readers: Reader[];
  private readonly reading: Promise<void>[];
  private isStopping = false;

  private constructor(
    private readonly token: string,
    private readonly options: WorkloadOptions,
  ) {
    const { publishers = 3, readers = 6 } = options;
    this.readers = Array.from({ length: readers }, (_, index) => new Reader(`reader ${index}`, options));
    this.reading = this.readers.map((reader) => reader.run());
    this.publishing = Array.from({ length: publishers }, (_, index) => this.publishAll(`p${index}`));
  }

  static async start(options: WorkloadOptions): Promise<Workload> {
    return new Workload(await publisherToken(), options);
  }

  get acknowledgedIds(): readonly string[] {
    return this.acknowledged;
  }

  /** Stops publishing, lets every reader read to the end, and tells what happened. */
  async finish(): Promise<History> {
    this.isStopping = true;
    await Promise.all(this.publishing);
    await this.publish('last-0');
    const patience = AbortSignal.timeout(CLOSING_PATIENCE);
    for (const reader of this.readers) reader.stopAfter('last-0', patience);
    await Promise.all(this.reading);
    const order = new Reader('order', this.options);
    order.stopAfter('last-0', patience);
    await order.run();
    return {
      acknowledged: this.acknowledged,
      sightings: this.readers.map((reader) => reader.sighting()),
      order: order.sighting().seen,
    };
  }

  private async publishAll(publisher: string): Promise<void> {
    for (let number = 0; !this.isStopping; number += 1) {
      await this.publish(`${publisher}-${number}`);
      await delay(this.options.random.between(0, 8));
    }
  }

  /** Publishes one update, as often as it takes: the idempotency key keeps it from being stored twice. */
  private async publish(id: string): Promise<void> {
    while (!(await this.attempt(id))) await delay(this.options.random.between(5, 60));
    this.acknowledged.push(id);
  }

  private async attempt(id: string): Promise<boolean> {
    try {
      const headers = {
        authorization: `Bearer ${this.token}`,
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': id,
      };
      const signal = AbortSignal.timeout(PATIENCE);
      const url = this.options.random.pick(this.options.publishAt()) + HUB;
      const response = await send(url, { method: 'POST', headers, signal }, form({ topic: TOPIC, id, data: id }));
      const text = await textOf(response);
      return response.statusCode === 200 && text === id;
    } catch {
      return false;
    }
  }
}

/** A reader as its application sees it: one sequence of ids, over however many connections to whichever instances. */
class Reader {
  private readonly seen: string[] = [];
  private readonly breaks: Break[] = [];
  private last: string | undefined;
  private patience: AbortSignal | undefined;

  constructor(
    private readonly name: string,
    private readonly options: WorkloadOptions,
  ) {}

  sighting(): Sighting {
    return { reader: this.name, seen: this.seen, breaks: this.breaks };
  }

  /** Comes to its end with this id, or when it takes too long. */
  stopAfter(id: string, patience: AbortSignal): void {
    this.last = id;
    this.patience = patience;
  }

  async run(): Promise<void> {
    while (!this.isDone()) {
      await this.visit().catch(() => delay(this.options.random.between(5, 60)));
    }
  }

  private isDone(): boolean {
    return (this.last !== undefined && this.seen.at(-1) === this.last) || this.patience?.aborted === true;
  }

  /** One connection, until it ends or the reader has had enough of it. */
  private async visit(): Promise<void> {
    const { random, readAt } = this.options;
    const id = this.seen.at(-1) ?? 'earliest';
    const signal = AbortSignal.timeout(PATIENCE);
    const url = `${random.pick(readAt())}${HUB}?match=${TOPIC}&last_event_id=${encodeURIComponent(id)}`;
    const stream = new EventStream(await send(url, { signal }));
    const hadEnough = new AbortController();
    const stay = delay(random.between(50, 1_500), undefined, { signal: hadEnough.signal }).catch(() => undefined);
    await Promise.race([stream.ended, stay]);
    hadEnough.abort();
    this.collect(stream);
    await stream[Symbol.asyncDispose]();
  }

  private collect(stream: EventStream): void {
    const types = noticesOf(stream).map(({ type }) => String(type));
    for (const { event, id } of stream.events) {
      if (event !== 'herald') {
        this.seen.push(id ?? '');
        continue;
      }
      const type = types.shift() ?? '';
      if (BREAKS.has(type)) this.breaks.push({ type, after: this.seen.length });
    }
  }
}
