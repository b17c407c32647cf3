import { Durations } from '../../../shared/measures/durations.js';
import { Tally } from '../../../shared/measures/tally.js';

/** The states of a reader that README.md draws. */
export type ReaderState = 'new' | 'behind' | 'live' | 'over';

/** What counting must know of a reader. */
interface Counted {
  readonly cursor: number;
}

/** What readers are told when something is missing: the reason of a `gap`, or another notice. */
export type Miss = 'not-held' | 'trimmed' | 'damaged' | 'presence' | 'reset' | 'truncated';

/** How much is owed to the readers that are behind, in positions of the log. */
export interface Owed {
  readonly all: number;
  /** To the one that is owed most. */
  readonly most: number;
}

/** What the readers of this process were given since it began, and which readers there are. */
export class DeliveryCounts {
  /** Updates, each counted for each reader. */
  updates = 0;
  /** Writes that had updates. */
  writes = 0;
  /** Bytes of these writes. */
  bytes = 0;
  /** From the time when an update was stored until the live readers of a cohort had it, counted for each of them. */
  readonly toSocket = new Durations();
  /** From the beginning of a stream that resumes until it is live. */
  readonly replays = new Durations();
  readonly misses = new Tally<Miss>();
  private readonly states = new Tally<ReaderState>();
  private readonly behind = new Set<Counted>();

  wrote(updates: number, bytes: number): void {
    this.updates += updates;
    this.writes += 1;
    this.bytes += bytes;
  }

  /** A reader has come, or goes from one state to another. */
  moved(reader: Counted, from: ReaderState | undefined, to: ReaderState): void {
    if (from === to) return;
    if (from) this.states.add(from, -1);
    if (to !== 'over') this.states.add(to);
    if (from === 'behind') this.behind.delete(reader);
    else if (to === 'behind') this.behind.add(reader);
  }

  /** How many readers are in a state. */
  of(state: Exclude<ReaderState, 'over'>): number {
    return this.states.of(state);
  }

  /** @param head the position of the newest entry. */
  owed(head: number): Owed {
    let all = 0;
    let most = 0;
    for (const { cursor } of this.behind) {
      const owed = Math.max(0, head - cursor);
      all += owed;
      most = Math.max(most, owed);
    }
    return { all, most };
  }
}
