import { setTimeout as delay } from 'node:timers/promises';
import { firstPositionOf, isPresence, type Journal, type ReadEntry, type ResetListener } from '../journal.js';

/** Entries that a tail reads at a time while it is behind. */
const BATCH = 512;

/** About how many new entries are kept while older ones are being read. */
const MOST_LATER = 4_096;

/** Milliseconds before the next attempt when the engine is away. */
const RETRY_AFTER = 250;

/** How a tail reads while it is behind. */
export interface Pace {
  /** How many entries it reads at a time. */
  readonly rows: number;
  /** Milliseconds before it reads the next ones; without a pause when 0. */
  readonly pause: number;
  /** Called when it is not behind any more. */
  readonly caughtUp: () => void;
}

const AT_ONCE: Pace = { rows: BATCH, pause: 0, caughtUp: () => undefined };

/** Feeds one listener to the log: first with the entries that are there already, then with what the follower brings. */
export class RedisTail {
  private isReading = false;
  /** Entries that have come from the follower while older ones were being read. */
  private later: readonly ReadEntry[] = [];
  private isStopped = false;
  private resets = 0;

  /** @param position of the last entry that the listener has. */
  constructor(
    private position: number,
    private readonly journal: Journal,
    private readonly listener: (entries: readonly ReadEntry[]) => void,
    private readonly onReset: ResetListener | undefined,
    private readonly pace: Pace = AT_ONCE,
  ) {}

  /** Whether the listener has not got everything yet that is there. */
  get isBehind(): boolean {
    return this.isReading;
  }

  /** Takes new entries from the follower: at least one. */
  take(entries: readonly ReadEntry[]): void {
    if (!this.isReading) {
      this.hand(entries);
      return;
    }
    // When there are too many, or a hole lies in between, all are dropped, because reading on reaches them as well.
    const end = this.later.at(-1)?.position;
    const isKept = this.later.length < MOST_LATER && (end === undefined || comesAfter(entries, end));
    this.later = isKept ? [...this.later, ...entries] : [];
  }

  reset(position: number): void {
    this.later = [];
    this.resets += 1;
    this.position = Math.min(this.position, position);
    if (!this.isStopped) this.onReset?.(position);
  }

  /** Lets go of updates that have been removed; of everything where it is not known which. */
  remove(positions: readonly number[] | undefined): void {
    this.later = positions
      ? this.later.filter((entry) => isPresence(entry) || !positions.includes(entry.position))
      : [];
  }

  stop(): void {
    this.isStopped = true;
  }

  /** Starts reading up to the journal's head, if the listener is behind it. */
  goOn(): void {
    if (this.isReading || this.position >= this.journal.head) return;
    this.isReading = true;
    void this.readOn();
  }

  private async readOn(): Promise<void> {
    const { rows, pause, caughtUp } = this.pace;
    while (!this.isStopped && this.position < this.journal.head) {
      const { resets } = this;
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      const reading = await this.journal.read(this.position, rows).catch(() => undefined);
      // What was read may come after other entries than those that come next since a reset.
      if (reading && resets === this.resets) {
        this.hand(reading.entries);
        this.position = Math.max(this.position, reading.upTo);
      }
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      if (!reading) await delay(RETRY_AFTER, undefined, { ref: false });
      // oxlint-disable-next-line no-await-in-loop -- one part after the other
      else if (pause > 0) await delay(pause, undefined, { ref: false });
      this.handLater();
    }
    this.isReading = false;
    if (!this.isStopped) caughtUp();
  }

  private handLater(): void {
    const { later } = this;
    this.later = [];
    // If the first of them does not continue what the listener has, reading goes on and reaches them all.
    if (comesAfter(later, this.position)) this.hand(later);
  }

  private hand(entries: readonly ReadEntry[]): void {
    const fresh = entries.filter(({ position }) => position > this.position);
    this.position = fresh.at(-1)?.position ?? this.position;
    if (fresh.length > 0 && !this.isStopped) this.listener(fresh);
  }
}

/** Whether no hole lies between a position and the first of these entries. */
function comesAfter([first]: readonly ReadEntry[], position: number): boolean {
  return first !== undefined && firstPositionOf(first) <= position + 1;
}
