/** How many of the newest entries have their nonces remembered. */
const REMEMBERED = 16_384;

/**
 * The nonces of the newest entries that this process has followed, by position. If Redis has another nonce at a
 * position, it has lost the entry that was followed, and has gone on without it.
 */
export class RedisTimeline {
  private readonly nonces = new Float64Array(REMEMBERED);
  private first: number;

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

  /** The position of the oldest entry whose nonce is remembered; `head + 1` when none is. */
  get oldest(): number {
    return this.first;
  }

  push(position: number, nonce: number): void {
    if (position !== this.newest + 1) this.first = position;
    this.newest = position;
    this.nonces[position % REMEMBERED] = nonce;
    this.first = Math.max(this.first, position - REMEMBERED + 1);
  }

  /** Forgets what came after `position`. */
  cut(position: number): void {
    this.newest = position;
    this.first = Math.min(this.first, position + 1);
  }

  nonceAt(position: number): number | undefined {
    return position >= this.first && position <= this.newest ? this.nonces[position % REMEMBERED] : undefined;
  }

  /** Whether the entry with this nonce may be the one that was followed: its nonce is the same or not remembered. */
  admits(position: number, nonce: number): boolean {
    const known = this.nonceAt(position);
    return known === undefined || known === nonce;
  }
}
