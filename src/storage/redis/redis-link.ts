import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { messageOf } from '../../shared/errors/message-of.js';
import type { RedisConnection } from './redis-connection.js';

/** Milliseconds before connecting again: the first delay, which doubles with each failure, and the longest. */
const FIRST_DELAY = 50;
const LONGEST_DELAY = 2_000;

/** Milliseconds that a connection must have lasted for the delays to begin anew. */
const PROVEN = 1_000;

/** A connection to Redis that is replaced whenever it breaks, after a delay that grows, with jitter. */
export class RedisLink {
  private connection: RedisConnection | undefined;
  private readonly waiting = new Set<() => void>();
  private readonly closing = new AbortController();
  private readonly kept: Promise<void>;
  private lost = (): void => undefined;
  private downSince = performance.now();
  /** Whether `onChange` was told how the first attempt went. Later failures to connect are not reported again. */
  private isReported = false;
  /** Why there is no connection. */
  private trouble = 'Redis has not answered yet';

  constructor(
    private readonly connect: () => Promise<RedisConnection>,
    /** Called with the reason when there is no connection any more, or yet; with undefined once there is one. */
    private readonly onChange: (trouble: string | undefined) => void,
  ) {
    this.kept = this.keep();
  }

  get current(): RedisConnection | undefined {
    return this.connection;
  }

  /** Milliseconds without a connection, until now. */
  get downFor(): number {
    return this.connection ? 0 : performance.now() - this.downSince;
  }

  get isClosed(): boolean {
    return this.closing.signal.aborted;
  }

  /**
   * The connection, as soon as there is one.
   * @param patience milliseconds to wait for it.
   * @param signal ends the wait when it is aborted.
   * @throws when there is no connection by then, or the link is closed.
   */
  async get(patience: number, signal?: AbortSignal): Promise<RedisConnection> {
    if (!this.connection && !this.isClosed && patience > 0) await this.change(patience, signal);
    if (this.connection && !this.isClosed) return this.connection;
    throw new Error(`Redis can't be reached: ${this.trouble}`);
  }

  /**
   * Runs `question` on the connection, and drops the connection if that fails.
   * @param patience milliseconds to wait for a connection.
   * @throws whatever went wrong.
   */
  async ask<T>(question: (connection: RedisConnection) => Promise<T>, patience: number): Promise<T> {
    const connection = await this.get(patience);
    try {
      return await question(connection);
    } catch (error) {
      this.drop(connection, messageOf(error));
      throw error;
    }
  }

  /** Gives up a connection on which something went wrong, so that nobody is given it any more. */
  drop({ client }: RedisConnection, trouble: string): void {
    if (this.connection?.client !== client) return;
    // Before `disconnect`, because the client may emit `end` in the middle of it, and so call this method again.
    this.lose(trouble);
    disconnect(client);
  }

  async close(): Promise<void> {
    this.closing.abort();
    if (this.connection) this.drop(this.connection, 'the link is closed');
    await this.kept;
  }

  private change(patience: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, patience);
      signal?.addEventListener('abort', done);
      this.waiting.add(done);
    });
  }

  private async keep(): Promise<void> {
    for (let failures = 0; !this.isClosed; failures += 1) {
      const start = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      if (await this.useOne()) failures = performance.now() - start > PROVEN ? 0 : failures;
      const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** failures);
      // oxlint-disable-next-line no-await-in-loop -- one connection after the other
      await delay(longest * (0.5 + Math.random() / 2), undefined, { signal: this.closing.signal }).catch(
        () => undefined,
      );
    }
    for (const wake of this.waiting) wake();
  }

  /** Connects and stays until the connection is lost. Answers whether there was one. */
  private async useOne(): Promise<boolean> {
    try {
      const connection = await this.connect();
      if (this.isClosed) {
        disconnect(connection.client);
        return false;
      }
      this.connection = connection;
      this.isReported = true;
      this.onChange(undefined);
      for (const wake of this.waiting) wake();
      await new Promise<void>((resolve) => {
        this.lost = resolve;
        connection.client.once('end', () => this.drop(connection, 'the connection was closed'));
      });
      return true;
    } catch (error) {
      this.trouble = messageOf(error);
      if (!this.isReported && !this.isClosed) this.onChange(this.trouble);
      this.isReported = true;
      return false;
    }
  }

  /** Synchronous, because whoever asks for the next connection must not be given this one again. */
  private lose(trouble: string): void {
    this.connection = undefined;
    this.trouble = trouble;
    this.downSince = performance.now();
    if (!this.isClosed) this.onChange(trouble);
    this.lost();
  }
}

/** Disconnects a client that has not ended yet: one that has would wait for its end once more. */
function disconnect(client: Redis): void {
  if (client.status !== 'end') client.disconnect();
}
