import type { Received } from '../client.js';
import { Waiting } from './waiting.js';

/** What a client has told its user, in the order in which it did. */
export class Inbox {
  private readonly events: Received[] = [];
  private readonly waiting = new Waiting();
  private hasFailed = false;

  readonly receive = (event: Received): void => {
    this.events.push(event);
    this.waiting.wakeUp();
  };

  readonly fail = (): void => {
    this.hasFailed = true;
    this.waiting.wakeUp();
  };

  /** The id that the client had last. */
  get lastId(): string {
    return this.events.at(-1)?.id ?? '';
  }

  until(wanted: string): Promise<readonly Received[]> {
    return this.waiting.for(
      () => `"${wanted}" after ${JSON.stringify(this.events).slice(-1_000)}`,
      () => (this.events.some(({ data }) => data === wanted) ? [...this.events] : undefined),
    );
  }

  failed(): Promise<true> {
    return this.waiting.for(
      () => 'a failure',
      () => this.hasFailed || undefined,
    );
  }
}
