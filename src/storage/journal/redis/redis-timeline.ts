/** Positions back from the newest whose nonces are remembered. */
const REMEMBERED = 16_384;

/**
 * Which log this process has followed: the nonces of the newest entries, by position. The same position with another
 * nonce is another entry: Redis has lost ours, and gone on without it.
 */
export class RedisTimeline {
  private readonly nonces = new Float64Array(REMEMBERED);
  private first: number;

  /**
   * @param epoch which log it is.
   * @param head the position that was followed to.
   * @param nonce of the entry there, if it is known.
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

  /** Whether an entry with this nonce may be the one that was followed: it is, or that is not known. */
  admits(position: number, nonce: number): boolean {
    const known = this.nonceAt(position);
    return known === undefined || known === nonce;
  }
}
