import { messageOf } from '../../shared/errors/message-of.js';
import type { RecurringTrouble } from '../../shared/recurring-trouble.js';
import { type RedisConnection, runScript } from './redis-connection.js';
import type { RedisLink } from './redis-link.js';
import { isElsewhere, isRefusal } from './redis-refusal.js';

/**
 * Does nothing, and may write as far as Redis knows, so it is refused wherever an append would be: on a replica, when memory
 * is short, and when Redis can't save what it has.
 */
export const PROBE = '#!lua\nreturn 1';

/** Milliseconds between two looks. */
const LOOK_EVERY = 1_000;

/** Milliseconds between two times that a connection is given up because another server may be the master now. */
const LOOK_ELSEWHERE = 10_000;

/**
 * Whether Redis takes writes. It is asked every second, because nobody publishes to a process that is not ready, and so no
 * publication would tell that they work again.
 */
export class RedisWrites {
  private refusal: 'full' | 'refusing' | undefined;
  private looking: Promise<void> | undefined;
  private wentElsewhereAt = -Infinity;
  private readonly timer: NodeJS.Timeout;

  /** @param key one of the keys that are written to. */
  constructor(
    private readonly link: RedisLink,
    private readonly key: string,
    private readonly trouble: RecurringTrouble,
  ) {
    this.timer = setInterval(() => void this.look(), LOOK_EVERY).unref();
  }

  /** Why Redis takes no writes, as far as is known: its memory is full, or it has another reason. */
  get obstacle(): 'full' | 'refusing' | undefined {
    return this.refusal;
  }

  /** Resolves once Redis has been asked. Never rejects. */
  look(): Promise<void> {
    const connection = this.link.current;
    // After a while without a connection, that is the trouble, whatever there was before.
    if (!connection) {
      if (this.link.downFor > LOOK_EVERY) this.refusal = undefined;
      return Promise.resolve();
    }
    this.looking ??= this.ask(connection).finally(() => (this.looking = undefined));
    return this.looking;
  }

  close(): void {
    clearInterval(this.timer);
  }

  private async ask(connection: RedisConnection): Promise<void> {
    try {
      await runScript(connection, PROBE, [this.key], []);
      this.refusal = undefined;
      this.trouble.isOver();
    } catch (error) {
      this.note(connection, messageOf(error));
    }
  }

  private note(connection: RedisConnection, trouble: string): void {
    if (!isRefusal(trouble)) return this.link.drop(connection, trouble);
    this.refusal = trouble.startsWith('OOM ') ? 'full' : 'refusing';
    // Without what follows the first sentence: names of scripts.
    this.trouble.has(new Error(trouble.split('. ', 1)[0]));
    const now = performance.now();
    if (!isElsewhere(trouble) || now - this.wentElsewhereAt < LOOK_ELSEWHERE) return;
    this.wentElsewhereAt = now;
    this.link.drop(connection, trouble);
  }
}
