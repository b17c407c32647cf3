import { Logger } from '@nestjs/common';
import { guardListener } from '../guard-listener.js';
import { isPresence, type Journal, type ReadEntry } from '../journal.js';
import type { TopicAddresses, TopicLookup } from '../topics/topic-lookup.js';
import { RedisTail } from './redis-tail.js';
import { RedisTopics } from './redis-topics.js';

/** Rows that are read together while the index is behind, and milliseconds before the next ones: so others get on. */
const ROWS = 128;
const PAUSE = 1;

/** Milliseconds between two messages that tell how far the index has come. */
const PROGRESS = 5_000;

/** Keeps an index of the updates by topic: reads it from the log in the background, and then goes on with what comes. */
export class RedisIndexer {
  private readonly logger = new Logger('Journal');
  private index!: RedisTopics;
  private tail!: RedisTail;
  constructor(
    private readonly journal: Journal,
    private readonly addresses: TopicAddresses,
    private readonly maxBytes: number,
  ) {
    this.begin();
  }

  /** About how many bytes of memory the index takes. */
  get bytes(): number {
    return this.index.bytes;
  }

  /** The index; undefined while it is behind. */
  get topics(): TopicLookup | undefined {
    return this.tail.isBehind ? undefined : this.index;
  }

  /** Takes new entries from the follower. */
  take(entries: readonly ReadEntry[]): void {
    this.tail.take(entries);
  }

  /** Goes back to a position after which the log has lost its entries. */
  reset(position: number): void {
    this.tail.reset(position);
  }

  /** Lets go of what is trimmed. */
  trim(oldest: number): void {
    this.index.dropBefore(oldest);
  }

  /** Lets go of removed updates; begins anew where it is not known which they are. */
  remove(positions: readonly number[] | undefined): void {
    if (!positions) {
      this.tail.stop();
      this.begin();
      return;
    }
    this.tail.remove(positions);
    for (const position of positions) this.index.remove(position);
  }

  stop(): void {
    this.tail.stop();
  }

  private begin(): void {
    const { oldest, head } = this.journal;
    const index = new RedisTopics(this.addresses, this.maxBytes, oldest);
    const begun = performance.now();
    let told = begun;
    const add = (entries: readonly ReadEntry[]): void => {
      for (const entry of entries) if (!isPresence(entry)) index.add(entry.position, entry.update?.topics ?? []);
      if (!this.tail.isBehind || performance.now() - told < PROGRESS) return;
      told = performance.now();
      this.logger.log({
        msg: 'updates are being listed by topic',
        upTo: entries.at(-1)?.position,
        head: this.journal.head,
      });
    };
    const caughtUp = (): void => {
      this.logger.log({
        msg: 'updates are listed by topic',
        ms: Math.round(performance.now() - begun),
        from: index.from,
      });
    };
    this.index = index;
    this.tail = new RedisTail(oldest - 1, this.journal, guardListener(add), (position) => index.dropAfter(position), {
      rows: ROWS,
      pause: PAUSE,
      caughtUp,
    });
    this.tail.goOn();
    if (!this.tail.isBehind) return;
    this.logger.log({
      msg: 'updates are being listed by topic: until then readers read the log through',
      oldest,
      head,
    });
  }
}
