import type { Entry, Journal } from '../journal/journal.js';
import { Cohort } from './cohort.js';
import type { Grants } from './grants.js';
import type { Interest } from './interest.js';
import type { RecentLog } from './recent-log.js';
import type { TopicIndex } from './topic-index.js';

/**
 * Follows the journal's tail into the recent log and gives what is new to the cohorts that want it. Whatever arrives
 * within one turn of the event loop goes out together: at low rates that delays nothing, and at high rates one write
 * carries many events.
 */
export class FanOut {
  private readonly cohorts = new Map<string, Cohort>();
  private dirty: Cohort[] = [];
  private isScheduled = false;
  private afterFlush: (() => void)[] = [];
  private flushedHead: number;
  private readonly stop: () => void;

  /** @param interval milliseconds to gather before a flush; 0 is the end of this turn of the event loop. */
  constructor(
    journal: Journal,
    private readonly log: RecentLog,
    private readonly index: TopicIndex<Cohort>,
    private readonly interval: number,
  ) {
    this.flushedHead = log.head;
    this.stop = journal.tail(log.head, (entries) => this.take(entries));
  }

  /** The position up to which everything has been offered to the live readers. */
  get flushed(): number {
    return this.flushedHead;
  }

  /** Whether something has arrived that the live readers have not been offered yet. */
  get isFlushDue(): boolean {
    return this.log.head > this.flushedHead;
  }

  /** The cohort for these matchers and grants, which exists for as long as it has members. */
  cohortFor(interest: Interest, grants: Grants): Cohort {
    const key = `${grants.readKey}\n${interest.key}`;
    const existing = this.cohorts.get(key);
    if (existing) return existing;
    const cohort = new Cohort(key, interest, grants);
    this.cohorts.set(key, cohort);
    for (const matcher of interest.matchers) this.index.add(matcher, cohort);
    return cohort;
  }

  /** Lets go of a cohort whose last member has left. */
  release(cohort: Cohort): void {
    if (cohort.members > 0) return;
    this.cohorts.delete(cohort.key);
    for (const matcher of cohort.interest.matchers) this.index.remove(matcher, cohort);
  }

  /** Calls `callback` right after the next flush. */
  onceFlushed(callback: () => void): void {
    this.afterFlush.push(callback);
  }

  close(): void {
    this.stop();
  }

  private take(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const recent = this.log.push(entry);
      for (const cohort of this.index.match(entry.update.topics)) {
        if (cohort.mayRead(entry.update) && cohort.add(recent)) this.dirty.push(cohort);
      }
    }
    this.schedule();
  }

  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    if (this.interval === 0) setImmediate(() => this.flush());
    else setTimeout(() => this.flush(), this.interval);
  }

  private flush(): void {
    this.isScheduled = false;
    const { dirty, afterFlush, flushedHead } = this;
    this.dirty = [];
    this.afterFlush = [];
    const { head } = this.log;
    for (const cohort of dirty) cohort.flush(flushedHead, head);
    this.flushedHead = head;
    for (const callback of afterFlush) callback();
  }
}
