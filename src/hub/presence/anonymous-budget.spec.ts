import { describe, expect, it } from '@jest/globals';
import { HUB_LIMITS } from '../limits/hub.limits.js';
import { AnonymousBudget } from './anonymous-budget.js';

const { atOnce, perSecond } = HUB_LIMITS.anonymousComings;
const GRACE = 5_000;

describe('the budget of anonymous readers', () => {
  let now = 0;
  const open = (): AnonymousBudget => new AnonymousBudget(GRACE, () => now);

  /** How many of so many are told of. */
  function told(budget: AnonymousBudget, address: string, count = 3 * atOnce): number {
    const all = Array.from({ length: count }, (_, index) =>
      budget.admits(`key ${index}`, { address, isResuming: false }),
    );
    return all.filter(Boolean).length;
  }

  it('is so many of a network at once, and fills again second by second', () => {
    const budget = open();
    expect(told(budget, '2001:db8::1')).toBe(atOnce);
    expect(told(budget, '2001:db8::2')).toBe(0);
    expect(told(budget, '2001:db8:1::1')).toBe(atOnce);
    expect(told(budget, '192.0.2.1')).toBe(atOnce);
    now += 500;
    expect(told(budget, '2001:db8::2')).toBe(perSecond / 2);
    now += 60_000;
    expect(told(budget, '2001:db8::2')).toBe(atOnce);
  });

  it('is not touched by who comes back in time to the lease that they had, as often as they left it', () => {
    const budget = open();
    const back = { address: '192.0.2.1', isResuming: true };
    told(budget, back.address);
    budget.left('a');
    budget.left('a');
    expect([1, 2, 3].map(() => budget.admits('a', back))).toEqual([true, true, false]);
    budget.left('a');
    expect(budget.admits('b', back)).toBe(false);
    expect(budget.admits('a', { ...back, isResuming: false })).toBe(false);
    now += GRACE + 1;
    told(budget, back.address);
    expect(budget.admits('a', back)).toBe(false);
  });

  it('holds on to no more networks and absences than it may', () => {
    const budget = open();
    for (let index = 0; index < 30_000; index += 1) {
      budget.left(`key ${index}`);
      expect(
        budget.admits('key', { address: `192.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, isResuming: false }),
      ).toBe(true);
    }
    expect(budget.size).toBeLessThanOrEqual(20_000);
  });
});
