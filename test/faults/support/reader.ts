import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { HUB } from '../../support/hub.js';
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

/** A browser: reads, and comes back with the last id that it saw, whatever happens to its connection. */
export class FaultReader {
  private isStopped = false;
  private isStalled = false;
  private cursor = 'earliest';
  private response: IncomingMessage | undefined;
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
    this.response?.socket.pause();
  }

  read(): void {
    this.isStalled = false;
    this.response?.socket.resume();
  }

  /** Cuts the connection, after which it comes back. */
  drop(): void {
    this.response?.destroy();
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
    const response = await this.connect();
    response.on('error', () => undefined);
    if (response.statusCode !== 200) return void response.destroy();
    this.response = response;
    if (this.isStopped) response.destroy();
    if (this.isStalled) response.socket.pause();
    const parser = createParser({ onEvent: (event) => this.take(event, response) });
    response.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
    const leave = stays === undefined ? undefined : setTimeout(() => response.destroy(), random.between(50, stays));
    if (!response.closed) await once(response, 'close');
    clearTimeout(leave);
  }

  private async connect(): Promise<IncomingMessage> {
    const { urls, topic, random } = this.options;
    const asking = request(`${random.pick(urls())}${HUB}?match=${encodeURIComponent(topic)}`, {
      agent: false,
      headers: { 'last-event-id': this.cursor },
    }).end();
    const timer = setTimeout(() => asking.destroy(), PATIENCE);
    try {
      const [response] = (await once(asking, 'response')) as [IncomingMessage];
      return response;
    } finally {
      asking.on('error', () => undefined);
      clearTimeout(timer);
    }
  }

  private take({ event, id, data }: EventSourceMessage, response: IncomingMessage): void {
    // What comes after the connection was dropped has not been seen: it is asked for again.
    if (response.destroyed) return;
    const { name, history, random, drops = 0 } = this.options;
    if (event === 'herald') {
      const { type, reason } = JSON.parse(data) as { type: string; reason?: string };
      if (type === 'gap' || type === 'reset') history.saw(name, { notice: type, ...(reason && { reason }) });
    } else if (id !== undefined) {
      this.cursor = id;
      // Its publisher's name for it, also where the hub has given it another one.
      history.saw(name, { id: data.split(' ', 1)[0] ?? '' });
      if (random.chance(drops)) response.destroy();
    }
  }
}
