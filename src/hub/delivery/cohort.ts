import type { Update } from '../../storage/journal/update.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import type { Assigned } from '../matching/topic-index.js';
import { type Joint, joinFrom, type Offer } from './joint.js';
import type { Reader } from './reader.js';
import type { RecentEntry } from './log/recent-entry.js';
import { type TopicNaming, topicsToName } from './topic-naming.js';

let nextId = 1;

export interface CohortOptions {
  /** Names the topics in its frames; undefined where they are not to be named. */
  readonly naming?: TopicNaming | undefined;
  /** Whether its readers are given cursors: see `Cursors`. Default: no. */
  readonly hasCursors?: boolean;
  /** Whether its readers may get comings and goings. Default: no. */
  readonly seesPresence?: boolean;
}

/**
 * The readers that see the same stream: the same matchers, the same read grants, topics named or not. What is new is
 * matched and joined once for all of them.
 */
export class Cohort {
  /** Shorter than `key`, and never used again. */
  readonly id = nextId++;
  /** The readers that are written to when something new comes. */
  private readonly live = new Set<Reader>();
  /** How many readers there are, in whichever state. */
  private members = 0;
  /** What is wanted and has not been offered to every live reader yet, in order. */
  private pending: Offer[] = [];
  /** Where the round that is under way has got to. */
  private round: Iterator<Reader> | undefined;
  /** The position of the newest pending entry when the round began. */
  private roundHead = 0;
  private joined: Joint | undefined;
  /** Whether its readers are given cursors. */
  readonly hasCursors: boolean;
  /** Whether its readers may get comings and goings. */
  readonly seesPresence: boolean;
  private readonly naming: TopicNaming | undefined;

  constructor(
    readonly key: string,
    readonly interest: Interest,
    private readonly grants: Grants,
    { naming, hasCursors = false, seesPresence = false }: CohortOptions = {},
  ) {
    this.naming = naming;
    this.hasCursors = hasCursors;
    this.seesPresence = seesPresence;
  }

  /** Whether it takes long to find out what it wants of the log, so that others need their turns in between. */
  get takesLong(): boolean {
    return this.seesPresence || this.interest.hasPatterns;
  }

  get isEmpty(): boolean {
    return this.members === 0;
  }

  /** How many readers it has, in whichever state. */
  get size(): number {
    return this.members;
  }

  /** Counts a reader that belongs to the cohort from now on, and is not live yet. */
  enter(): void {
    this.members += 1;
  }

  leave(reader: Reader): void {
    this.live.delete(reader);
    this.members -= 1;
  }

  addLive(reader: Reader): void {
    this.live.add(reader);
  }

  removeLive(reader: Reader): void {
    this.live.delete(reader);
  }

  /** Whether an update belongs into this stream: matched, and if private then granted now (R3, R61, R66). */
  wants(update: Update): boolean {
    return this.interest.includes(update.topics) && mayRead(update, this.grants);
  }

  /** The same in steps: see {@link Interest.search}. */
  search(update: Update): Generator<void, boolean> {
    return searchFor(update, this.interest, this.grants);
  }

  mayRead(update: Update): boolean {
    return mayRead(update, this.grants);
  }

  /**
   * Keeps a wanted entry for the live readers. Answers whether it is the first that is pending.
   * @param matched tells which of the entry's topics are matched.
   */
  add(entry: RecentEntry, matched: Assigned<Cohort>): boolean {
    return this.pending.push(this.naming ? this.nameIn(entry, matched(this), this.naming) : entry) === 1;
  }

  /** Keeps a frame with a cursor for the live readers. Answers whether it is the first that is pending. */
  addCursor(frame: Offer): boolean {
    return this.pending.push(frame) === 1;
  }

  /**
   * The position up to which a live reader with this cursor has been offered everything.
   * @param head the position up to which what is wanted has been found.
   */
  offeredUpTo(cursor: number, head: number): number {
    const next = this.pending.find(({ position }) => position > cursor);
    return next ? next.position - 1 : Math.max(cursor, head);
  }

  /** A wanted entry as this cohort gets it: with its topics named, or as it is. For matchers without patterns. */
  view(entry: RecentEntry): RecentEntry {
    if (!this.naming) return entry;
    const matched = entry.update.topics.filter((topic) => this.interest.includes([topic]));
    return this.nameIn(entry, matched, this.naming);
  }

  /** The same for any matchers, in steps: see {@link Interest.search}. */
  *viewInSteps(entry: RecentEntry): Generator<void, RecentEntry> {
    if (!this.naming) return entry;
    const matched: string[] = [];
    for (const topic of entry.update.topics) {
      if (yield* this.interest.search([topic])) matched.push(topic);
      yield;
    }
    return this.nameIn(entry, matched, this.naming);
  }

  /**
   * Goes on with the round over the live readers: each gets everything after its own cursor in one write, and readers
   * with the same cursor get the same bytes. Readers that come later in the round also get what is published meanwhile,
   * so the busier the cohort is, the more a write carries.
   * @returns how many writes it made, at most `budget`, and whether everybody has been offered everything.
   */
  offer(budget: number): { readonly writes: number; readonly isDone: boolean } {
    let writes = 0;
    while (this.pending.length > 0) {
      this.round ??= this.beginRound();
      for (let next = this.round.next(); !next.done; next = this.round.next()) {
        if (this.push(next.value)) writes += 1;
        if (writes >= budget) return { writes, isDone: false };
      }
      this.endRound();
    }
    return { writes, isDone: true };
  }

  /**
   * Breaks the round off: the live readers read on from the log.
   * @param upTo the position up to which the live readers have been offered everything but what is pending.
   */
  disperse(upTo: number): void {
    for (const reader of this.live) {
      const next = this.pending.find(({ position }) => position > reader.cursor)?.position ?? Infinity;
      reader.disperse(Math.min(upTo, next - 1));
    }
    this.pending = [];
    this.round = undefined;
    this.joined = undefined;
  }

  private nameIn(entry: RecentEntry, matched: readonly string[], naming: TopicNaming): RecentEntry {
    return naming.nameIn(entry, topicsToName(matched, entry.update, this.interest, this.grants));
  }

  private beginRound(): Iterator<Reader> {
    this.roundHead = this.pending.at(-1)?.position ?? 0;
    return this.live.values();
  }

  /** Drops what was pending when the round began, because every live reader has been offered it. */
  private endRound(): void {
    this.round = undefined;
    this.pending = this.pending.filter(({ position }) => position > this.roundHead);
    this.joined = undefined;
  }

  private push(reader: Reader): boolean {
    const joint = this.joinAfter(reader.cursor);
    if (!joint) return false;
    reader.offer(joint);
    return true;
  }

  /** What is pending after a cursor, if anything. The last answer is kept: the next reader mostly needs the same. */
  private joinAfter(cursor: number): Joint | undefined {
    const { pending, joined } = this;
    const upTo = pending.at(-1)?.position ?? 0;
    if (cursor >= upTo) return undefined;
    if (joined?.upTo === upTo && cursor >= joined.before && cursor <= joined.after) return joined;
    this.joined = joinFrom(
      pending,
      pending.findIndex(({ position }) => position > cursor),
      upTo,
    );
    return this.joined;
  }
}

function* searchFor(update: Update, interest: Interest, grants: Grants): Generator<void, boolean> {
  return (yield* interest.search(update.topics)) && mayRead(update, grants);
}

/** Whether an update is public, or granted now (R61, R66). */
export function mayRead(update: Update, grants: Grants): boolean {
  return !update.private || grants.canRead(update.topics);
}
