import type { CallerKey } from '../../access/caller.js';

/** A key as everything that hangs on it sees it: remembered tokens and open streams share this one object. */
export class KnownKey implements CallerKey {
  private left = false;

  get isGone(): boolean {
    return this.left;
  }

  /** It is not trusted any more, for good: one that comes back later is another `KnownKey`. */
  leave(): void {
    this.left = true;
  }
}
