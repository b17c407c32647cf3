import { describe, expect, it } from '@jest/globals';
import { Rates, SECONDS } from './rates.js';

describe('Rates', () => {
  it('counts what came in each second that is over, and forgets', () => {
    let now = 1_000_000;
    const rates = new Rates(() => now);
    rates.add();
    rates.add();
    rates.add(true);
    now += 1_000;
    rates.add();
    rates.lose();
    rates.beat();
    now += 1_000;
    expect(rates.timesOf('losses')).toEqual([1_001]);
    expect(rates.timesOf('beats')).toEqual([1_001]);
    expect(rates.last(3)).toMatchObject({ times: [999, 1_000, 1_001], live: [0, 2, 1], replayed: [0, 1, 0] });
    now += SECONDS * 1_000 + 1_000;
    rates.add();
    expect(rates.timesOf('losses')).toEqual([]);
    expect(rates.timesOf('beats')).toEqual([]);
    expect(rates.last(SECONDS).live.every((count) => count === 0)).toBe(true);
  });

  it('tells the latencies of each second, and of the last ones together, by their percentiles', () => {
    let now = 1_000_000;
    const rates = new Rates(() => now);
    for (let latency = 1; latency <= 20; latency += 1) rates.measure(latency);
    now += 1_000;
    rates.measure(100);
    now += 1_000;
    expect(rates.last(3)).toMatchObject({ p50: [null, 10, 100], p95: [null, 19, 100] });
    expect(rates.latency(60, 50)).toBe(11);
    expect(rates.latency(60, 95)).toBe(20);
    expect(rates.latency(60, 100)).toBe(100);
    now += 120_000;
    expect(rates.latency(60, 50)).toBeNull();
  });

  it('spans what there is, from half a minute to five minutes', () => {
    let now = 1_000_000;
    const rates = new Rates(() => now);
    expect(rates.span).toBe(30);
    rates.add();
    now += 90_000;
    rates.add();
    expect(rates.span).toBe(90);
    now += 900_000;
    expect(rates.span).toBe(SECONDS);
  });
});
