import type { ModelHub } from './model-hub.js';

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
}

/** What one programme publishes: one request follows the other, so that there is but one order. */
export class Publications {
  /** In the order of the hub. */
  readonly all: Publication[] = [];
  private last: Promise<void> = Promise.resolve();

  /** @param name of the programme, with which all ids begin. */
  constructor(
    private readonly name: string,
    private readonly hub: ModelHub,
    private readonly toTopic: (letter: string) => string,
  ) {}

  /** Publishes as soon as the hub is there and what came before is answered. */
  publish({ count, ...update }: PublishOptions): Promise<void> {
    const sent = this.last.then(async () => {
      for (let index = 0; index < count; index += 1) await this.publishOne(update);
    });
    // Whoever waits for the next one, or for all, is told.
    sent.catch(() => undefined);
    this.last = sent;
    return sent;
  }

  /** Resolves once everything is answered. */
  idle(): Promise<void> {
    return this.last;
  }

  private async publishOne({ topics, isPrivate }: Omit<PublishOptions, 'count'>): Promise<void> {
    const id = `${this.name}-${this.all.length}`;
    const topic = topics.map((letter) => this.toTopic(letter));
    await this.hub.use(async (publisher) => {
      this.all.push({ id, topics, isPrivate, sentAt: Date.now() });
      await publisher.publish({ topic, data: id, id, ...(isPrivate && { private: 'on' }) });
    });
  }
}
