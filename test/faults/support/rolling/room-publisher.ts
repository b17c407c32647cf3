import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../../../support/event-stream.js';
import { form, HUB } from '../../../support/hub.js';
import { KeptAlive } from '../../../support/request.js';

/** Milliseconds between two attempts of one publication, and until one without an answer is given up. */
const RETRY = 50;
const PATIENCE = 10_000;

export interface RoomPublisherOptions {
  /** The proxy's. */
  readonly url: string;
  readonly token: string;
  readonly rooms: number;
  /** Publications a second, over all rooms. */
  readonly rate: number;
}

/** The topic of a room. */
export function topicOf(room: number): string {
  return `urn:room:${room}`;
}

/**
 * A backend that publishes numbers to rooms, each in turn and each counting from 0, and sends what was not acknowledged
 * again, by its key, before the next one of its room.
 */
export class RoomPublisher {
  /** How often what else than an acknowledgement came, by status or by the error. */
  readonly troubles = new Map<string, number>();
  private readonly connections = new KeptAlive(16);
  private readonly next: number[];
  private readonly busy = new Map<number, Promise<void>>();
  private readonly running: Promise<void>;
  private isOver = false;

  constructor(private readonly options: RoomPublisherOptions) {
    this.next = Array.from({ length: options.rooms }, () => 0);
    this.running = this.run();
  }

  /** How many were acknowledged in a room. */
  publishedTo(room: number): number {
    return this.next[room] ?? 0;
  }

  get total(): number {
    return this.next.reduce((sum, count) => sum + count, 0);
  }

  /** Publishes no more, and resolves once all that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
    await Promise.all(this.busy.values());
    this.connections[Symbol.dispose]();
  }

  private async run(): Promise<void> {
    const began = performance.now();
    for (let turn = 0; !this.isOver; turn += 1) {
      const room = turn % this.options.rooms;
      // A room whose last one is still to be acknowledged has to wait.
      if (!this.busy.has(room)) this.busy.set(room, this.publish(room));
      await delay(Math.max(0, began + ((turn + 1) * 1_000) / this.options.rate - performance.now()));
    }
  }

  private async publish(room: number): Promise<void> {
    const number = this.publishedTo(room);
    const body = form({ topic: topicOf(room), data: String(number) });
    while (!(await this.attempt(`${room}-${number}`, body))) await delay(RETRY);
    this.next[room] = number + 1;
    this.busy.delete(room);
  }

  private async attempt(key: string, body: string): Promise<boolean> {
    const posting = this.connections.request(this.options.url + HUB, {
      method: 'POST',
      signal: AbortSignal.timeout(PATIENCE),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': key,
        authorization: `Bearer ${this.options.token}`,
      },
    });
    posting.end(body);
    try {
      const [response] = (await once(posting, 'response')) as [IncomingMessage];
      const text = await textOf(response);
      if (response.statusCode === 200) return true;
      this.note(`${response.statusCode} ${/"code":"([^"]+)"/.exec(text)?.[1] ?? 'of the proxy'}`);
    } catch (error) {
      this.note((error as NodeJS.ErrnoException).code ?? String(error));
    }
    return false;
  }

  private note(trouble: string): void {
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
  }
}
