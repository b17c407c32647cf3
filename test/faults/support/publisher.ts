import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../../support/event-stream.js';
import { form, HUB, publisherToken } from '../../support/hub.js';
import { KeptAlive } from '../../support/request.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export interface PublisherOptions {
  readonly name: string;
  /** Where to publish, one of these each time. Asked before each attempt: hubs come and go. */
  readonly urls: () => readonly string[];
  readonly topic: string;
  readonly history: History;
  readonly random: Random;
  /** Characters of data, at most. */
  readonly maxData?: number;
  /** How likely it gives an update up after an attempt without success, rather than sending it again. */
  readonly givesUp?: number;
  /** Whether updates have ids of its own, which is so unless it is said, or get them from the hub. */
  readonly givesIds?: boolean;
  /** Asked before each update: a publisher that must not run ahead waits here. */
  readonly mayGoOn?: () => Promise<void>;
}

/** Milliseconds between two attempts, and the longest pause between two updates. */
const RETRY = 25;
const PAUSE = 6;

/** Milliseconds after which a request is given up. */
const PATIENCE = 8_000;

/** What came of one attempt: the answer, or that there was none which says what became of the update. */
type Outcome = 'stored' | 'refused' | 'unknown';

/**
 * A backend that publishes one update after the other, tries again with the same `Idempotency-Key` until it is
 * acknowledged, and notes what it was told.
 */
export class FaultPublisher {
  private readonly connections = new KeptAlive(4);
  private isStopped = false;
  private done: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: PublisherOptions,
    private readonly token: string,
  ) {}

  static async of(options: PublisherOptions): Promise<FaultPublisher> {
    return new FaultPublisher(options, await publisherToken({ subject: options.name }));
  }

  /** Publishes one after the other from now on. */
  start(): this {
    this.done = this.run();
    return this;
  }

  /** Lets it bring its last update to an end. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.done.finally(() => this.connections[Symbol.dispose]());
  }

  private async run(): Promise<void> {
    const { name, random, mayGoOn } = this.options;
    for (let count = 0; !this.isStopped; count += 1) {
      await mayGoOn?.();
      await this.publish(`${name}-${count}`);
      await delay(random.between(0, PAUSE));
    }
  }

  /** Resolves when it was acknowledged or given up. */
  async publish(id: string): Promise<void> {
    const { topic, history, random, maxData = 200, givesUp = 0.02, givesIds = true } = this.options;
    const data = `${id} ${'x'.repeat(random.between(1, maxData))}`;
    const body = form({ topic, data, ...(givesIds && { id }) });
    for (let isInDoubt = false; ; await delay(RETRY)) {
      const outcome = await this.attempt(id, body);
      if (outcome === 'stored') return history.answered(id, 'acknowledged');
      // What an attempt before has left behind is not taken back by a refusal.
      isInDoubt ||= outcome === 'unknown';
      if (this.isStopped || random.chance(givesUp)) return history.answered(id, isInDoubt ? 'unknown' : 'refused');
    }
  }

  private async attempt(id: string, body: string): Promise<Outcome> {
    const { history, givesIds = true } = this.options;
    try {
      const response = await this.send(id, body);
      const text = await textOf(response);
      if (response.statusCode === 200) return text === id || !givesIds ? 'stored' : 'unknown';
      const { code, detail = '' } = JSON.parse(text) as { code?: string; detail?: string };
      history.refused(`${response.statusCode} ${code}`);
      // Where the hub does not know it either, it says what to try again with.
      return detail.includes('Idempotency-Key') ? 'unknown' : 'refused';
    } catch {
      history.unanswered += 1;
      return 'unknown';
    }
  }

  private async send(id: string, body: string): Promise<IncomingMessage> {
    const posting = this.connections.request(this.options.random.pick(this.options.urls()) + HUB, {
      method: 'POST',
      signal: AbortSignal.timeout(PATIENCE),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'idempotency-key': id,
        authorization: `Bearer ${this.token}`,
      },
    });
    posting.end(body);
    const [response] = (await once(posting, 'response')) as [IncomingMessage];
    return response;
  }
}
