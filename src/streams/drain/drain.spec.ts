import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { VirtualPace } from '../../../test/support/virtual-pace.js';
import { UNKNOWN_STREAM } from '../registry/stream-info.js';
import { type OpenStream, StreamRegistry } from '../registry/stream-registry.js';
import { Drain, type DrainState, shareOf } from './drain.js';

jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);

/** A stream that closes as soon as it is told to end. */
class FakeStream implements OpenStream {
  readonly openedAt = performance.now();
  readonly lastWriteAt = this.openedAt;
  readonly fullSince = 0;
  readonly info = UNKNOWN_STREAM;
  endedAt = 0;
  serial = 0;
  told: { readonly reason: string; readonly retry: number | undefined; readonly at: number } | undefined;

  constructor(
    private readonly registry: StreamRegistry,
    private readonly pace: VirtualPace,
  ) {
    registry.add(this);
  }
  describe = (): Readonly<Record<string, unknown>> => ({});
  detail = (): Readonly<Record<string, unknown>> => ({});
  heartbeat = (): undefined => undefined;
  tellOfEnd = (): undefined => undefined;
  end(reason: 'drain' | 'rebalance', retry?: number): void {
    if (this.told) return;
    this.told = { reason, retry, at: this.pace.now() };
    this.registry.delete(this, reason);
  }
  cut(): void {
    this.end('drain');
  }
  finished = (): Promise<void> => Promise.resolve();
}

class Stage {
  readonly pace = new VirtualPace();
  readonly registry = new StreamRegistry({ heartbeat: 0, maxAge: 0, writeTimeout: 30_000 });
  readonly streams: FakeStream[] = [];
  readonly drain: Drain;
  batches = 0;

  constructor({ delay = 0, window = 5_000, isAlone = false } = {}) {
    this.drain = new Drain(this.registry, { delay, window, isAlone, pace: this.pace });
    this.drain.onLettingGo(() => (this.batches += 1));
  }

  open(count: number): void {
    for (let left = count; left > 0; left -= 1) this.streams.push(new FakeStream(this.registry, this.pace));
  }

  ends(): unknown[] {
    return this.streams.map(({ told }) => told?.at);
  }
}

describe('Drain', () => {
  it('waits for the delay, and then lets go of all evenly over the window', async () => {
    const stage = new Stage({ delay: 10_000, window: 5_000 });
    stage.open(5);
    const over = stage.drain.begin();
    expect(stage.drain.state).toBe('announced');
    await stage.pace.advance(9_999);
    stage.open(5);
    expect([stage.registry.size, stage.batches]).toEqual([10, 0]);
    await stage.pace.advance(1);
    expect([stage.drain.state, stage.batches]).toEqual(['letting-go', 1]);
    await stage.pace.advance(5_000);
    await over;
    expect(stage.drain.state).toBe('drained');
    expect(stage.ends()).toEqual(Array.from({ length: 10 }, (_, index) => 10_000 + index * 500));
  });

  it('takes no time without streams', async () => {
    const stage = new Stage({ window: 3_600_000 });
    await stage.drain.begin();
    expect([stage.drain.state, stage.pace.now()]).toEqual(['drained', 0]);
  });

  it('ends at once what comes while it lets go, and after', async () => {
    const stage = new Stage();
    stage.open(2);
    void stage.drain.begin();
    await stage.pace.advance(1_000);
    stage.open(1);
    await stage.pace.advance(9_000);
    stage.open(1);
    expect(stage.ends()).toEqual([0, 2_500, 1_000, 10_000]);
  });

  it('has readers come back soon where there are other processes, and after its own start where there are none', async () => {
    const retries = async (isAlone: boolean): Promise<number[]> => {
      const stage = new Stage({ isAlone });
      stage.open(100);
      void stage.drain.begin();
      await stage.pace.advance(5_000);
      return stage.streams.map(({ told }) => told?.retry ?? NaN);
    };
    for (const retry of await retries(false)) expect(retry).toBe(Math.min(4_000, Math.max(1_000, retry)));
    const alone = await retries(true);
    for (const retry of alone) expect(retry).toBe(Math.min(10_000, Math.max(7_000, retry)));
    expect(new Set(alone).size).toBeGreaterThan(1);
  });

  it('lets go of a share, and of no more while that is under way', async () => {
    const stage = new Stage();
    stage.open(10);
    expect(stage.drain.rebalance(0.2)).toBe(2);
    expect(() => stage.drain.rebalance(0.2)).toThrow('lets go of streams already');
    stage.open(1);
    await stage.pace.advance(5_000);
    expect(stage.streams.filter(({ told }) => told?.reason === 'rebalance')).toHaveLength(2);
    expect([stage.registry.size, stage.drain.state, stage.batches]).toEqual([9, 'serving', 0]);
    expect(stage.drain.rebalance(1)).toBe(9);
  });

  it('ends the process without any wait where it must hurry, also half-way', async () => {
    const stage = new Stage({ delay: 60_000, window: 60_000 });
    stage.open(10);
    const over = stage.drain.leave();
    await stage.pace.advance(66_000);
    expect(stage.registry.size).toBe(8);
    stage.drain.hurry();
    await over;
    await stage.drain.onModuleDestroy();
    expect([stage.registry.size, stage.drain.state, stage.pace.now()]).toEqual([0, 'drained', 66_000]);
    expect(stage.batches).toBe(1);
  });

  it('does all of it at the end of an application that has not begun it before', async () => {
    const stage = new Stage({ window: 1_000 });
    stage.open(2);
    const over = stage.drain.onModuleDestroy();
    await stage.pace.advance(1_000);
    await over;
    expect(stage.ends()).toEqual([0, 500]);
  });

  it('is in the state that its calls make of it, whatever their order', async () => {
    const calls = fc.array(fc.constantFrom<Call>('open', 'begin', 'resume', 'rebalance', 'leave', 'wait', 'long'), {
      maxLength: 20,
    });
    await fc.assert(fc.asyncProperty(calls, expectAsModel), { numRuns: 200 });
  });
});

type Call = 'open' | 'begin' | 'resume' | 'rebalance' | 'leave' | 'wait' | 'long';

const DELAY = 1_000;
const WINDOW = 4_000;

/** What is known of a drain without looking at how it is done: when it has begun, and whether it may be taken back. */
class Model {
  private now = 0;
  private begunAt: number | undefined;
  private isFinal = false;
  /** Streams that were open when it began to let go. */
  private atStart = 0;

  get state(): DrainState {
    if (this.begunAt === undefined) return 'serving';
    const since = this.now - this.begunAt - DELAY;
    if (since < 0) return 'announced';
    return this.atStart > 1 && since < WINDOW * (1 - 1 / this.atStart) ? 'letting-go' : 'drained';
  }

  begin(isFinal: boolean): void {
    this.isFinal ||= isFinal;
    this.begunAt ??= this.now;
  }

  resume(): boolean {
    if (!this.isFinal) this.begunAt = undefined;
    return !this.isFinal;
  }

  advance(milliseconds: number, open: number): void {
    const wasAnnounced = this.state === 'announced';
    this.now += milliseconds;
    if (wasAnnounced && this.begunAt !== undefined && this.now >= this.begunAt + DELAY) this.atStart = open;
  }
}

async function expectAsModel(calls: readonly Call[]): Promise<void> {
  const stage = new Stage({ delay: DELAY, window: WINDOW });
  const model = new Model();
  for (const call of calls) {
    if (call === 'open') stage.open(1);
    else if (call === 'begin') void stage.drain.begin();
    else if (call === 'leave') void stage.drain.leave();
    else if (call === 'resume') expectResume(stage.drain, model.resume());
    else if (call === 'rebalance') expectRebalance(stage.drain, model.state);
    // In steps, so that the model sees how many streams there are when it begins to let go.
    else for (let left = call === 'wait' ? 1 : 8; left > 0; left -= 1) await advance(stage, model);
    if (call === 'begin' || call === 'leave') model.begin(call === 'leave');
    expect(stage.drain.state).toBe(model.state);
    if (stage.drain.state === 'drained') expect(stage.registry.size).toBe(0);
  }
}

/** A step is longer than the time between two looks at what is due, and shorter than the delay. */
async function advance(stage: Stage, model: Model): Promise<void> {
  const open = stage.registry.size;
  await stage.pace.advance(500);
  await stage.pace.settle();
  model.advance(500, open);
}

function expectResume(drain: Drain, isAllowed: boolean): void {
  if (isAllowed) drain.resume();
  else expect(() => drain.resume()).toThrow('This process ends');
}

function expectRebalance(drain: Drain, state: DrainState): void {
  if (state !== 'serving') expect(() => drain.rebalance(0.5)).toThrow('lets go of streams already');
}

describe('shareOf', () => {
  it('is the share, rounded up, in order, and as evenly as can be', () => {
    const shares = fc.double({ min: 0.001, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), shares, (size, share) => {
        const items = Array.from({ length: size }, (_, index) => index);
        const chosen = shareOf(items, share);
        expect(chosen).toHaveLength(Math.ceil(size * share));
        const gaps = chosen.slice(1).map((item, index) => item - (chosen[index] ?? 0));
        for (const gap of gaps) expect(Math.abs(gap - 1 / share)).toBeLessThan(1);
      }),
    );
  });
});
