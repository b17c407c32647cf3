import {
  firstPositionOf,
  isPresence,
  isWhole,
  type Entry,
  type Journal,
  type ReadEntry,
} from '../../storage/journal/journal.js';
import { ANONYMOUS, type Grants } from '../../access/grants.js';
import type { Interest } from '../matching/interest.js';
import { COMPILED_BYTES } from '../matching/compiled-patterns.js';
import { type Assigned, TopicIndex } from '../matching/topic-index.js';
import { inBothFormats } from '../../streams/frames/wire-bytes.js';
import type { Tracer } from '../../shared/trace/tracer.js';
import { cursorText, frameLength } from '../../streams/frames/frame.js';
import type { Cursors } from '../cursors/cursors.js';
import { Cohort } from './cohort.js';
import { Conflation } from './conflation/conflation.js';
import type { Background } from '../../shared/background.js';
import { DeliveryCounts } from './counts/delivery-counts.js';
import { FanOutTraces } from './counts/fan-out-traces.js';
import { DeferredMatching } from './deferred-matching.js';
import { CursorRefresh } from '../cursors/cursor-refresh.js';
import { type RecentEntry, RecentPresence } from './log/recent-entry.js';
import { noticeRecord } from './log/record.js';
import { OfferTimes } from './log/offer-times.js';
import type { RecentLog } from './log/recent-log.js';
import { TopicNaming } from './topic-naming.js';

/** Writes in one turn of the event loop, about a millisecond's worth, before requests and other readers get their turn. */
const WRITES_PER_TURN = 256;

export interface FanOutOptions {
  /** What topics and patterns are relative to. */
  readonly hubUrl: URL;
  readonly background: Background;
  /** Counts what readers are given. Default: nobody looks. */
  readonly counts?: DeliveryCounts | undefined;
  /** Tells of updates on their way, where their traces are sampled. Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  /** Milliseconds to gather before a flush; 0 is the end of this turn of the event loop. */
  readonly interval: number;
  /** What the topics of comings and goings begin with. Default: there are none. */
  readonly presenceTopics?: string;
}

/** How readers want to be served, which tells cohorts with the same matchers apart. */
export interface CohortWishes {
  /** Whether each event names its topics. Default: no. */
  readonly namesTopics?: boolean;
  /** Whether each event names the trace that it belongs to. Default: no. */
  readonly namesTrace?: boolean;
  /** Whether they are given cursors. Default: no. */
  readonly hasCursors?: boolean;
  /** Whether they are in the same process and get records, which have topics and traces. Default: no. */
  readonly asRecords?: boolean;
  /** How many offers a second they get at most, of the newest update of each topic. Default: all updates, at once. */
  readonly maxRate?: number | undefined;
}

/**
 * Follows the journal's tail into the recent log and gives what is new to the cohorts that want it. Whatever arrives
 * within one turn of the event loop goes out together: at low rates that delays nothing, and at high rates one write
 * carries many events. Cohorts whose patterns have to be evaluated, or that may see who comes and goes, get it a little
 * later: see `DeferredMatching`.
 */
export class FanOut {
  readonly counts: DeliveryCounts;
  /** Undefined where nothing is traced. */
  readonly traces: FanOutTraces | undefined;
  private readonly cohorts = new Map<string, Cohort>();
  /** Cohorts with something to offer, in the order in which it came. */
  private readonly dirty = new Set<Cohort>();
  /** Those with `max_rate`. */
  private readonly conflated = new Set<Cohort>();
  private readonly naming = new TopicNaming();
  private readonly offerTimes = new OfferTimes();
  private isScheduled = false;
  /** The position to which the log went back, for each time that it lost its newest entries. */
  private readonly resets: number[] = [];
  private readonly refresh: CursorRefresh<Cohort>;
  private readonly index: TopicIndex<Cohort>;
  private readonly deferred: DeferredMatching;
  private readonly stop: () => void;
  private readonly interval: number;
  private readonly presenceTopics: string | undefined;

  constructor(
    private readonly journal: Journal,
    private readonly log: RecentLog,
    private readonly cursors: Cursors,
    { hubUrl, background, interval, presenceTopics, counts = new DeliveryCounts(), tracer }: FanOutOptions,
  ) {
    this.counts = counts;
    this.traces = tracer && new FanOutTraces(tracer);
    this.interval = interval;
    this.presenceTopics = presenceTopics;
    this.index = new TopicIndex(hubUrl);
    this.deferred = new DeferredMatching(log, new TopicIndex(hubUrl), background, {
      matched: (cohort, entry, topics) => this.giveTo(cohort, entry, topics),
      advanced: (position) => this.traces?.matchedUpTo(position),
      outrun: (position) => this.disperseAll(this.deferred.all(), position),
    });
    this.refresh = new CursorRefresh(journal.retention, log.head, (cohort) => this.giveCursor(cohort));
    this.stop = journal.tail(
      log.head,
      (entries) => this.take(entries),
      (position) => this.reset(position),
    );
  }

  /** The position of the newest entry that has arrived here. */
  get head(): number {
    return this.log.head;
  }

  /** How many groups of readers there are that see the same stream. */
  get cohortCount(): number {
    return this.cohorts.size;
  }

  /** Which history of the log this is: it grows with each reset. */
  get history(): number {
    return this.resets.length;
  }

  /** The newest position that every history since `history` has in common with it. */
  commonSince(history: number): number {
    return Math.min(...this.resets.slice(history));
  }

  /** The position up to which what this cohort wants has been found. */
  matchedUpTo(cohort: Cohort): number {
    return this.deferred.has(cohort) ? this.deferred.position : this.head;
  }

  /** See {@link OfferTimes.of}. */
  offeredBy(position: number): number | undefined {
    return this.offerTimes.of(position);
  }

  /** The id of the entry at a position, where it is at hand. */
  idAt(position: number): string | undefined {
    return this.log.idAt(position) ?? (position === this.journal.head ? this.journal.lastId : undefined);
  }

  /** The id of the newest entry, where that is an update and at hand. */
  get newestUpdateId(): string | undefined {
    const newest = this.log.next(this.head - 1);
    return newest && !(newest instanceof RecentPresence) ? newest.update.id : undefined;
  }

  /** Whether there is room for patterns like these, as far as they have to be evaluated. */
  accepts(interest: Interest): boolean {
    return !interest.needsEvaluation || this.deferred.patternBytes < COMPILED_BYTES;
  }

  /** Whether readers with this interest and these grants may get comings and goings. */
  showsPresence(interest: Interest, grants: Grants): boolean {
    if (this.presenceTopics === undefined || grants === ANONYMOUS) return false;
    return interest.mayMatchBelow(this.presenceTopics);
  }

  /** The cohort for these matchers and grants, which exists for as long as it has members. */
  cohortFor(interest: Interest, grants: Grants, options: CohortWishes = {}): Cohort {
    const { asRecords = false, hasCursors = false, maxRate } = options;
    const { namesTopics = asRecords, namesTrace = asRecords } = options;
    const key = `${asRecords} ${namesTopics} ${namesTrace} ${hasCursors} ${maxRate ?? ''}\n${grants.readKey}\n${interest.key}`;
    const existing = this.cohorts.get(key);
    if (existing) return existing;
    const cohort: Cohort = new Cohort(key, interest, grants, {
      naming:
        namesTopics || namesTrace
          ? { frames: this.naming, topics: namesTopics, trace: namesTrace, asRecords }
          : undefined,
      hasCursors,
      seesPresence: this.showsPresence(interest, grants),
      conflation:
        maxRate === undefined ? undefined : new Conflation(maxRate, this.head, () => this.offerSoon(cohort, 0)),
    });
    this.begin(cohort);
    return cohort;
  }

  private begin(cohort: Cohort): void {
    const { interest, seesPresence, isConflated, hasCursors } = cohort;
    this.cohorts.set(cohort.key, cohort);
    if (isConflated) this.conflated.add(cohort);
    if (interest.needsEvaluation || seesPresence) this.deferred.add(cohort);
    else for (const matcher of interest.matchers) this.index.add(matcher, cohort);
    if (hasCursors) this.refresh.heard(cohort);
  }

  /** Lets go of a cohort whose last member has left. */
  release(cohort: Cohort): void {
    if (!cohort.isEmpty) return;
    this.leaveToLog(cohort);
    cohort.close();
    this.cohorts.delete(cohort.key);
    this.conflated.delete(cohort);
    this.dirty.delete(cohort);
    this.refresh.forget(cohort);
    if (this.deferred.has(cohort)) this.deferred.remove(cohort);
    else for (const matcher of cohort.interest.matchers) this.index.remove(matcher, cohort);
  }

  /** How many readers at this process would get a public update with this topic, in steps. */
  *readersOf(topic: string): Generator<void, number> {
    const cohorts = new Set(this.index.match([topic]));
    for (const cohort of yield* this.deferred.cohortsOf(topic)) cohorts.add(cohort);
    return [...cohorts].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Updates have been taken out of the journal: nobody gets them any more.
   * @param positions undefined where they may be any.
   */
  remove(positions: readonly number[] | undefined): void {
    if (!positions) return this.restart(this.head);
    for (const position of positions) this.log.remove(position);
    for (const cohort of this.conflated) cohort.forget();
    for (const cohort of this.dirty) this.disperse(cohort, this.matchedUpTo(cohort));
    this.deferred.restart(this.deferred.position);
    this.deferred.advance();
  }

  close(): void {
    this.stop();
    this.traces?.endAll();
    this.refresh.close();
    for (const cohort of this.conflated) cohort.close();
  }

  private take(entries: readonly ReadEntry[]): void {
    for (const entry of entries) this.takeOne(entry);
    this.deferred.advance();
    this.traces?.matchedUpTo(this.deferred.position);
    this.refresh.look();
    this.schedule(this.interval);
  }

  private takeOne(entry: ReadEntry): void {
    const first = firstPositionOf(entry);
    if (first > this.head + 1) this.passHole(first - 1);
    if (isPresence(entry)) {
      this.log.push(entry);
      this.refresh.passed(entry.position);
    } else if (isWhole(entry)) this.takeUpdate(entry);
    // Readers are told of the damage when they read the log there.
    else this.restart(entry.position);
  }

  private takeUpdate(entry: Entry): void {
    const length = frameLength(entry.update);
    const recent = this.log.push(entry, length);
    this.refresh.moved(entry.position, length);
    this.traces?.arrived(entry);
    const { topics } = entry.update;
    const matched = this.index.assign(topics);
    for (const cohort of this.index.match(topics)) this.giveTo(cohort, recent, matched);
  }

  /** Nothing is held after the head up to `position`. What was trimmed before it came here, readers learn from the log. */
  private passHole(position: number): void {
    const { oldest, oldestPresence } = this.journal;
    if (oldest > this.head + 1) return this.restart(position);
    if (oldestPresence <= this.head + 1) return;
    this.log.missPresence(position);
    const watching = [...this.deferred.all()].filter(({ seesPresence }) => seesPresence);
    this.disperseAll(watching, this.deferred.position);
  }

  /** Offers a cohort an entry that its matchers match, by these topics. */
  private giveTo(cohort: Cohort, entry: RecentEntry, matched: Assigned<Cohort>): void {
    if (!cohort.mayRead(entry.update)) return;
    if (!cohort.isConflated) this.traces?.owed(entry.position);
    if (cohort.add(entry, matched)) this.offerSoon(cohort, this.interval);
  }

  /** Has a round begin that gives a cohort's live readers something new. */
  private offerSoon(cohort: Cohort, delay: number): void {
    this.dirty.add(cohort);
    if (cohort.hasCursors) this.refresh.heard(cohort);
    this.schedule(delay);
  }

  /** Offers all live readers of a cohort the same new cursor, as a frame in its place among their updates. */
  private giveCursor(cohort: Cohort): void {
    const position = this.matchedUpTo(cohort);
    const id = this.cursors.name({ position, id: this.idAt(position) });
    const bytes = cohort.takesRecords
      ? noticeRecord({ type: 'cursor' }, id)
      : inBothFormats(Buffer.from(cursorText(id)));
    cohort.addCursor({ position, bytes });
    this.dirty.add(cohort);
    this.schedule(0);
  }

  private reset(position: number): void {
    this.resets.push(position);
    this.offerTimes.clear();
    this.restart(position);
  }

  /** Lets the log go on after `position` instead of `head`. Cohorts drop what is pending; their readers catch up. */
  private restart(position: number): void {
    this.traces?.endAll();
    const upTo = Math.min(this.head, position);
    const deferredUpTo = Math.min(this.deferred.position, position);
    this.log.restart(position);
    this.deferred.restart(position);
    for (const cohort of this.cohorts.values()) this.disperse(cohort, this.deferred.has(cohort) ? deferredUpTo : upTo);
  }

  private disperseAll(cohorts: Iterable<Cohort>, position: number): void {
    for (const cohort of cohorts) this.disperse(cohort, position);
  }

  /** Has the readers of a cohort read on from the log, after `position` or what they have been offered since. */
  private disperse(cohort: Cohort, position: number): void {
    this.leaveToLog(cohort);
    if (cohort.disperse(position, this.head)) this.offerSoon(cohort, 0);
    else this.dirty.delete(cohort);
  }

  /** What a cohort has pending is not offered to its live readers any more. */
  private leaveToLog(cohort: Cohort): void {
    if (!this.traces) return;
    for (const position of cohort.pendingUpdates) this.traces.offered(position, 0);
  }

  private schedule(delay: number): void {
    if (this.isScheduled || this.dirty.size === 0) return;
    this.isScheduled = true;
    if (delay === 0) setImmediate(() => this.flush());
    else setTimeout(() => this.flush(), delay);
  }

  private flush(): void {
    this.isScheduled = false;
    let budget = WRITES_PER_TURN;
    for (const cohort of this.dirty) {
      const { writes, isDone } = cohort.offer(budget, this);
      if (isDone) this.dirty.delete(cohort);
      budget -= writes;
      if (budget <= 0) break;
    }
    if (this.dirty.size === 0) this.offerTimes.note(this.head, performance.now());
    // What exceeds the budget goes out in the next turn, and does not wait for the interval.
    this.schedule(0);
  }
}
