import { type Appended, JournalUnavailableError } from '../journal.js';
import { COMMAND_TIMEOUT, type RedisConnection } from '../../redis/redis-connection.js';
import { messageOf } from '../../../shared/errors/message-of.js';
import type { RedisLink } from '../../redis/redis-link.js';
import { isElsewhere, isRefusal } from '../../redis/redis-refusal.js';
import type { Batch, Draft } from './redis-draft.js';
import type { RedisLog, Report } from './redis-log.js';
import { Queue } from '../../../shared/queue.js';

/** Limits of one batch, in entries and in characters of their text: a script holds up every other client of Redis. */
const BATCH_ENTRIES = 256;
const BATCH_SIZE = 512 * 1024;

/**
 * Limits of what waits to be sent, in entries and in characters. Further appends are refused at once, because Redis is
 * too slow for what comes in.
 */
const WAITING_ENTRIES = 20_000;
const WAITING_SIZE = 64 * 1024 ** 2;

/**
 * Milliseconds for which an append is tried again while Redis is away, so that short breaks don't concern publishers.
 */
const PATIENCE = 3_000;

interface Waiting extends Draft {
  readonly settle: (outcome: Appended) => void;
  readonly fail: (error: Error) => void;
}

/**
 * Sends appends one batch at a time; whatever comes in while a batch is under way makes the next one. So the log has
 * the order of the calls, whatever their kind, and the more entries come in, the more of them share a round trip.
 *
 * A batch whose answer is lost with its connection is sent again under the same number, by which the script recognises
 * a batch that it has stored already.
 */
export class RedisAppender {
  private readonly waiting = new Queue<Waiting>();
  private waitingSize = 0;
  private isSending = false;
  private batches = 0;

  /**
   * @param replicas how many replicas must have a batch before it counts as stored.
   * @param onStored called after each batch with the state of the log.
   */
  constructor(
    private readonly link: RedisLink,
    private readonly log: RedisLog,
    private readonly replicas: number,
    private readonly onStored: (report: Report) => void,
  ) {}

  append(draft: Draft): Promise<Appended> {
    const { length } = draft.content;
    if (this.waiting.length >= WAITING_ENTRIES || this.waitingSize + length > WAITING_SIZE) {
      return Promise.reject(
        new JournalUnavailableError('Redis takes updates more slowly than they come in: try again later.'),
      );
    }
    return new Promise((settle, fail) => {
      this.waiting.push({ ...draft, settle, fail });
      this.waitingSize += length;
      if (!this.isSending) void this.sendAll();
    });
  }

  private async sendAll(): Promise<void> {
    this.isSending = true;
    // Appends that follow in the same synchronous code go into the same batch.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const drafts = this.takeBatch();
      // oxlint-disable-next-line no-await-in-loop -- one batch at a time keeps the order
      await this.send(drafts);
    }
    this.isSending = false;
  }

  private takeBatch(): Waiting[] {
    const drafts: Waiting[] = [];
    for (let size = 0; drafts.length < BATCH_ENTRIES && size < BATCH_SIZE;) {
      const next = this.waiting.shift();
      if (!next) break;
      drafts.push(next);
      size += next.content.length;
    }
    this.waitingSize -= drafts.reduce((sum, { content }) => sum + content.length, 0);
    return drafts;
  }

  private async send(drafts: readonly Waiting[]): Promise<void> {
    try {
      const { report, outcomes } = await this.store({ number: ++this.batches, drafts });
      this.onStored(report);
      drafts.forEach((draft, index) => draft.settle(readOutcome(outcomes[index] ?? '', draft)));
    } catch (error) {
      for (const { fail } of drafts) fail(error as Error);
    }
  }

  /** Tries again until the batch is stored or refused, or Redis has been away for too long. */
  private async store(batch: Batch): Promise<{ report: Report; outcomes: string[] }> {
    const deadline = performance.now() + PATIENCE;
    for (let wasSent = false; ; wasSent = true) {
      // oxlint-disable-next-line no-await-in-loop -- attempts come one after the other
      const connection = await this.connection(deadline, wasSent);
      try {
        // oxlint-disable-next-line no-await-in-loop -- attempts come one after the other
        return await this.attempt(connection, batch);
      } catch (error) {
        if (error instanceof JournalUnavailableError) throw error;
        const trouble = messageOf(error);
        // A batch that another server may take is sent again, and any other refusal is told to the publisher.
        if (isRefusal(trouble) && !isElsewhere(trouble)) throw refusedBy(trouble);
        this.link.drop(connection, trouble);
      }
    }
  }

  private async connection(deadline: number, wasSent: boolean): Promise<RedisConnection> {
    try {
      // When Redis has been away for a while, publishers don't wait: they are better off with an answer at once.
      return await this.link.get(this.link.downFor > PATIENCE ? 0 : deadline - performance.now());
    } catch (error) {
      const doubt = wasSent ? ' Whether it was stored is not known: use an Idempotency-Key to try again safely.' : '';
      throw new JournalUnavailableError(`The journal's Redis can't be reached at the moment.${doubt}`, {
        cause: new Error(messageOf(error)),
      });
    }
  }

  private async attempt(connection: RedisConnection, batch: Batch): Promise<{ report: Report; outcomes: string[] }> {
    const stored = this.log.append(connection, batch);
    if (this.replicas === 0) return stored;
    const [result, confirmed] = await Promise.all([stored, connection.client.wait(this.replicas, COMMAND_TIMEOUT / 2)]);
    if (confirmed >= this.replicas) return result;
    throw new JournalUnavailableError(
      `Stored, but only ${confirmed} of ${this.replicas} replicas confirmed it: it would be lost with the master. ` +
        'Use an Idempotency-Key to try again safely.',
    );
  }
}

function refusedBy(trouble: string): JournalUnavailableError {
  const code = trouble.split(' ', 1)[0] ?? '';
  return new JournalUnavailableError(`The journal's Redis does not take updates at the moment (${code}).`);
}

function readOutcome(outcome: string, { lastEventId }: Draft): Appended {
  const value = outcome.slice(1);
  if (outcome.startsWith('s')) return { outcome: 'stored', position: Number(value), id: lastEventId };
  return outcome.startsWith('r') ? { outcome: 'repeated', id: value } : { outcome: 'conflict' };
}
