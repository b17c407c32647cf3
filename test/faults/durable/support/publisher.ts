import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { textOf } from '../../../support/event-stream.js';
import { form, HUB, publisherToken } from '../../../support/hub.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export interface PublisherOptions {
  readonly name: string;
  /** Where to publish. Asked before each attempt: a restarted hub may be elsewhere. */
  readonly url: () => string;
  readonly topic: string;
  readonly history: History;
  readonly random: Random;
  /** Characters of data, at most. */
  readonly maxData?: number;
  /** How likely it gives an update up when no answer came, rather than sending it again with the same key. */
  readonly givesUp?: number;
  /** Asked before each update: a publisher that must not run ahead waits here. */
  readonly mayGoOn?: () => Promise<void>;
}

/** Milliseconds between two attempts, and the longest pause between two updates. */
const RETRY = 25;
const PAUSE = 4;

/** Milliseconds after which a request is given up. */
const PATIENCE = 30_000;

/** A backend that publishes one update after the other, tries again when no answer comes, and notes what it was told. */
export class FaultPublisher {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private isStopped = false;
  private done: Promise<void> = Promise.resolve();
  private token = '';

  constructor(private readonly options: PublisherOptions) {}

  async start(): Promise<this> {
    this.token = await publisherToken({ subject: this.options.name });
    this.done = this.run();
    return this;
  }

  /** Lets it bring its last update to an end. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.done.finally(() => this.agent.destroy());
  }

  private async run(): Promise<void> {
    const { name, random, mayGoOn } = this.options;
    for (let count = 0; !this.isStopped; count += 1) {
      await mayGoOn?.();
      await this.publish(`${name}-${count}`);
      await delay(random.between(0, PAUSE));
    }
  }

  private async publish(id: string): Promise<void> {
    const { topic, history, random, maxData = 200, givesUp = 0 } = this.options;
    const body = form({ topic, id, data: 'x'.repeat(random.between(1, maxData)) });
    for (let unanswered = 0; ; unanswered += 1) {
      const status = await this.attempt(id, body);
      if (status === 200) return history.answered(id, 'acknowledged');
      // Nothing of it was stored, unless by an attempt before that got no answer.
      if (status !== undefined) return history.answered(id, unanswered > 0 ? 'unknown' : 'refused');
      history.lost += 1;
      if (this.isStopped || random.chance(givesUp)) return history.answered(id, 'unknown');
      await delay(RETRY);
    }
  }

  /** The status, or nothing when no answer came. */
  private async attempt(id: string, body: string): Promise<number | undefined> {
    try {
      const response = await this.send(id, body);
      const text = await textOf(response);
      if (response.statusCode === 200) return text === id ? 200 : undefined;
      this.options.history.refused(`${response.statusCode} ${(JSON.parse(text) as { code?: string }).code}`);
      return response.statusCode;
    } catch {
      return undefined;
    }
  }

  private async send(id: string, body: string): Promise<IncomingMessage> {
    const posting = request(this.options.url() + HUB, {
      agent: this.agent,
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
