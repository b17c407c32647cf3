import { describe, expect, it } from '@jest/globals';
import { UNLIMITED } from '../../access/grants.js';
import { Interest } from '../matching/interest.js';
import { parseMatcher } from '../matching/matcher.js';
import { TopicIndex } from '../matching/topic-index.js';
import { Background } from '../../shared/background.js';
import { Cohort } from './cohort.js';
import { DeferredMatching } from './deferred-matching.js';
import { RecentLog } from './log/recent-log.js';

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

/** A log, and cohorts whose patterns are `/t:n/ID` each: every entry costs an evaluation of each of them. */
class Lane {
  now = 0;
  readonly log: RecentLog;
  readonly index = new TopicIndex<Cohort>(HUB_URL);
  readonly matching: DeferredMatching;
  readonly matched: string[] = [];
  readonly outrun: number[] = [];
  private readonly names = new Map<Cohort, string>();

  constructor({ recentBytes = 2 ** 20 } = {}) {
    this.log = new RecentLog(recentBytes, 0);
    // Each look at the clock takes a quarter of what there is for one turn of the event loop.
    const background = new Background(() => (this.now += 0.25));
    this.matching = new DeferredMatching(this.log, this.index, background, {
      matched: (cohort, { position }) => this.matched.push(`${this.names.get(cohort)} ${position}`),
      outrun: (position) => this.outrun.push(position),
    });
  }

  join(name: string): Cohort {
    const interest = new Interest([parseMatcher('urlpattern', `/t:n/${name}`, HUB_URL)], HUB_URL);
    const cohort = new Cohort(name, interest, UNLIMITED);
    this.names.set(cohort, name);
    cohort.enter();
    this.matching.add(cohort);
    return cohort;
  }

  publish(...names: string[]): void {
    for (const name of names) {
      const position = this.log.head + 1;
      const update = { topics: [`/t${position}/${name}`], data: '', id: String(position), private: false };
      this.log.push({ position, update });
    }
    this.matching.advance();
  }

  async done(): Promise<void> {
    while (this.matching.position < this.log.head) await new Promise(setImmediate);
  }
}

describe('deferred matching', () => {
  it('finds what is wanted, in the order of the log', async () => {
    const lane = new Lane();
    for (const name of ['a', 'b', 'c']) lane.join(name);
    lane.publish('a', 'x', 'c', 'a', 'b');
    expect(lane.matched).toEqual([]);
    await lane.done();
    expect(lane.matched).toEqual(['a 1', 'c 3', 'a 4', 'b 5']);
  });

  it('gives way after a few evaluations, however many there are', async () => {
    const lane = new Lane();
    for (let index = 0; index < 100; index += 1) lane.join(String(index));
    lane.publish('x', '7');
    for (let turn = 1; lane.matching.position < 2; turn += 1) {
      await new Promise(setImmediate);
      expect(lane.index.evaluations).toBeLessThanOrEqual(4 * turn);
    }
    expect([lane.matched, lane.index.evaluations]).toEqual([['7 2'], 200]);
  });

  it('asks nobody who has left meanwhile, and nothing at all once all have', async () => {
    const lane = new Lane();
    const cohorts = Array.from({ length: 100 }, (_, index) => lane.join(String(index)));
    lane.publish('7', '8');
    await new Promise(setImmediate);
    for (const cohort of cohorts) lane.matching.remove(cohort);
    await lane.done();
    expect(lane.matched).toEqual([]);
    expect(lane.index.evaluations).toBeLessThan(10);
    lane.publish('7');
    expect(lane.matching.position).toBe(3);
  });

  it('has those who come meanwhile get what comes after them', async () => {
    const lane = new Lane();
    for (let index = 0; index < 20; index += 1) lane.join(String(index));
    lane.publish('new', 'new');
    await new Promise(setImmediate);
    lane.join('new');
    lane.publish('new');
    await lane.done();
    // Entries before its own beginning are none of a reader's, and its cursor says so.
    expect(lane.matched.at(-1)).toBe('new 3');
  });

  it('says so where the log no longer holds what comes next, and goes on at its head', async () => {
    const lane = new Lane({ recentBytes: 1_000 });
    lane.join('a');
    lane.publish(...Array.from({ length: 50 }, () => 'a'));
    await lane.done();
    expect([lane.outrun, lane.matched]).toEqual([[0], []]);
    lane.publish('a');
    await lane.done();
    expect(lane.matched).toEqual(['a 51']);
  });

  it('drops what it was matching when the log goes back, and goes on with what took its place', async () => {
    const lane = new Lane();
    for (let index = 0; index < 20; index += 1) lane.join(String(index));
    lane.publish('1', '2', '3');
    while (lane.matching.position < 1) await new Promise(setImmediate);
    lane.log.restart(1);
    lane.matching.restart(1);
    lane.publish('5');
    await lane.done();
    expect(lane.matched).toEqual(['1 1', '5 2']);
  });
});
