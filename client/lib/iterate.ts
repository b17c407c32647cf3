import type { SubscribeOptions } from './api.js';
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
}

/**
 * Messages as an async iterator. The subscription begins when the first message is asked for, and ends with the loop.
 * The iteration ends at once when the signal is aborted, the client is disposed of, or `return()` is called, also while
 * a message is waited for.
 * @throws {HeraldError} `overflow`, if the option `overflow` is `fail` and the buffer is full; why the hub refuses the
 *   subscription, if it does; `misused` once the client is disposed of.
 */
export function iterate<T>(
  client: Subscribable<T>,
  match: Match,
  { buffer = 1_000, overflow = 'drop-oldest', signal, ...options }: SubscribeOptions & IterateOptions = {},
): Pick<AsyncGenerator<T, void, undefined>, 'next' | 'return' | 'throw'> {
  let unsubscribe: (() => void) | undefined;
  let hasBegun = false;
  const mailbox = new Mailbox<T>(buffer, {
    overflow: () => {
      if (overflow !== 'fail') options.onGap?.({ type: 'gap', reason: 'overflow' });
      else mailbox.close(new HeraldError('overflow', `More than ${buffer} messages were waiting to be taken.`));
    },
    closed: () => {
      unsubscribe?.();
      signal?.removeEventListener('abort', end);
    },
  });
  const end = (): void => mailbox.close();
  const onState: SubscribeOptions['onState'] = (state, error) => {
    if (state === 'refused' || state === 'ended') mailbox.close(error);
    return options.onState?.(state, error);
  };
  const begin = (): void => {
    hasBegun = true;
    if (signal?.aborted) return end();
    signal?.addEventListener('abort', end);
    try {
      unsubscribe = client.subscribe(match, (message) => mailbox.put(message), { ...options, onState });
    } catch (error) {
      end();
      throw error;
    }
    if (mailbox.isClosed) unsubscribe();
  };
  return {
    next: async () => {
      if (!hasBegun && !mailbox.isClosed) begin();
      return mailbox.take();
    },
    return: async () => {
      end();
      return DONE;
    },
    throw: async (error: unknown) => {
      end();
      throw error;
    },
  };
}

const DONE = { done: true, value: undefined } as const;

/** Who waits for a message. */
interface Waiter<T> {
  resolve(result: IteratorResult<T, void>): void;
  reject(error: HeraldError): void;
}

/** The messages that wait to be taken, the newest `size` at most, or else those who wait for messages. */
class Mailbox<T> {
  isClosed = false;
  readonly #size: number;
  readonly #on: { overflow(): void; closed(): void };
  readonly #messages: T[] = [];
  readonly #waiters: Waiter<T>[] = [];
  /** What the next one who takes is told, once. */
  #error: HeraldError | undefined;
  /** Whether a message was dropped since one was last taken. */
  #hasOverflowed = false;

  constructor(size: number, on: { overflow(): void; closed(): void }) {
    this.#size = size;
    this.#on = on;
  }

  put(message: T): void {
    if (this.isClosed) return;
    const waiter = this.#waiters.shift();
    if (waiter) return waiter.resolve({ done: false, value: message });
    this.#messages.push(message);
    if (this.#messages.length <= this.#size) return;
    this.#messages.shift();
    if (!this.#hasOverflowed) this.#on.overflow();
    this.#hasOverflowed = true;
  }

  take(): Promise<IteratorResult<T, void>> {
    return new Promise((resolve, reject) => {
      this.#hasOverflowed = false;
      const error = this.#error;
      this.#error = undefined;
      if (error) return reject(error);
      if (this.isClosed) return resolve(DONE);
      const message = this.#messages.shift();
      if (message === undefined) this.#waiters.push({ resolve, reject });
      else resolve({ done: false, value: message });
    });
  }

  /** Nothing is taken any more. With an error, the one who waits, or else the next one who takes, is told of it. */
  close(error?: HeraldError): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#messages.length = 0;
    const [first, ...others] = this.#waiters.splice(0);
    if (error && first) first.reject(error);
    else first?.resolve(DONE);
    if (!first) this.#error = error;
    for (const waiter of others) waiter.resolve(DONE);
    this.#on.closed();
  }
}
