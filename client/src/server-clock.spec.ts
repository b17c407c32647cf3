import { beforeEach, describe, expect, it } from '@jest/globals';
import { ServerClock } from './server-clock.js';

describe('ServerClock', () => {
  let clock: ServerClock;

  beforeEach(() => {
    clock = new ServerClock();
  });

  it('knows nothing before the first event', () => {
    expect(clock.at(100)).toBeUndefined();
    expect(clock.latency()).toBeUndefined();
  });

  it('goes on from the last event by the local clock', () => {
    clock.add(1_000_000, 50);

    expect(clock.at(50)).toBe(1_000_000);
    expect(clock.at(1_050)).toBe(1_001_000);
  });

  it('trusts the fastest event, and measures the last one against it', () => {
    clock.add(1_000_000, 80);
    clock.add(1_002_000, 2_020);
    clock.add(1_004_000, 4_050);

    expect(clock.at(4_050)).toBe(1_004_030);
    expect(clock.latency()).toBe(30);
  });

  it('has no latency to tell from a single event', () => {
    clock.add(1_000_000, 80);

    expect(clock.latency()).toBeUndefined();
  });

  it('lets old events go, so that it follows a clock that drifts', () => {
    clock.add(0, 0);
    for (let event = 1; event <= 150; event += 1) clock.add(event * 1_000, event * 1_000 + 7);

    expect(clock.at(200_007)).toBe(200_000);
    expect(clock.latency()).toBe(0);
  });

  it('starts anew after a reset', () => {
    clock.add(1_000_000, 0);
    clock.reset();

    expect(clock.at(10)).toBeUndefined();
    clock.add(500_000, 10);
    expect(clock.at(10)).toBe(500_000);
  });
});
