import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type OpenStream, randomRetry, StreamRegistry } from './stream-registry.js';
import { type StreamInfo, UNKNOWN_STREAM } from './stream-info.js';

class FakeStream implements OpenStream {
  readonly openedAt = performance.now();
  lastWriteAt = this.openedAt;
  fullSince = 0;
  endedAt = 0;
  heartbeats = 0;
  ends: string[] = [];
  serial = 0;

  constructor(
    private readonly registry: StreamRegistry,
    readonly info: StreamInfo = UNKNOWN_STREAM,
  ) {
    registry.add(this);
  }
  describe(): Readonly<Record<string, unknown>> {
    return {};
  }
  detail(): Readonly<Record<string, unknown>> {
    return {};
  }
  heartbeat(): void {
    this.lastWriteAt = performance.now();
    this.heartbeats += 1;
  }
  tellOfEnd(): void {
    // Nobody is told here.
  }
  end(reason: string): void {
    this.ends.push(`${reason} at ${performance.now() - this.openedAt}`);
    this.registry.delete(this, 'disconnected');
  }
  cut(reason: string): void {
    this.end(`cut as ${reason}`);
  }
  finished(): Promise<void> {
    return Promise.resolve();
  }
}

describe('StreamRegistry', () => {
  beforeEach(() => {
    // A test that takes long would otherwise be a leap of the clock for the next one, which is not believed at once.
    jest.useFakeTimers({ now: new Date('2026-01-01') });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('has one timer for ten thousand streams, and none for none', () => {
    const registry = new StreamRegistry({ heartbeat: 20_000, maxAge: 600_000, writeTimeout: 30_000 });
    const streams = Array.from({ length: 10_000 }, () => new FakeStream(registry));
    expect(jest.getTimerCount()).toBe(1);
    streams.forEach((stream) => registry.delete(stream, 'disconnected'));
    expect(jest.getTimerCount()).toBe(0);
    expect(registry.size).toBe(0);
  });

  it('R62: ends a stream by the time at which what was granted ends, whenever it comes, and little before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 10_000 }), (wait, validity) => {
        const registry = new StreamRegistry({ heartbeat: 20_000, maxAge: 600_000, writeTimeout: 30_000 });
        const other = new FakeStream(registry);
        jest.advanceTimersByTime(wait);
        const expiresAt = Date.now() + validity;
        const stream = new FakeStream(registry, { ...UNKNOWN_STREAM, caller: { expiresAt } });
        jest.advanceTimersByTime(validity);
        expect(stream.ends).toHaveLength(1);
        const [reason, age] = (stream.ends[0] ?? '').split(' at ');
        expect(reason).toBe('expired');
        expect(Number(age)).toBeGreaterThanOrEqual(validity - 2_000);
        registry.delete(other, 'disconnected');
      }),
    );
  });

  it('writes to a quiet stream about once in a heartbeat, never much later, and leaves a busy one alone', () => {
    const registry = new StreamRegistry({ heartbeat: 20_000, maxAge: 0, writeTimeout: 30_000 });
    const [quiet, busy] = [new FakeStream(registry), new FakeStream(registry)];
    for (let second = 0; second < 200; second += 1) {
      jest.advanceTimersByTime(1_000);
      busy.lastWriteAt = performance.now();
    }
    jest.advanceTimersByTime(1);
    expect(quiet.heartbeats).toBe(10);
    expect(busy.heartbeats).toBe(0);
  });

  it('writes to a quiet stream as often as it has asked for, also where others get nothing', () => {
    const registry = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
    const asking = new FakeStream(registry, { ...UNKNOWN_STREAM, wishes: { notices: true, heartbeat: 4_000 } });
    const other = new FakeStream(registry);
    for (let second = 0; second < 200; second += 1) jest.advanceTimersByTime(1_000);
    jest.advanceTimersByTime(1);
    expect(asking.heartbeats).toBe(50);
    expect(other.heartbeats).toBe(0);
  });

  it('writes to many quiet streams in several turns of the event loop, and not to one that is gone by then', () => {
    const registry = new StreamRegistry({ heartbeat: 20_000, maxAge: 0, writeTimeout: 30_000 });
    const streams = Array.from({ length: 3 }, () => new FakeStream(registry));
    const [first, second, third] = streams as [FakeStream, FakeStream, FakeStream];
    first.heartbeat = () => {
      first.heartbeats += 1;
      registry.delete(second, 'disconnected');
      // Longer than a turn may take.
      jest.setSystemTime(Date.now() + 5);
    };
    jest.advanceTimersByTime(21_000);
    expect([first.heartbeats > 0, second.heartbeats, third.heartbeats]).toEqual([true, 0, 1]);
  });

  it('ends each stream at its own random age of 80 to 100 % of the maximum', () => {
    const registry = new StreamRegistry({ heartbeat: 0, maxAge: 600_000, writeTimeout: 30_000 });
    const streams = Array.from({ length: 200 }, () => new FakeStream(registry));
    jest.advanceTimersByTime(479_000);
    expect(registry.size).toBe(200);
    jest.advanceTimersByTime(60_000);
    expect(registry.size).toBeGreaterThan(0);
    expect(registry.size).toBeLessThan(200);
    jest.advanceTimersByTime(62_000);
    expect(registry.size).toBe(0);
    expect(new Set(streams.flatMap(({ ends }) => ends)).size).toBeGreaterThan(50);
  });

  it('neither beats nor ends what it is told not to', () => {
    const registry = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
    const stream = new FakeStream(registry);
    jest.advanceTimersByTime(100 * 86_400_000);
    expect(stream.heartbeats).toBe(0);
    expect(stream.ends).toEqual([]);
    registry.delete(stream, 'disconnected');
  });

  it('cuts a stream whose socket has been full for the write timeout, and no other', () => {
    const registry = new StreamRegistry({ heartbeat: 20_000, maxAge: 0, writeTimeout: 30_000 });
    const [stalled, slow] = [new FakeStream(registry), new FakeStream(registry)];
    jest.advanceTimersByTime(10_000);
    stalled.fullSince = performance.now();
    for (let second = 0; second < 32; second += 1) {
      slow.fullSince = second % 2 === 0 ? performance.now() : 0;
      jest.advanceTimersByTime(1_000);
    }
    expect(stalled.ends).toEqual([expect.stringMatching(/^cut as stalled at 40\d{3}/)]);
    expect(slow.ends).toEqual([]);
    registry.delete(slow, 'disconnected');
  });
});

describe('randomRetry', () => {
  it('is a whole number of milliseconds that no client takes for "at once" or overflows with', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const retry = randomRetry(() => random);
        expect(Number.isInteger(retry)).toBe(true);
        expect(retry).toBeGreaterThanOrEqual(1_000);
        expect(retry).toBeLessThanOrEqual(4_000);
      }),
    );
  });
});
