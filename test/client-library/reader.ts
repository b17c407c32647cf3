import {
  createHeraldClient,
  type HeraldClient,
  type HeraldClientOptions,
  type Message,
  type SubscriptionHandle,
} from '../../client/lib/index.js';
import { HUB } from '../support/hub.js';

/** Milliseconds that something may take before the test gives up on it. */
const PATIENCE = 15_000;

/** Short waits, so that tests are over soon. */
export const QUICK: HeraldClientOptions = { backoff: { min: 20, max: 200 } };

/** A client that writes down what it gets. `await using` disposes of it. */
export class Reader implements Disposable {
  readonly texts: string[] = [];
  readonly messages: Message[] = [];
  readonly gaps: string[] = [];
  readonly states: string[] = [];
  readonly errors: string[] = [];
  readonly notices: string[] = [];
  private readonly watchers = new Set<() => void>();

  constructor(readonly client: HeraldClient) {
    this.client.on('state', (state) => this.note(this.states, state));
    this.client.on('error', ({ code }) => this.note(this.errors, code));
    this.client.on('notice', ({ type }) => this.note(this.notices, type));
  }

  static of(url: string, options: HeraldClientOptions = {}): Reader {
    return new Reader(createHeraldClient({ url: url + HUB, ...QUICK, ...options }));
  }

  /** Subscribes and writes down. */
  read(
    ...[match, options]: [Parameters<HeraldClient['subscribe']>[0], Parameters<HeraldClient['subscribe']>[2]?]
  ): SubscriptionHandle {
    const onMessage = (message: Message): void => {
      this.messages.push(message);
      this.note(this.texts, message.text);
    };
    return this.client.subscribe(match, onMessage, {
      onGap: ({ reason = '' }) => this.note(this.gaps, reason),
      ...options,
      onState: (state, error) => {
        options?.onState?.(state, error);
        this.wake();
      },
    });
  }

  /** Resolves once `condition` holds. */
  async until(condition: (reader: this) => boolean): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let watcher: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        watcher = () => {
          if (condition(this)) resolve();
        };
        timer = setTimeout(() => reject(new Error(`waited in vain; ${JSON.stringify(this.summary())}`)), PATIENCE);
        this.watchers.add(watcher);
        watcher();
      });
    } finally {
      clearTimeout(timer);
      if (watcher) this.watchers.delete(watcher);
    }
  }

  async isOpen(): Promise<void> {
    await this.until(({ client }) => client.state === 'open');
  }

  /** Resolves once the message has come. */
  async has(text: string): Promise<void> {
    await this.until(({ texts }) => texts.includes(text));
  }

  [Symbol.dispose](): void {
    this.client.dispose();
  }

  /** Looks again at what is waited for, after the test has done something. */
  wake(_done?: unknown): void {
    for (const watcher of this.watchers) watcher();
  }

  private note(list: string[], entry: string): void {
    list.push(entry);
    this.wake();
  }

  private summary(): object {
    const { texts, states, errors, notices, gaps } = this;
    return { texts: texts.slice(-20), states, errors, notices, gaps };
  }
}
