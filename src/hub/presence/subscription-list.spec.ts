import { describe, expect, it } from '@jest/globals';
import { MemoryState } from '../../storage/state/memory/memory-state.js';
import type { Lease } from '../../storage/state/shared-state.js';
import { type Matcher, matcherKey } from '../matching/matcher.js';
import type { ActiveSubscription } from '../protocol/dialect.js';
import { type ListedSubscription, type ListOptions, listSubscriptions } from './subscription-list.js';

const MANY = 10_000;
const COMMON: Matcher = { type: 'exact', pattern: 'urn:common' };
const RARE: Matcher = { type: 'urlpattern', pattern: '/rare' };

/** Many leases, of which one, in the middle, has the rare matcher too, and the work that lists of them take. */
class Stage {
  readonly state = new MemoryState(1_000);
  leasesRead = 0;
  turns = 1;
  /** The most leases and subscriptions of any one turn. */
  most = { leases: 0, subscriptions: 0 };
  private inTurn = { leases: 0, subscriptions: 0 };

  static async open(toDetails = (matchers: readonly Matcher[]): string => JSON.stringify(matchers)): Promise<Stage> {
    const stage = new Stage();
    const arrivals = Array.from({ length: MANY }, (_, index) => {
      const matchers = index === MANY / 2 ? [COMMON, RARE] : [COMMON];
      const details = toDetails(matchers);
      return {
        kind: 'enter',
        ref: index,
        key: 'k',
        details,
        matchers: matchers.map(matcherKey),
        isResuming: false,
      } as const;
    });
    await stage.state.change(arrivals);
    return stage;
  }

  async list(count: number, options: ListOptions): Promise<ListedSubscription[]> {
    const listed: ListedSubscription[] = [];
    const giveWay = (): Promise<void> => {
      this.endTurn();
      return Promise.resolve();
    };
    for await (const one of listSubscriptions(this.state, (lease) => this.read(lease), { ...options, giveWay })) {
      this.inTurn.subscriptions += 1;
      listed.push(one);
      if (listed.length === count) break;
    }
    this.endTurn();
    return listed;
  }

  private read({ details, subscriber }: Lease): ActiveSubscription[] {
    this.leasesRead += 1;
    this.inTurn.leases += 1;
    const matchers = JSON.parse(details) as Matcher[];
    return matchers.map((matcher) => ({ matcher, subscriber, isActive: true, payload: undefined }));
  }

  private endTurn(): void {
    this.turns += 1;
    this.most.leases = Math.max(this.most.leases, this.inTurn.leases);
    this.most.subscriptions = Math.max(this.most.subscriptions, this.inTurn.subscriptions);
    this.inTurn = { leases: 0, subscriptions: 0 };
  }
}

describe('a list of subscriptions', () => {
  it('reads one lease where one among ten thousand has the matcher', async () => {
    const stage = await Stage.open();
    const listed = await stage.list(MANY, { matchers: [RARE] });
    expect(listed).toEqual([expect.objectContaining({ matcher: RARE, serial: MANY / 2 + 1 })]);
    expect(stage.leasesRead).toBe(1);
  });

  it('reads no more than a page, wherever it begins', async () => {
    const stage = await Stage.open();
    for (const [options, first] of [
      [{ matchers: [COMMON], after: 9_000 }, 9_001],
      [{ after: 4_000 }, 4_001],
    ] as const) {
      const before = stage.leasesRead;
      const listed = await stage.list(500, options);
      expect(listed[0]?.serial).toBe(first);
      expect(listed).toHaveLength(500);
      expect(stage.leasesRead - before).toBeLessThanOrEqual(500);
    }
  });

  it('gives way after 32 leases at most, and earlier where they are large', async () => {
    const small = await Stage.open();
    expect(await small.list(MANY, { matchers: [COMMON] })).toHaveLength(MANY);
    expect(small.most.leases).toBeLessThanOrEqual(32);
    expect(small.most.subscriptions).toBeLessThanOrEqual(32);
    // Nor is a turn given away for next to nothing.
    expect(small.turns).toBeLessThan(MANY / 20);
    const large = await Stage.open((matchers) => JSON.stringify(matchers) + ' '.repeat(32 * 1024));
    expect(await large.list(1_000, {})).toHaveLength(1_000);
    expect(large.most.leases).toBeLessThanOrEqual(3);
  });
});
