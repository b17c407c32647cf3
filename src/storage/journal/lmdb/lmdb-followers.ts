import { guardListener } from '../guard-listener.js';
import type { ReadEntry, Reading, TailListener } from '../journal.js';

/** Entries that a follower which is behind is told in one turn of the event loop. */
const FEED_ENTRIES = 256;

/** Milliseconds after which a log that can't be read is tried again. */
const REST = 1_000;

/** What followers follow. */
interface Followed {
  readonly head: number;
  readonly isReadable: boolean;
  readNow(after: number, limit: number): Reading;
}

interface Follower {
  cursor: number;
  readonly listener: (entries: readonly ReadEntry[]) => void;
}

/** Those who are told what is appended: at once, or part by part while they are behind. */
export class LmdbFollowers {
  private readonly followers = new Set<Follower>();

  constructor(private readonly log: Followed) {}

  /** @returns a function that ends it. */
  add(from: number, listener: TailListener): () => void {
    const follower: Follower = { cursor: from, listener: guardListener(listener) };
    this.followers.add(follower);
    this.feed(follower);
    return () => this.followers.delete(follower);
  }

  /** To be called with what has been appended to a log whose head was `before`. */
  tell(before: number, entries: readonly ReadEntry[]): void {
    for (const follower of this.followers) {
      // A follower that is further behind is being fed by `feed`, and gets these entries that way.
      if (follower.cursor === before) tell(follower, entries, this.log.head);
    }
  }

  clear(): void {
    this.followers.clear();
  }

  /** Gives a follower what it has missed, part by part, until it has caught up with the others. */
  private feed(follower: Follower): void {
    if (!this.followers.has(follower) || follower.cursor >= this.log.head) return;
    if (!this.log.isReadable) {
      setTimeout(() => this.feed(follower), REST).unref();
      return;
    }
    const { entries, upTo } = this.log.readNow(follower.cursor, FEED_ENTRIES);
    tell(follower, entries, upTo);
    setImmediate(() => this.feed(follower));
  }
}

function tell(follower: Follower, entries: readonly ReadEntry[], upTo: number): void {
  follower.cursor = upTo;
  if (entries.length > 0) follower.listener(entries);
}
