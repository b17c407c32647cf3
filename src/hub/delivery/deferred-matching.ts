import type { Assigned, TopicIndex } from '../matching/topic-index.js';
import type { Background } from '../../shared/background.js';
import type { Cohort } from './cohort.js';
import { type RecentEntry, RecentPresence } from './log/recent-entry.js';
import type { RecentLog } from './log/recent-log.js';

export interface DeferredEvents {
  /** The cohort's matchers match this entry, by these topics. Called in the order of the log. */
  matched(cohort: Cohort, entry: RecentEntry, topics: Assigned<Cohort>): void;
  /** All cohorts have been told of what came up to this position. */
  advanced?(position: number): void;
  /** The log no longer holds the entry after `position`, which comes next: the cohorts have to read it elsewhere. */
  outrun(position: number): void;
}

/**
 * Finds out which entries the cohorts want whose patterns have to be evaluated, or that may see who comes and goes. That
 * can take long, so it is done in the background, event by event behind live delivery: strangers' patterns, and crowds
 * that come and go, make nobody else wait.
 */
export class DeferredMatching {
  /** The cohorts; a set, because the index does not say how many values it has. */
  private readonly cohorts = new Set<Cohort>();
  /** How many of the cohorts may see who comes and goes. */
  private watching = 0;
  private matchedUpTo: number;
  private isRunning = false;
  /** Grows each time that the log goes on from elsewhere: what is being matched then is dropped. */
  private restarts = 0;

  constructor(
    private readonly log: RecentLog,
    private readonly index: TopicIndex<Cohort>,
    private readonly background: Background,
    private readonly events: DeferredEvents,
  ) {
    this.matchedUpTo = log.head;
  }

  /** The position of the newest entry that has been matched. */
  get position(): number {
    return this.matchedUpTo;
  }

  /** About how many bytes the patterns take. */
  get patternBytes(): number {
    return this.index.patternBytes;
  }

  has(cohort: Cohort): boolean {
    return this.cohorts.has(cohort);
  }

  all(): Iterable<Cohort> {
    return this.cohorts;
  }

  add(cohort: Cohort): void {
    this.cohorts.add(cohort);
    if (cohort.seesPresence) this.watching += 1;
    for (const matcher of cohort.interest.matchers) this.index.add(matcher, cohort);
  }

  remove(cohort: Cohort): void {
    if (!this.cohorts.delete(cohort)) return;
    if (cohort.seesPresence) this.watching -= 1;
    for (const matcher of cohort.interest.matchers) this.index.remove(matcher, cohort);
  }

  /** The cohorts that match a topic, in steps. */
  cohortsOf(topic: string): Generator<void, Set<Cohort>> {
    return this.index.search([topic]);
  }

  /** The log has new entries. */
  advance(): void {
    if (this.cohorts.size === 0) this.matchedUpTo = this.log.head;
    if (this.isRunning || this.matchedUpTo >= this.log.head) return;
    this.isRunning = true;
    void this.background.run(this.match());
  }

  /** The log goes on after `position`, and what came after that is no longer there. */
  restart(position: number): void {
    this.restarts += 1;
    this.matchedUpTo = position;
  }

  private *match(): Generator<void, void> {
    while (this.cohorts.size > 0 && this.matchedUpTo < this.log.head) {
      const entry = this.log.oldest > this.matchedUpTo + 1 ? undefined : this.log.next(this.matchedUpTo);
      if (entry) yield* this.matchEach(entry);
      else this.catchUp();
    }
    if (this.cohorts.size === 0) this.matchedUpTo = this.log.head;
    this.events.advanced?.(this.matchedUpTo);
    this.isRunning = false;
  }

  /** Matches an update, or each event of a coming or going. */
  private *matchEach(entry: RecentEntry | RecentPresence): Generator<void, void> {
    if (!(entry instanceof RecentPresence)) return yield* this.matchOne(entry);
    const { restarts } = this;
    for (const event of this.watching > 0 ? entry.eventsAfter(this.matchedUpTo) : []) {
      yield* this.matchOne(event);
      if (restarts !== this.restarts) return;
    }
    // There may be fewer events than positions.
    this.matchedUpTo = entry.position;
    yield;
  }

  private *matchOne(entry: RecentEntry): Generator<void, void> {
    const { restarts } = this;
    const { topics } = entry.update;
    const found = yield* this.index.search(topics);
    const matched = yield* this.index.assignInSteps(found.size > 0 ? topics : []);
    if (restarts !== this.restarts) return;
    // Encoded here and not when it is written, so that it counts as work of the background.
    if (found.size > 0) encode(entry);
    this.matchedUpTo = entry.position;
    for (const cohort of found) if (!cohort.isEmpty) this.events.matched(cohort, entry, matched);
    this.events.advanced?.(entry.position);
    yield;
  }

  private catchUp(): void {
    const from = this.matchedUpTo;
    this.matchedUpTo = this.log.head;
    this.events.outrun(from);
  }
}

function encode(entry: RecentEntry): number {
  return entry.bytes.length;
}
