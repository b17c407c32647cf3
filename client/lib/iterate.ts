import type { HeraldEvents, SubscribeOptions } from './api.js';
import { HeraldError } from './errors.js';
import type { Match } from './matcher.js';
import type { Notice } from './wire.js';

export interface IterateOptions {
  /** Messages that may wait to be taken. Default 1 000. */
  readonly buffer?: number;
  /** What happens to a full buffer: the oldest are dropped, and `onGap` is told (default); or the iteration fails. */
  readonly overflow?: 'drop-oldest' | 'fail';
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  readonly onGap?: (notice: Notice) => unknown;
}

/** What iterating needs of a client. */
interface Subscribable<T> {
  subscribe(match: Match, handler: (message: T) => unknown, options?: SubscribeOptions): () => void;
  on(name: 'state', listener: (state: HeraldEvents['state']) => unknown): () => void;
}

/**
 * Messages as an async iterator. The subscription begins when the first message is asked for, and ends with the loop.
 * The iteration ends when the signal is aborted or the client is disposed of.
 * @throws {HeraldError} `overflow`, if the option `overflow` is `fail` and the buffer is full.
 */
export async function* iterate<T>(
  client: Subscribable<T>,
  match: Match,
  { buffer = 1_000, overflow = 'drop-oldest', signal, ...options }: SubscribeOptions & IterateOptions = {},
): AsyncGenerator<T, void, undefined> {
  const mailbox = new Mailbox<T>(buffer, () => options.onGap?.({ type: 'gap', reason: 'overflow' }));
  const close = (): void => mailbox.close();
  if (signal?.aborted) return;
  const unsubscribe = client.subscribe(match, (message) => mailbox.put(message), options);
  const forget = client.on('state', (state) => {
    if (state === 'closed') close();
  });
  signal?.addEventListener('abort', close);
  try {
    while (!mailbox.isClosed) {
      if (mailbox.hasOverflowed && overflow === 'fail') {
        throw new HeraldError('overflow', `More than ${buffer} messages were waiting to be taken.`);
      }
      const message = mailbox.take();
      if (message) yield message;
      // oxlint-disable-next-line no-await-in-loop -- that is what an iterator is
      else await mailbox.somethingNew();
    }
  } finally {
    unsubscribe();
    forget();
    signal?.removeEventListener('abort', close);
  }
}

/** The messages that wait to be taken: the newest `size` at most. */
class Mailbox<T> {
  isClosed = false;
  /** Whether a message was dropped since one was last taken. */
  hasOverflowed = false;
  readonly #size: number;
  readonly #onOverflow: () => void;
  readonly #waiting: T[] = [];
  #wakeUp: (() => void) | undefined;

  constructor(size: number, onOverflow: () => void) {
    this.#size = size;
    this.#onOverflow = onOverflow;
  }

  put(message: T): void {
    this.#waiting.push(message);
    if (this.#waiting.length > this.#size) {
      this.#waiting.shift();
      if (!this.hasOverflowed) this.#onOverflow();
      this.hasOverflowed = true;
    }
    this.#wakeUp?.();
  }

  take(): T | undefined {
    this.hasOverflowed = false;
    return this.#waiting.shift();
  }

  close(): void {
    this.isClosed = true;
    this.#wakeUp?.();
  }

  somethingNew(): Promise<void> {
    return new Promise((resolve) => (this.#wakeUp = resolve));
  }
}
