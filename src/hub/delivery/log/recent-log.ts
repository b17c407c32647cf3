import { type Entry, isPresence, type StoredEntry } from '../../../storage/journal/journal.js';
import { Queue } from '../../../shared/queue.js';
import { type Expand, idOf, LazyEntry, RecentPresence } from './recent-entry.js';

/** The newest entries of the journal, updates encoded once for all who get them: as many as fit into a number of bytes. */
export class RecentLog {
  private readonly entries = new Queue<LazyEntry | RecentPresence>();
  /** Where each of them is, and what it weighs, beside them: so the oldest one need not be read from memory when it goes. */
  private readonly positions = new Queue<number>();
  private readonly weights = new Queue<number>();
  private held = 0;
  private newest: number;
  private droppedUpTo: number;
  private presenceMissingUpTo: number;
  /** The id of the event at `newest`, where it is known although the entry is not held here. */
  private newestId: string | undefined;

  /**
   * @param limit in bytes. The newest entry is held whatever its size.
   * @param head the position after which the log begins.
   * @param expand makes the events of comings and goings.
   */
  constructor(
    private readonly limit: number,
    head: number,
    private readonly expand: Expand = () => [],
  ) {
    this.newest = head;
    this.droppedUpTo = head;
    this.presenceMissingUpTo = head;
  }

  /** The position of the newest entry. */
  get head(): number {
    return this.newest;
  }

  /** Every update from this position on is here. */
  get oldest(): number {
    return this.droppedUpTo + 1;
  }

  /** Every coming and going from this position on is here. */
  get oldestPresence(): number {
    return this.presenceMissingUpTo + 1;
  }

  get bytes(): number {
    return this.held;
  }

  /** How many entries are held. */
  get length(): number {
    return this.entries.length;
  }

  /**
   * Takes the next entry: no update is missing between `head` and it.
   * @param length bytes of its frame, where whoever calls has counted them.
   */
  push(entry: Entry, length?: number): LazyEntry;
  push(entry: StoredEntry): LazyEntry | RecentPresence;
  push(entry: StoredEntry, length?: number): LazyEntry | RecentPresence {
    const recent = isPresence(entry) ? new RecentPresence(entry, this.expand) : new LazyEntry(entry);
    const weight = recent instanceof RecentPresence ? recent.weight : recent.weightOnceEncoded(length);
    this.entries.push(recent);
    this.positions.push(entry.position);
    this.weights.push(weight);
    this.newest = entry.position;
    this.newestId = idOf(recent);
    this.held += weight;
    while (this.held > this.limit && this.entries.length > 1) this.letGo();
    return recent;
  }

  /** Goes on to `position`: comings and goings after `head` were trimmed before they came here. */
  missPresence(position: number): void {
    this.presenceMissingUpTo = position;
    this.newest = position;
    this.newestId = undefined;
  }

  /** Lets go of everything: the next entry is one after `head`. */
  restart(head: number): void {
    this.newestId = this.idAt(head);
    while (this.entries.length > 0) this.letGo();
    this.newest = head;
    this.droppedUpTo = head;
    this.presenceMissingUpTo = head;
  }

  /** Lets go of the update at a position, which has been taken out of the log. */
  remove(position: number): void {
    const index = this.indexAfter(position - 1);
    if (this.positions.at(index) !== position || this.entries.at(index) instanceof RecentPresence) return;
    this.held -= this.weights.at(index) ?? 0;
    this.entries.delete(index);
    this.positions.delete(index);
    this.weights.delete(index);
    if (position === this.newest) this.newestId = undefined;
  }

  /** The id of the event at `position`, if that is held. */
  idAt(position: number): string | undefined {
    if (position === this.newest) return this.newestId;
    const entry = this.next(position - 1);
    return entry && idOf(entry, position);
  }

  /** The first entry that takes a position after `position`. */
  next(position: number): LazyEntry | RecentPresence | undefined {
    return this.entries.at(this.indexAfter(position));
  }

  /** The entries that take a position after `after` and none after `upTo`, at most `limit` of them. */
  between(after: number, upTo: number, limit: number): (LazyEntry | RecentPresence)[] {
    const first = this.indexAfter(after);
    const found = this.entries.slice(first, first + limit);
    if ((found.at(-1)?.position ?? 0) <= upTo) return found;
    return found.filter(({ position }) => position <= upTo);
  }

  private indexAfter(after: number): number {
    // Where there are no holes, which is the rule, the entry is found at once.
    const guess = after + 1 - (this.positions.at(0) ?? 0);
    if (this.positions.at(guess) === after + 1) return guess;
    return this.positions.findIndex((position) => position > after);
  }

  private letGo(): void {
    this.entries.shift();
    this.held -= this.weights.shift() ?? 0;
    this.droppedUpTo = this.positions.shift() ?? this.droppedUpTo;
    this.presenceMissingUpTo = Math.max(this.presenceMissingUpTo, this.droppedUpTo);
  }
}
