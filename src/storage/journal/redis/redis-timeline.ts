import type { Place, Row } from './redis-row.js';

/** How many of the newest positions have their nonces remembered. */
const REMEMBERED = 16_384;

/** What is remembered of a position at which nothing was held any more: no nonce equals it. */
const HOLE = Number.NaN;

/**
 * The nonces of the newest entries that this process has followed, by position; each event of a record has its
 * record's. If Redis has another nonce at a position, it has lost the entry that was followed, and has gone on without
 * it.
 */
export class RedisTimeline {
  private readonly nonces = new Float64Array(REMEMBERED);
  /** 1 where an update was followed that has not been removed. */
  private readonly updates = new Uint8Array(REMEMBERED);
  private first: number;
  private update = 0;

  /**
   * @param epoch the random name of the log.
   * @param head the position up to which the log was followed.
   * @param nonce the nonce of the entry there, if it is known.
   */
  constructor(
    readonly epoch: string,
    private newest: number,
    nonce: number | undefined,
  ) {
    this.first = nonce === undefined ? newest + 1 : newest;
    if (nonce !== undefined) this.nonces[newest % REMEMBERED] = nonce;
  }

  get head(): number {
    return this.newest;
  }

  /** From this position to the head, everything is remembered; `head + 1` when nothing is. */
  get oldest(): number {
    return this.first;
  }

  /** The position of the newest update that was followed and not removed; 0 when it is not remembered. */
  get newestUpdate(): number {
    return this.update >= this.first && this.update <= this.newest ? this.update : 0;
  }

  /** Goes on with a row. */
  push({ position, events, nonce, store }: Row): void {
    this.goOn(position, events, nonce);
    if (store === 'presence') return;
    this.update = position;
    this.updates[position % REMEMBERED] = 1;
  }

  /** Notes that an update is missing from the log because it was removed. Its nonce stays: its successor has it. */
  remove(position: number): void {
    if (position < this.first || position > this.newest) return;
    this.updates[position % REMEMBERED] = 0;
    while (this.update >= this.first && this.updates[this.update % REMEMBERED] === 0) this.update -= 1;
  }

  /** Notes that any updates may have been removed. */
  removeAny(): void {
    this.update = 0;
  }

  /** The nonce of the entry at a position, where it is remembered. */
  nonceAt(position: number): number | undefined {
    const nonce = position < this.first || position > this.newest ? HOLE : this.nonces[position % REMEMBERED];
    return Number.isNaN(nonce) ? undefined : nonce;
  }

  /** Goes on to `position`, where an entry with this nonce was, which was trimmed with all between it and the head. */
  skip(position: number, nonce: number): void {
    this.goOn(position, 1, nonce);
  }

  /** Forgets what came after `position`. */
  cut(position: number): void {
    this.newest = position;
    this.first = Math.min(this.first, position + 1);
    this.update = this.newestUpdate;
  }

  /**
   * Whether an entry of Redis may belong to the log that was followed: its nonce is the one remembered at its position,
   * or nothing is remembered there.
   */
  admits({ position, nonce }: Place): boolean {
    return position < this.first || position > this.newest || this.nonces[position % REMEMBERED] === nonce;
  }

  /** Positions between the head and the first event are holes. */
  private goOn(position: number, events: number, nonce: number): void {
    const oldest = position - REMEMBERED + 1;
    for (let at = Math.max(this.newest + 1, oldest); at <= position; at += 1) {
      this.nonces[at % REMEMBERED] = at > position - events ? nonce : HOLE;
      this.updates[at % REMEMBERED] = 0;
    }
    this.newest = position;
    this.first = Math.max(this.first, oldest);
  }
}
