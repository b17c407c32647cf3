import { setTimeout as delay } from 'node:timers/promises';
import type { ModelHub } from './model-hub.js';
import type { Wishes } from './wishes.js';

/** An update that was published. */
export interface Publication {
  readonly id: string;
  /** The letters of its topics. */
  readonly topics: readonly string[];
  readonly isPrivate: boolean;
  /** By `Date.now()`, just before it was sent. */
  readonly sentAt: number;
}

export interface PublishOptions {
  readonly topics: readonly string[];
  readonly isPrivate: boolean;
  readonly count: number;
  /** Milliseconds between them. */
  readonly pause: number;
}

/** What one programme publishes: one request follows the other, so that there is but one order. */
export class Publications {
  /** In the order of the hub. */
  readonly all: Publication[] = [];
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly hub: ModelHub,
    private readonly wishes: Wishes,
  ) {}

  /** Publishes as soon as the hub is there and what came before is answered. */
  publish(options: PublishOptions): Promise<void> {
    const sent = this.last.then(() => this.send(options));
    // Whoever waits for the next one, or for all, is told.
    sent.catch(() => undefined);
    this.last = sent;
    return sent;
  }

  /** Resolves once everything is answered. */
  idle(): Promise<void> {
    return this.last;
  }

  private async send({ topics, isPrivate, count, pause }: PublishOptions): Promise<void> {
    const topic = topics.map((letter) => this.wishes.toTopic(letter));
    for (let sent = 0; sent < count; sent += 1) {
      const id = `${this.wishes.name}-${this.all.length}`;
      await this.hub.use(async (publisher) => {
        this.all.push({ id, topics, isPrivate, sentAt: Date.now() });
        await publisher.publish({ topic, data: id, id, ...(isPrivate && { private: 'on' }) });
      });
      await delay(pause);
    }
  }
}
