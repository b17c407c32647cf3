import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { RedisConnection } from './redis-connection.js';

/** Milliseconds before the first and between the later attempts to connect; they double in between. */
const FIRST_DELAY = 50;
const LONGEST_DELAY = 2_000;

/** Milliseconds that a connection must have lasted to be taken for a good one. */
const PROVEN = 1_000;

/** A connection to Redis that is replaced whenever it breaks, after a delay that grows, with jitter. */
export class RedisLink {
  private connection: RedisConnection | undefined;
  private readonly waiting = new Set<() => void>();
  private readonly closing = new AbortController();
  private readonly kept: Promise<void>;
  private lost = (): void => undefined;
  private downSince = performance.now();
  /** Whether anybody knows how the first attempt went. Later ones are news only when they change something. */
  private isReported = false;
  /** Why there is no connection. */
  private trouble = 'it has not answered yet';

  constructor(
    private readonly connect: () => Promise<RedisConnection>,
    /** Told why there is no connection any more, or yet; and with nothing once there is one. */
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
   * @param patience milliseconds.
   * @param signal ends the patience when it is aborted.
   * @throws when there is none by then, or no more will come.
   */
  async get(patience: number, signal?: AbortSignal): Promise<RedisConnection> {
    if (!this.connection && !this.isClosed && patience > 0) await this.change(patience, signal);
    if (this.connection && !this.isClosed) return this.connection;
    throw new Error(`Redis can't be reached: ${this.trouble}`);
  }

  /**
   * Asks something of the connection, which nobody gets any more if that fails.
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

  /** Something went wrong on this connection: nobody gets it any more. */
  drop({ client }: RedisConnection, trouble: string): void {
    if (this.connection?.client !== client) return;
    // First: the client may tell of its end while it is being disconnected, which comes here again.
    this.lose(trouble);
    disconnect(client);
  }

  async close(): Promise<void> {
    this.closing.abort();
    if (this.connection) this.drop(this.connection, 'it is closed');
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
      // oxlint-disable-next-line no-await-in-loop -- as above
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

  /** At once: whoever waits for the next one must not be given this one again. */
  private lose(trouble: string): void {
    this.connection = undefined;
    this.trouble = trouble;
    this.downSince = performance.now();
    if (!this.isClosed) this.onChange(trouble);
    this.lost();
  }
}

/** The client would wait once more for the end of a connection that has ended. */
function disconnect(client: Redis): void {
  if (client.status !== 'end') client.disconnect();
}

/** The message alone: the client's errors carry the command and its arguments, of which one is the password. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
