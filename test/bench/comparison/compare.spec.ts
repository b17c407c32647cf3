import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Peer } from '../peers/peer.js';
import { COMPARISON_EFFORT, type Metric, type Scenario, type ScenarioId } from '../scenarios/scenario.js';
import { isNoWorse, makeComparisonReport } from './comparison-report.js';
import { type Comparison, compare } from './compare.js';
import { type Build, orderOf } from './round.js';

type Figures = Readonly<Record<string, number>>;

function serverOf(build: Build): Peer {
  const start = async (): Promise<never> => Promise.reject(new Error('nothing is started here'));
  return { name: 'herald', resumes: true, describe: () => build, missing: () => undefined, start };
}

const OWN = serverOf('this');
const OTHER = serverOf('other');

const RATE: Metric = { key: 'rate', label: 'rate', unit: 'per second', compared: true, better: 'greater' };
const COST: Metric = { key: 'cost', label: 'cost', unit: 'milliseconds', compared: true, better: 'less' };
const LOST: Metric = { key: 'lost', label: 'lost', unit: 'count', compared: false };

/** A scenario whose figures are made up: by the build, and by how often that one has been measured. */
function scenarioOf(
  id: ScenarioId,
  figuresOf: (build: 'this' | 'other', time: number) => Figures,
): Scenario & { measured: number } {
  const times = { this: 0, other: 0 };
  const scenario = {
    id,
    title: 'made up',
    explanation: '',
    metrics: [RATE, COST, LOST],
    goals: [{ metric: 'lost', atMost: 0 }],
    measured: 0,
    measure: async (peer: Peer) => {
      const build = peer === OWN ? 'this' : 'other';
      scenario.measured += 1;
      times[build] += 1;
      return Promise.resolve({ figures: figuresOf(build, times[build]) });
    },
  };
  return scenario;
}

async function run(...scenarios: Scenario[]): Promise<Comparison> {
  return compare({ scenarios, effort: COMPARISON_EFFORT, own: OWN, other: OTHER });
}

function verdicts({ figures }: Comparison): string[] {
  return figures.map(({ scenario, metric, judgement }) => `${scenario.id} ${metric.key}: ${judgement.verdict}`);
}

const same = (): Figures => ({ rate: 100, cost: 5, lost: 0 });
/** Measured one time, it is twice what it is the next: nothing can be decided from that. */
const noisy = (_: string, time: number): Figures => ({ rate: time % 2 === 0 ? 100 : 200, cost: 5, lost: 0 });

describe('comparing with another commit', () => {
  beforeEach(() => {
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('finds no difference between builds that have none, after eight rounds of three measurements', async () => {
    const scenario = scenarioOf('a', same);
    const comparison = await run(scenario);
    expect(verdicts(comparison)).toEqual(['a rate: pass', 'a cost: pass']);
    expect(scenario.measured).toBe(24);
    expect(isNoWorse(comparison)).toBe(true);
  });

  it.each([
    ['less of what should be much', { rate: 90, cost: 5, lost: 0 }, ['a rate: worse', 'a cost: pass']],
    ['more of what should be little', { rate: 100, cost: 6, lost: 0 }, ['a rate: pass', 'a cost: worse']],
  ])('calls %s worse', async (_, worse, expected) => {
    const comparison = await run(scenarioOf('a', (build) => (build === 'this' ? worse : same())));
    expect(verdicts(comparison)).toEqual(expected);
    expect(isNoWorse(comparison)).toBe(false);
  });

  it('adds rounds up to 32 for what it cannot resolve, and for its scenario only', async () => {
    const quiet = scenarioOf('a', same);
    const unquiet = scenarioOf('b', noisy);
    const comparison = await run(quiet, unquiet);
    expect(verdicts(comparison)).toEqual(['a rate: pass', 'a cost: pass', 'b rate: unresolved-pass', 'b cost: pass']);
    expect([quiet.measured, unquiet.measured]).toEqual([24, 96]);
    expect(comparison.figures.map(({ ratios }) => ratios.length)).toEqual([8, 8, 32, 8]);
  });

  it('fails what it cannot resolve when the median is below the limit', async () => {
    const comparison = await run(
      scenarioOf('a', (build, time) => ({ ...noisy(build, time), ...(build === 'other' && { rate: 160 }) })),
    );
    expect(verdicts(comparison)[0]).toBe('a rate: unresolved-fail');
    expect(isNoWorse(comparison)).toBe(false);
  });

  it('fails when this tree loses something, however quick it is', async () => {
    const comparison = await run(
      scenarioOf('a', (build, time) => ({ ...same(), lost: build === 'this' && time === 3 ? 1 : 0 })),
    );
    expect(verdicts(comparison)).toEqual(['a rate: pass', 'a cost: pass']);
    expect(isNoWorse(comparison)).toBe(false);
    expect(reportOf(comparison)).toContain('- (a), round 2: lost: 1');
  });

  it('bears with the other commit when one of its measurements fails, and with nothing of this tree', async () => {
    const failing = (who: string) =>
      scenarioOf('a', (build, time) => {
        if (build === who && time === 1) throw new Error('it broke');
        return same();
      });
    const others = await run(failing('other'));
    expect(others.figures.map(({ ratios }) => ratios.length)).toEqual([7, 7]);
    expect(isNoWorse(others)).toBe(true);
    const own = await run(failing('this'));
    expect(isNoWorse(own)).toBe(false);
    for (const comparison of [others, own]) expect(reportOf(comparison)).toContain('round 1: **failed**: it broke');
  });

  it('gives a scenario up that a build does not get through', async () => {
    const scenario = scenarioOf('a', (build) => {
      if (build === 'other') throw new Error('it never starts');
      return same();
    });
    const comparison = await run(scenario);
    expect(verdicts(comparison)).toEqual(['a rate: failed', 'a cost: failed']);
    expect(scenario.measured).toBe(24);
    expect(isNoWorse(comparison)).toBe(false);
  });

  it('favours no build by its place in a round', () => {
    const places = Array.from({ length: 6 }, (_, round) => orderOf(round));
    for (const build of ['other', 'this', 'again'] as const) {
      expect(places.map((order) => order.indexOf(build)).toSorted((left, right) => left - right)).toEqual([
        0, 0, 1, 1, 2, 2,
      ]);
    }
    // Of any eight rounds that are judged together, each of two builds comes first in four.
    for (const first of [0, 8, 16, 24]) {
      const orders = Array.from({ length: 8 }, (_, index) => orderOf(first + index));
      expect(orders.filter((order) => order.indexOf('this') < order.indexOf('other'))).toHaveLength(4);
      expect(orders.filter((order) => order.indexOf('this') < order.indexOf('again'))).toHaveLength(4);
    }
  });
});

function reportOf(comparison: Comparison): string {
  const moment = new Date(0);
  return makeComparisonReport({
    ...comparison,
    scenarios: [...new Set(comparison.figures.map(({ scenario }) => scenario))],
    own: 'this',
    other: 'other',
    machine: [],
    notes: new Map(),
    startedAt: moment,
    finishedAt: moment,
  });
}
