import { setTimeout as delay } from 'node:timers/promises';
import type { EventSourceMessage } from 'eventsource-parser';
import { HUB } from '../../support/hub.js';
import type { StreamClient } from '../../support/stream-client.js';
import { subscribeOver, transportsAt } from '../../support/transports.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export interface ReaderOptions {
  readonly name: string;
  /** Where to subscribe, at one of these each time. Asked before each connection: hubs come and go. */
  readonly urls: () => readonly string[];
  readonly topic: string;
  readonly history: History;
  readonly random: Random;
  /** How likely it is, event by event, that it drops its connection and comes back. */
  readonly drops?: number;
  /** Milliseconds that it stays at one place, at most. Default: as long as the connection lasts. */
  readonly stays?: number;
}

/** Milliseconds between two connections. */
const RETRY = 25;

/** Milliseconds after which a request without an answer is given up. */
const PATIENCE = 4_000;

/** Milliseconds: the longest that a timer can wait. */
const FOREVER = 2 ** 31 - 1;

/**
 * A browser: reads, and comes back with the last id that it saw, whatever happens to its connection. Chance tells over which
 * of the transports that are spoken there.
 */
export class FaultReader {
  private isStopped = false;
  private isStalled = false;
  private cursor = 'earliest';
  private client: StreamClient | undefined;
  private done: Promise<void> = Promise.resolve();

  constructor(private readonly options: ReaderOptions) {}

  get name(): string {
    return this.options.name;
  }

  start(): this {
    this.done = this.run();
    return this;
  }

  /** Stops reading, so that its socket becomes full. */
  stall(): void {
    this.isStalled = true;
    this.client?.stall();
  }

  read(): void {
    this.isStalled = false;
    this.client?.read();
  }

  /** Leaves its connection, be it with a goodbye or without, after which it comes back. */
  drop(): void {
    const { client } = this;
    // What comes after this has not been seen: it is asked for again.
    this.client = undefined;
    if (this.options.random.chance(0.5)) client?.leave();
    else client?.reset();
    void client?.[Symbol.asyncDispose]();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.drop();
    await this.done;
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      await this.visit().catch(() => undefined);
      if (!this.isStopped) await delay(RETRY);
    }
  }

  /** Resolves when the connection is over. */
  private async visit(): Promise<void> {
    const { random, stays } = this.options;
    const client = await this.connect();
    let leave: NodeJS.Timeout | undefined;
    try {
      await client.until(({ status }) => status !== 0, PATIENCE);
      if (client.status !== 200 || this.isStopped) return;
      this.client = client;
      if (this.isStalled) client.stall();
      client.consume((event) => this.take(event, client));
      if (stays !== undefined) leave = setTimeout(() => this.drop(), random.between(50, stays));
      await client.until(({ ended }) => ended, FOREVER);
    } finally {
      clearTimeout(leave);
      if (client.malformed !== undefined) this.options.history.malformed.push(client.malformed);
      await client[Symbol.asyncDispose]();
    }
  }

  private connect(): Promise<StreamClient> {
    const { urls, topic, random } = this.options;
    const url = random.pick(urls());
    const path = `${HUB}?match=${encodeURIComponent(topic)}`;
    return subscribeOver(random.pick(transportsAt(url)), { url }, path, { 'last-event-id': this.cursor });
  }

  private take({ event, id, data }: EventSourceMessage, client: StreamClient): void {
    if (client !== this.client) return;
    const { name, history, random, drops = 0 } = this.options;
    if (event === 'herald') {
      const { type, reason } = JSON.parse(data) as { type: string; reason?: string };
      if (type === 'gap' || type === 'reset') history.saw(name, { notice: type, ...(reason && { reason }) });
    } else if (id !== undefined) {
      this.cursor = id;
      // Its publisher's name for it, also where the hub has given it another one.
      history.saw(name, { id: data.split(' ', 1)[0] ?? '' });
      if (random.chance(drops)) this.drop();
    }
  }
}
