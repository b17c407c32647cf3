import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { HUB } from '../../../support/hub.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export interface ReaderOptions {
  readonly name: string;
  /** Where to subscribe. Asked before each connection: a restarted hub may be elsewhere. */
  readonly url: () => string;
  readonly topic: string;
  readonly history: History;
  readonly random: Random;
  /** How likely it is, event by event, that it drops its connection and comes back. */
  readonly drops?: number;
}

/** Milliseconds between two connections. */
const RETRY = 25;

/** A browser: reads, and comes back with the last id that it saw, whatever happens to its connection. */
export class FaultReader {
  private isStopped = false;
  private isStalled = false;
  private response: IncomingMessage | undefined;
  private done: Promise<void> = Promise.resolve();

  constructor(private readonly options: ReaderOptions) {}

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
      await this.connect().catch(() => undefined);
      if (!this.isStopped) await delay(RETRY);
    }
  }

  /** Resolves when the connection is over. */
  private async connect(): Promise<void> {
    const { name, url, topic, history } = this.options;
    const last = history.lastIdOf(name) ?? 'earliest';
    const asking = request(`${url()}${HUB}?match=${encodeURIComponent(topic)}`, {
      agent: false,
      headers: { 'last-event-id': last },
    }).end();
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    asking.on('error', () => undefined);
    response.on('error', () => undefined);
    if (response.statusCode !== 200) return void response.destroy();
    this.response = response;
    if (this.isStopped) response.destroy();
    if (this.isStalled) response.socket.pause();
    const parser = createParser({ onEvent: (event) => this.take(event, response) });
    response.setEncoding('utf8').on('data', (text: string) => parser.feed(text));
    if (!response.closed) await once(response, 'close');
  }

  private take({ event, id, data }: EventSourceMessage, response: IncomingMessage): void {
    // What comes after the connection was dropped has not been seen: it is asked for again.
    if (response.destroyed) return;
    const { name, history, random, drops = 0 } = this.options;
    if (event === 'herald') {
      const notice = JSON.parse(data) as { type: string; reason?: string };
      if (notice.type === 'gap') history.saw(name, { gap: notice.reason ?? '' });
    } else if (id !== undefined) {
      history.saw(name, { id });
      if (random.chance(drops)) response.destroy();
    }
  }
}
