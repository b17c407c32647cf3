import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { Conflation } from './conflation.js';

const RATE = 2;
const INTERVAL = 1_000 / RATE;

describe('the pace of a cohort', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  function at(head: number) {
    const due = jest.fn();
    return { due, conflation: new Conflation(RATE, head, due) };
  }

  it('resting → due: the first update after a quiet time need not wait', () => {
    const { conflation } = at(5);
    expect([conflation.state, conflation.horizon]).toEqual(['resting', 5]);
    expect(conflation.hold(7, ['a'])).toBe(true);
    expect(conflation.hold(8, ['a'])).toBe(false);
    expect([conflation.state, conflation.horizon]).toEqual(['due', 5]);
  });

  it('due → pausing: the horizon moves to the head, and what was held back is planned', () => {
    const { conflation } = at(5);
    conflation.hold(7, ['a', 'b']);
    conflation.hold(8, ['c']);
    conflation.hold(9, ['a']);
    expect(conflation.offer(10, 10)).toBe(6);
    expect(conflation.planAfter(6)).toEqual({ positions: [7, 8, 9], upTo: 10, after: 5 });
    expect([conflation.planAfter(4), conflation.planAfter(10)]).toEqual([undefined, undefined]);
    expect([conflation.state, conflation.horizon]).toEqual(['pausing', 10]);
  });

  it('pausing → resting: an interval is over, and nothing has come', () => {
    const { conflation, due } = at(5);
    conflation.hold(6, ['a']);
    conflation.offer(6, 6);
    jest.advanceTimersByTime(INTERVAL);
    expect([conflation.state, due.mock.calls.length]).toEqual(['resting', 0]);
    expect(conflation.hold(7, ['a'])).toBe(true);
  });

  it('pausing → holding → due: what comes within the interval waits for its end', () => {
    const { conflation, due } = at(5);
    conflation.hold(6, ['a']);
    conflation.offer(6, 6);
    expect(conflation.hold(7, ['a'])).toBe(false);
    expect(conflation.state).toBe('holding');
    jest.advanceTimersByTime(INTERVAL - 1);
    expect(due).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect([conflation.state, due.mock.calls.length]).toEqual(['due', 1]);
    expect([conflation.offer(7, 7), conflation.planAfter(6)]).toEqual([6, { positions: [7], upTo: 7, after: 6 }]);
  });

  it('any → over: no timer is left', () => {
    const { conflation, due } = at(5);
    conflation.hold(6, ['a']);
    conflation.offer(6, 6);
    conflation.hold(7, ['a']);
    conflation.close();
    expect([conflation.state, jest.getTimerCount()]).toEqual(['over', 0]);
    jest.advanceTimersByTime(INTERVAL);
    expect(due).not.toHaveBeenCalled();
  });

  it('has no plan where topics are too many, something was taken out, or matching lags behind', () => {
    const { conflation } = at(0);
    for (let position = 1; position <= HUB_LIMITS.offerTopics; position += 1)
      conflation.hold(position, [`${position}`]);
    conflation.offer(HUB_LIMITS.offerTopics, HUB_LIMITS.offerTopics);
    expect(conflation.planAfter(0)).toBeUndefined();
    conflation.hold(5_000, ['a']);
    conflation.forget();
    expect([conflation.offer(5_000, 5_000), conflation.planAfter(4_999)]).toEqual([4_999, undefined]);
    conflation.hold(5_001, ['a']);
    expect([conflation.offer(5_003, 5_002), conflation.planAfter(5_000)]).toEqual([5_000, undefined]);
    // What was offered is not held back once it has been matched.
    expect([conflation.hold(5_003, ['a']), conflation.firstOwed(5_003)]).toEqual([false, Infinity]);
  });

  it('has no plan any more for an offer of which something was taken out', () => {
    const { conflation } = at(5);
    conflation.hold(6, ['a']);
    conflation.offer(6, 6);
    expect(conflation.planAfter(5)).toEqual({ positions: [6], upTo: 6, after: 5 });
    conflation.forget();
    expect(conflation.planAfter(5)).toBeUndefined();
  });

  it('goes back with the log, and forgets what is lost', () => {
    const { conflation } = at(5);
    conflation.hold(7, ['a']);
    conflation.offer(7, 7);
    conflation.hold(8, ['a']);
    expect(conflation.restart(6, 6)).toBe(false);
    expect([conflation.horizon, conflation.firstOwed(6)]).toEqual([6, Infinity]);
    conflation.hold(7, ['b']);
    expect(conflation.firstOwed(6)).toBe(7);
  });

  it('has what nobody has looked at offered as well', () => {
    const { conflation } = at(5);
    expect(conflation.restart(20, 8)).toBe(true);
    expect([conflation.horizon, conflation.firstOwed(5)]).toEqual([5, 9]);
    expect([conflation.offer(20, 20), conflation.planAfter(8)]).toEqual([8, undefined]);
  });

  it('does what a plain model of it does', () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('update' as const), topic: fc.constantFrom('a', 'b', 'c') }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), time: fc.integer({ min: 1, max: 900 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('unwanted' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let [head, now, lastOffer] = [0, 0, -Infinity];
        const held = new Map<string, number>();
        let first: number | undefined;
        const conflation = new Conflation(RATE, head, () => undefined);
        const offerIfDue = (): void => {
          const isDue = first !== undefined && now >= lastOffer + INTERVAL;
          expect(conflation.isDue).toBe(isDue);
          expect(conflation.firstOwed(head)).toBe(first ?? Infinity);
          if (!isDue || first === undefined) return;
          const horizon = conflation.horizon;
          const positions = [...held.values()].toSorted((one, other) => one - other);
          expect(conflation.offer(head, head)).toBe(first - 1);
          expect(conflation.planAfter(first - 1)).toEqual({ positions, upTo: head, after: horizon });
          expect(conflation.horizon).toBe(head);
          held.clear();
          first = undefined;
          lastOffer = now;
        };
        for (const one of steps) {
          if (one.do === 'pass') {
            // In steps that fit the timer, so that the model offers as soon as the hub does.
            for (let left = one.time; left > 0; left -= 1) {
              jest.advanceTimersByTime(1);
              now += 1;
              offerIfDue();
            }
            continue;
          }
          head += 1;
          if (one.do === 'update') {
            conflation.hold(head, [one.topic]);
            held.set(one.topic, head);
            first ??= head;
          }
          offerIfDue();
        }
        conflation.close();
      }),
      { numRuns: 60 },
    );
  });
});
