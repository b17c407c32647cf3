import { expect, it } from '@jest/globals';
import { Rates, SECONDS } from './rates.js';

it('counts the messages of each second that is over, and keeps the longest latency in it', () => {
  let now = 1_000_000;
  const rates = new Rates(() => now);
  rates.add();
  rates.add();
  rates.measure(5);
  rates.measure(3);
  now += 1_000;
  rates.add();
  rates.lose();
  now += 1_000;
  expect(rates.lossTimes()).toEqual([1_001]);
  expect(rates.last(3)).toEqual({ times: [999, 1_000, 1_001], counts: [0, 2, 1], latencies: [null, 5, null] });
  now += SECONDS * 1_000 + 1_000;
  rates.add();
  expect(rates.lossTimes()).toEqual([]);
  expect(rates.last(SECONDS).counts.every((count) => count === 0)).toBe(true);
});
