import type { Connection, ConnectionListener } from '../../streams/connections/connection.js';
import type { Notice } from '../../streams/frames/frame.js';
import type { StreamEnd } from '../../streams/registry/stream-end.js';
import type { Place } from '../cursors/cursors.js';
import type { Cohort } from './cohort.js';
import type { DeliveryCounts, Miss, ReaderState } from './counts/delivery-counts.js';
import { firstIndex } from '../../shared/first-index.js';
import type { Joint } from './joint.js';
import type { Found } from './log/wanted-positions.js';
import type { Slice } from './slices.js';

/** Where a reader begins. */
export interface ReaderStart {
  /** The position of the last entry that counts as offered. */
  readonly cursor: number;
  /** Which history of the log the cursor belongs to: see `FanOut`. */
  readonly history: number;
  /** The id of the entry at the cursor, where it is known. */
  readonly id?: string | undefined;
  /** The only updates that it is sent up to a position; undefined where it gets all that its cohort wants. */
  readonly plan?: Found | undefined;
  /** What the reader is told when it is live for the first time: that its replay is over, or what its cursor is. */
  readonly greeting: 'caught-up' | 'cursor' | undefined;
}

/** How far a reader has come, for those who ask what it has got. All are positions in the log. */
export interface ReaderProgress {
  readonly state: ReaderState;
  /** Where it began: what is up to here was never meant for it. */
  readonly began: number;
  /** Up to here it began with the newest update of each topic alone; 0 where it did not. */
  readonly latestUpTo: number;
  /** The last entry that it wanted and was offered. */
  readonly cursor: number;
  /** The newest entry of the log. */
  readonly head: number;
}

/** What readers need of the hub. One object for all of them. */
export interface ReaderContext {
  readonly log: {
    /** The position of the newest entry. */
    readonly head: number;
    /** The position up to which what this cohort wants has been found. */
    matchedUpTo(cohort: Cohort): number;
    /** Which history of the log this is: it grows with each reset. */
    readonly history: number;
    /** The newest position that every history since `history` has in common with it. */
    commonSince(history: number): number;
    /** The id of the entry at a position, where it is at hand. */
    idAt(position: number): string | undefined;
    /** Counts what readers are given, and which there are. */
    readonly counts: DeliveryCounts;
  };
  /** Makes the cursors that clients come back with. */
  readonly cursors: { name(place: Place): string };
  readonly catchUp: {
    /** Takes on a reader that is behind and whose socket has room, and gives it back with {@link Reader.leaveCatchUp}. */
    add(reader: Reader): void;
    /** The socket of this reader has drained, or is gone. */
    release(reader: Reader): void;
  };
  /** The reader has become `over`. */
  onOver(reader: Reader): void;
  /** Its connection is gone. */
  onClosed(reader: Reader, reason: StreamEnd): void;
}

/**
 * One subscriber: a cursor over the log and no queue. README.md draws its states and says what causes each transition.
 * The cursor is the position of the last entry that was offered, so everything after it is still owed.
 */
export class Reader implements ConnectionListener {
  /** The number of its connection in `Presence`; undefined where that is switched off. */
  lease: number | undefined;
  private currentState: ReaderState = 'new';
  private position: number;
  private history: number;
  private greeting: ReaderStart['greeting'];
  /** The plan that it has begun, and keeps to until its end. */
  private ownPlan: Found | undefined;
  private readonly began: number;
  private readonly latestUpTo: number;
  private isInCatchUp = false;
  /** The position before which the reader knows that comings and goings are missing. */
  private presenceMissedUpTo = 0;
  /**
   * The position where it began or where its last slice ended, and the id of the entry there. They are kept because the
   * log may have that id no longer in memory.
   */
  private place: number;
  private idAtPlace: string | undefined;

  constructor(
    readonly connection: Connection,
    readonly cohort: Cohort,
    start: ReaderStart,
    private readonly context: ReaderContext,
  ) {
    this.position = start.cursor;
    this.began = start.cursor;
    this.latestUpTo = start.plan?.upTo ?? 0;
    this.history = start.history;
    this.greeting = start.greeting;
    this.ownPlan = start.plan;
    this.place = start.cursor;
    this.idAtPlace = start.id;
    cohort.enter();
    context.log.counts.moved(this, undefined, 'new');
    connection.listen(this);
  }

  get state(): ReaderState {
    return this.currentState;
  }

  get cursor(): number {
    return this.position;
  }

  /** How far it has come. Where the log has lost entries that it was offered, that is the place to which it will go back. */
  get progress(): ReaderProgress {
    const { currentState: state, began, latestUpTo, position } = this;
    const { head } = this.context.log;
    const cursor = this.isOutdated ? Math.min(position, this.context.log.commonSince(this.history)) : position;
    return { state, began, latestUpTo, cursor, head };
  }

  /** The only updates that it is sent up to a position: what it has begun, or else what its cohort offers. */
  get plan(): Found | undefined {
    const { ownPlan, position } = this;
    return ownPlan && position < ownPlan.upTo ? ownPlan : this.cohort.planAfter(position);
  }

  /** The position of the first entry that it may still want. */
  get next(): number {
    const { plan, position } = this;
    if (!plan) return position + 1;
    const { positions, upTo } = plan;
    return positions[firstIndex(positions.length, (index) => (positions[index] ?? 0) > position)] ?? upTo + 1;
  }

  /** The position up to which it may read now. */
  get horizon(): number {
    return this.cohort.horizon(this.context.log.head);
  }

  /** Whether its cursor belongs to an older history: the log has lost entries since. */
  get isOutdated(): boolean {
    return this.history !== this.context.log.history;
  }

  /** Whether nothing is owed to it now. */
  get hasEverything(): boolean {
    return !this.isOutdated && !this.plan && this.position >= this.horizon;
  }

  /** new → new: the client asked for an id that is not held (any more), and is told before anything else. */
  missId(): void {
    this.tellMiss('not-held', { type: 'gap', reason: 'not-held' });
  }

  /** new → new: the client asked for the newest update of each topic, and gets those of so many topics. */
  truncate(topics: number): void {
    this.tellMiss('truncated', { type: 'truncated', topics });
  }

  /** new → live where nothing is owed, else new → behind. A reader that has ended before it began does nothing. */
  begin(): void {
    if (this.currentState === 'new') this.proceed();
  }

  /**
   * live → live, or live → behind where the socket is full or there is too much for one push: takes everything after
   * its cursor that its cohort has pending.
   */
  offer({ after, parts }: Joint): void {
    if (this.currentState !== 'live') return;
    // Nothing between its cursor and the first pending entry was wanted.
    this.position = after;
    if (!parts) return this.fallBehind();
    for (const { upTo, bytes, updates } of parts) {
      if (!this.connection.accepts(bytes)) return this.fallBehind();
      this.position = upTo;
      this.context.log.counts.wrote(updates, bytes.length);
      if (!this.connection.writeFrame(bytes)) return this.fallBehind();
    }
  }

  /**
   * live → behind: its cohort's round was broken off, or lets it read on.
   * @param upTo the position up to which nothing is owed.
   */
  disperse(upTo: number): void {
    if (this.currentState !== 'live') return;
    this.position = Math.max(this.position, upTo);
    this.fallBehind();
  }

  /** behind → behind: takes the next stretch of the log. Answers whether its socket has room for more. */
  takeSlice(slice: Slice): boolean {
    if (slice.first > this.position + 1) this.skip(slice.first);
    if (slice.oldestPresence > this.presenceMissedUpTo) this.missPresence(slice.oldestPresence);
    this.position = slice.last;
    this.place = slice.last;
    this.idAtPlace = slice.lastId;
    this.ownPlan = slice.plan;
    const { damaged } = slice;
    if (damaged > 0) this.tellMiss('damaged', { type: 'gap', reason: 'damaged', updates: damaged });
    if (!slice.bytes) return true;
    this.context.log.counts.wrote(slice.updates, slice.bytes.length);
    return this.connection.writeFrame(slice.bytes);
  }

  /** behind → behind: what comes before `next` is no longer held. The reader is told how many updates are missing. */
  skip(next: number): void {
    // The count is of all topics and of comings and goings too, because nobody knows any more what it would have got.
    const updates = next - this.position - 1;
    this.position = next - 1;
    this.tellMiss('trimmed', { type: 'gap', reason: 'trimmed', updates });
  }

  /** behind → behind: comings and goings before `next` are no longer held, and the reader has not been told yet. */
  private missPresence(next: number): void {
    this.presenceMissedUpTo = next;
    this.tellMiss('presence', { type: 'gap', reason: 'presence' });
  }

  /** behind → behind: the log has lost its newest entries, and a reader that was offered some of them is told. */
  goBack(): void {
    const { log } = this.context;
    const common = log.commonSince(this.history);
    this.history = log.history;
    // What was planned may have been lost as well.
    this.ownPlan = undefined;
    if (this.position <= common) return;
    this.position = common;
    this.tellMiss('reset', { type: 'reset' });
  }

  /** `CatchUp` has done what it could for now: the reader is live, waits for its socket, or goes back for more. */
  leaveCatchUp(): void {
    this.isInCatchUp = false;
    if (this.currentState === 'behind') this.proceed();
  }

  /** behind → live, or on with catching up. A live reader has missed nothing: only a heartbeat filled its socket. */
  drained(): void {
    this.context.catchUp.release(this);
    if (this.currentState === 'behind' && !this.isInCatchUp) this.proceed();
  }

  /** any → over: nothing more is written to it. */
  ended(): void {
    if (this.currentState === 'over') return;
    this.become('over');
    this.cohort.leave(this);
    this.context.catchUp.release(this);
    this.context.onOver(this);
  }

  /** A cursor of the place up to which it was offered everything; undefined in a dialect that has no cursors. */
  noticeId(): string | undefined {
    const { cohort, context } = this;
    if (!cohort.hasCursors) return undefined;
    // Its position may be another entry's in the history that has begun, from which nobody could tell the loss any more.
    if (this.isOutdated) this.goBack();
    const { log, cursors } = context;
    // A live reader's own cursor stays where it is while nothing comes that its cohort wants.
    const position =
      this.currentState === 'live' ? cohort.offeredUpTo(this.position, log.matchedUpTo(cohort)) : this.position;
    return cursors.name({ position, id: log.idAt(position) ?? (position === this.place ? this.idAtPlace : undefined) });
  }

  closed(reason: StreamEnd): void {
    this.ended();
    this.context.onClosed(this, reason);
  }

  describe(): Readonly<Record<string, unknown>> {
    const matcherCount = this.cohort.interest.matchers.length;
    return { matcherCount, cursor: this.position, state: this.currentState, isLive: this.currentState === 'live' };
  }

  detail(): Readonly<Record<string, unknown>> {
    return { matchers: this.cohort.interest.matchers };
  }

  private become(state: ReaderState): void {
    this.context.log.counts.moved(this, this.currentState, state);
    this.currentState = state;
  }

  private tellMiss(miss: Miss, notice: Notice): void {
    this.context.log.counts.misses.add(miss);
    this.connection.notify(notice);
  }

  /** → live where nothing is owed, else → behind, where it catches up as soon as its socket has room. */
  private proceed(): void {
    if (this.hasEverything) return this.arrive();
    this.become('behind');
    if (this.connection.isFull) return;
    this.isInCatchUp = true;
    this.context.catchUp.add(this);
  }

  /** → live: from now on its cohort offers it everything after its cursor, and nothing that it has already. */
  private arrive(): void {
    this.become('live');
    this.cohort.addLive(this);
    const { greeting } = this;
    this.greeting = undefined;
    if (greeting === 'caught-up') this.context.log.counts.replays.observe(performance.now() - this.connection.openedAt);
    if (greeting) this.connection.notify({ type: greeting });
  }

  private fallBehind(): void {
    if (this.hasEverything) return;
    this.cohort.removeLive(this);
    this.proceed();
  }
}
