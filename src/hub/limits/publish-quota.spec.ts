import { describe, expect, it } from '@jest/globals';
import { HubError } from '../../access/hub.errors.js';
import { type Update, weightOf } from '../../storage/journal/update.js';
import { PublishQuota, type PublishQuotaOptions } from './publish-quota.js';

const NONE = { updates: 0, bytes: 0 };
const ANN = { issuer: 'us', subject: 'ann' };
const BOB = { issuer: 'us', subject: 'bob' };

/** An update that counts as so many bytes. */
function updateOf(bytes: number): Update {
  const update = { topics: ['t'], data: '', id: 'i', private: false };
  return { ...update, data: 'x'.repeat(Math.max(0, bytes - weightOf(update))) };
}

/** How many of these are let through, on a clock that the test moves. */
class Stage {
  now = 0;
  readonly quota: PublishQuota;

  constructor(options: Partial<PublishQuotaOptions>) {
    this.quota = new PublishQuota({ each: NONE, all: NONE, ...options }, () => this.now);
  }

  passed(count: number, who: object, bytes = 1_000): number {
    let passed = 0;
    for (let one = 0; one < count; one += 1) {
      try {
        this.quota.spend(who, updateOf(bytes));
        passed += 1;
      } catch (error) {
        if (!(error instanceof HubError)) throw error;
      }
    }
    return passed;
  }
}

describe('what may be published', () => {
  it('has no limit where there is none', () => {
    expect(new Stage({}).passed(1_000, ANN, 100_000)).toBe(1_000);
  });

  it('is so many updates a second for each publisher', () => {
    const stage = new Stage({ each: { updates: 10, bytes: 0 } });
    expect([stage.passed(50, ANN), stage.passed(50, BOB)]).toEqual([10, 10]);
    stage.now += 500;
    expect([stage.passed(50, ANN), stage.passed(50, BOB)]).toEqual([5, 5]);
    stage.now += 3_600_000;
    expect(stage.passed(50, ANN)).toBe(10);
  });

  it('is so many bytes a second, and one update of any size for who has used none', () => {
    const stage = new Stage({ each: { updates: 0, bytes: 10_000 } });
    expect(stage.passed(50, ANN)).toBe(10);
    expect(stage.passed(2, BOB, 50_000)).toBe(1);
    stage.now += 1_000;
    expect([stage.passed(50, ANN), stage.passed(1, BOB, 50_000)]).toEqual([10, 0]);
    stage.now += 5_000;
    expect(stage.passed(2, BOB, 50_000)).toBe(1);
  });

  it('is so much for all together, of whom none has more than its own', () => {
    const stage = new Stage({ each: { updates: 8, bytes: 0 }, all: { updates: 10, bytes: 0 } });
    expect([stage.passed(50, ANN), stage.passed(50, BOB)]).toEqual([8, 2]);
  });

  it('counts tokens by their subject, by their own name where they have none, and issuers apart', () => {
    const stage = new Stage({ each: { updates: 1, bytes: 0 } });
    const all = [
      { issuer: 'us', subject: 'a', tokenId: '1' },
      { issuer: 'us', subject: 'a', tokenId: '2' },
      { issuer: 'them', subject: 'a' },
      { issuer: 'us', tokenId: 'a' },
      { issuer: 'us', tokenId: 'b' },
      { issuer: 'us' },
    ];
    expect(all.map((who) => stage.passed(1, who))).toEqual([1, 0, 1, 1, 1, 1]);
  });
});
