import type { Update } from '../../storage/journal/update.js';
import { steadyNow } from '../../shared/time/steady-clock.js';
import type { Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import type { Assigned } from '../matching/topic-index.js';
import type { Conflation } from './conflation/conflation.js';
import { type Joint, joinFrom, type Offer } from './joint.js';
import type { Reader } from './reader.js';
import type { DeliveryCounts } from './counts/delivery-counts.js';
import type { FanOutTraces } from './counts/fan-out-traces.js';
import type { RecentEntry } from './log/recent-entry.js';
import type { Found } from './log/wanted-positions.js';
import { type Naming, topicsToName } from './topic-naming.js';

let nextId = 1;

export interface CohortOptions {
  /** What its frames name; undefined where that is nothing. */
  readonly naming?: Naming | undefined;
  /** Whether its readers are given cursors: see `Cursors`. Default: no. */
  readonly hasCursors?: boolean;
  /** Whether its readers may get comings and goings. Default: no. */
  readonly seesPresence?: boolean;
  /** When its readers are offered something, and what of it; undefined where they get everything at once. */
  readonly conflation?: Conflation | undefined;
}

/** What a cohort needs to know of the log. */
export interface MatchedLog {
  /** The position of the newest entry. */
  readonly head: number;
  /** The position up to which what this cohort wants has been found. */
  matchedUpTo(cohort: Cohort): number;
  /** What readers were given. */
  readonly counts: DeliveryCounts;
  /** Tells of updates on their way; undefined where nothing is traced. */
  readonly traces?: Pick<FanOutTraces, 'offered'> | undefined;
}

/**
 * The readers that see the same stream: the same matchers, the same read grants, topics and traces named or not, the same `max_rate`.
 * What is new is matched and joined once for all of them.
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
  /** The position after which the round lets its readers read on; undefined where it is one of pending entries. */
  private readsOnAfter: number | undefined;
  private readonly conflation: Conflation | undefined;
  /** Whether its readers are given cursors. */
  readonly hasCursors: boolean;
  /** Whether its readers may get comings and goings. */
  readonly seesPresence: boolean;
  private readonly naming: Naming | undefined;

  constructor(
    readonly key: string,
    readonly interest: Interest,
    private readonly grants: Grants,
    { naming, hasCursors = false, seesPresence = false, conflation }: CohortOptions = {},
  ) {
    this.naming = naming;
    this.conflation = conflation;
    this.hasCursors = hasCursors;
    this.seesPresence = seesPresence;
  }

  /** Whether it takes long to find out what it wants of the log, so that others need their turns in between. */
  get takesLong(): boolean {
    return this.seesPresence || this.interest.hasPatterns;
  }

  /** Whether its readers are in the same process, and get records. */
  get takesRecords(): boolean {
    return this.naming?.asRecords ?? false;
  }

  /** Whether its readers get only the newest update of each topic, at intervals. */
  get isConflated(): boolean {
    return this.conflation !== undefined;
  }

  /** The position up to which its readers may read now. */
  horizon(head: number): number {
    return this.conflation?.horizon ?? head;
  }

  /** What a reader with this cursor is sent of the last offer; undefined where all is sent, or it has to be found. */
  planAfter(cursor: number): Found | undefined {
    return this.conflation?.planAfter(cursor);
  }

  get isEmpty(): boolean {
    return this.members === 0;
  }

  /** How many readers it has, in whichever state. */
  get size(): number {
    return this.members;
  }

  /** The positions of updates that are yet to be offered to every live reader. */
  get pendingUpdates(): number[] {
    return this.pending.flatMap(({ position, update }) => (update ? [position] : []));
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

  /** The matchers that grant it private updates; undefined where its grants do not tell. */
  get readMatchers(): Grants['readMatchers'] {
    return this.grants.readMatchers;
  }

  /**
   * Keeps a wanted entry for the live readers. Answers whether a round has become due by it.
   * @param matched tells which of the entry's topics are matched.
   */
  add(entry: RecentEntry, matched: Assigned<Cohort>): boolean {
    if (this.conflation) return this.conflation.hold(entry.position, matched(this));
    return this.pending.push(this.naming ? this.nameIn(entry, () => matched(this), this.naming) : entry) === 1;
  }

  /** Keeps a frame with a cursor for the live readers. Answers whether a round has become due by it. */
  addCursor(frame: Offer): boolean {
    // Its readers are about to get the ids of what is held back.
    if (this.conflation && this.conflation.firstOwed(frame.position) < Infinity) return false;
    return this.pending.push(frame) === 1;
  }

  /**
   * The position up to which a live reader with this cursor has been offered everything.
   * @param head the position up to which what is wanted has been found.
   */
  offeredUpTo(cursor: number, head: number): number {
    const next = this.firstOwed(cursor);
    return Math.max(cursor, next === Infinity ? head : next - 1);
  }

  /** A wanted entry as this cohort gets it: with its topics or its trace named, or as it is. For matchers without patterns. */
  view(entry: RecentEntry): RecentEntry {
    if (!this.naming) return entry;
    const matched = (): string[] => entry.update.topics.filter((topic) => this.interest.includes([topic]));
    return this.nameIn(entry, matched, this.naming);
  }

  /** The same for any matchers, in steps: see {@link Interest.search}. */
  *viewInSteps(entry: RecentEntry): Generator<void, RecentEntry> {
    if (!this.naming) return entry;
    const matched = this.naming.topics ? yield* this.matchedOf(entry.update) : [];
    return this.nameIn(entry, () => matched, this.naming);
  }

  /** Those of an update's topics that are matched, in steps. */
  *matchedOf({ topics }: Update): Generator<void, readonly string[]> {
    const matched: string[] = [];
    for (const topic of topics) {
      if (yield* this.interest.search([topic])) matched.push(topic);
      yield;
    }
    return matched;
  }

  /**
   * Goes on with the round over the live readers: each gets everything after its own cursor in one write, and readers
   * with the same cursor get the same bytes. Readers that come later in the round also get what is published meanwhile,
   * so the busier the cohort is, the more a write carries. With `max_rate` a round lets them read on from the log.
   * @returns how many readers it has served, at most `budget`, and whether everybody has been offered everything.
   */
  offer(budget: number, log: MatchedLog): { readonly writes: number; readonly isDone: boolean } {
    let writes = 0;
    while (this.round ?? (this.pending.length > 0 || this.conflation?.isDue)) {
      this.round ??= this.beginRound(log);
      for (let next = this.round.next(); !next.done; next = this.round.next()) {
        if (this.serve(next.value)) writes += 1;
        if (writes >= budget) return { writes, isDone: false };
      }
      this.endRound(log);
    }
    return { writes, isDone: true };
  }

  /** Forgets what it has found out about what is held back: updates have been taken out of the log. */
  forget(): void {
    this.conflation?.forget();
  }

  /**
   * Breaks the round off: the live readers read on from the log. Answers whether another round is due.
   * @param upTo the position up to which the live readers have been offered everything but what is pending.
   * @param head the position of the newest entry.
   */
  disperse(upTo: number, head: number): boolean {
    const owed = [...this.live].map((reader) => [reader, Math.min(upTo, this.firstOwed(reader.cursor) - 1)] as const);
    const isDue = this.conflation?.restart(head, upTo);
    for (const [reader, offered] of owed) reader.disperse(offered);
    this.pending = [];
    this.round = undefined;
    this.readsOnAfter = undefined;
    this.joined = undefined;
    return isDue ?? false;
  }

  /** Lets go of the time that it waits for. */
  close(): void {
    this.conflation?.close();
  }

  /** The position of the first entry that a live reader with this cursor is owed; Infinity where none is. */
  private firstOwed(cursor: number): number {
    const pending = this.pending.find(({ position }) => position > cursor)?.position ?? Infinity;
    return this.conflation ? Math.min(pending, this.conflation.firstOwed(cursor)) : pending;
  }

  private nameIn(entry: RecentEntry, matched: () => readonly string[], naming: Naming): RecentEntry {
    const { update } = entry;
    const namesTrace = naming.trace && update.traceparent !== undefined;
    if (!naming.topics && !namesTrace) return entry;
    const topics = naming.topics ? topicsToName(matched(), update, this.interest, this.grants) : [];
    return naming.frames.nameIn(entry, topics, { trace: namesTrace, asRecord: naming.asRecords ?? false });
  }

  private beginRound(log: MatchedLog): Iterator<Reader> {
    this.roundHead = this.pending.at(-1)?.position ?? 0;
    if (this.pending.length === 0) this.readsOnAfter = this.conflation?.offer(log.head, log.matchedUpTo(this));
    return this.live.values();
  }

  /** Drops what was pending when the round began, because every live reader has been offered it. */
  private endRound({ counts, traces }: MatchedLog): void {
    this.round = undefined;
    this.readsOnAfter = undefined;
    const now = steadyNow();
    for (const { position, storedAt, update } of this.pending) {
      if (position > this.roundHead) continue;
      if (storedAt !== undefined) counts.toSocket.observe(now - storedAt, this.live.size);
      if (update) traces?.offered(position, this.live.size);
    }
    this.pending = this.pending.filter(({ position }) => position > this.roundHead);
    this.joined = undefined;
  }

  private serve(reader: Reader): boolean {
    return this.readsOnAfter === undefined ? this.push(reader) : this.letReadOn(reader, this.readsOnAfter);
  }

  private letReadOn(reader: Reader, after: number): boolean {
    // One that has caught up since the round began comes round once more.
    if (reader.hasEverything) return false;
    reader.disperse(after);
    return true;
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
