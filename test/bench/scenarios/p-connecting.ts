import { setTimeout as delay } from 'node:timers/promises';
import { costOf } from '../measure.js';
import { startBare, startBareNest } from '../bare/bare.js';
import type { DurationFindings } from '../load/commands.js';
import type { Peer } from '../peers/peer.js';
import { spreadOf } from '../statistics.js';
import type { Metric, Scenario } from './scenario.js';
import { startWatch, withSession } from './session.js';

export const STREAMS = 1_000;
/** How often so many come; the last five times count as warm. */
const ROUNDS = 15;
const WARM = 5;
const AT_ONCE = 50;
const REST = 700;
const FIRST = { publishers: 8, topics: 1, bytes: 100, maxEvents: 1_000, maxSeconds: 10 };

/** Microseconds of CPU for each of the first streams, for later ones, and for the first publications. */
type Costs = Record<(typeof KINDS)[number]['key'], number>;

/** Milliseconds that the first of them wait. */
type Waits = Record<(typeof WAITS)[number]['key'], number>;

async function measureConnecting(start: Peer['start']): Promise<Costs & Waits> {
  const publications = await withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count', { publishers: FIRST.publishers });
    const cost = await costOf(server.pids, load.pid, async () => load.tell('flood', FIRST));
    const { p50, p99 } = await load.tell('durations', null);
    return { publishing: (cost.serverCpuSeconds * 1e6) / cost.result.events, publishingP50: p50, publishingP99: p99 };
  });
  const { costs, first } = await measureStreams(start);
  return {
    ...publications,
    cold: costs[0] ?? NaN,
    coldP50: first?.p50 ?? NaN,
    coldP99: first?.p99 ?? NaN,
    warm: spreadOf(costs.slice(-WARM))?.median ?? NaN,
  };
}

/** Server CPU for each of the first 1,000 streams of a fresh server, of the next 1,000, and so on. Microseconds. */
export async function costsOfStreams(start: Peer['start']): Promise<number[]> {
  return (await measureStreams(start)).costs;
}

async function measureStreams(start: Peer['start']): Promise<{ costs: number[]; first: DurationFindings | undefined }> {
  return withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count');
    const costs: number[] = [];
    let first: DurationFindings | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      const open = { readers: STREAMS, topics: STREAMS, atOnce: AT_ONCE };
      const cost = await costOf(server.pids, load.pid, async () => load.tell('open', open));
      costs.push((cost.serverCpuSeconds * 1e6) / STREAMS);
      first ??= await load.tell('durations', null);
      await load.tell('close', null);
      await delay(REST);
    }
    return { costs, first };
  });
}

const KINDS = [
  { key: 'cold', label: 'one of the first 1,000 streams' },
  { key: 'warm', label: 'a stream, after 10,000 others' },
  { key: 'publishing', label: 'one of the first 1,000 publications' },
] as const;

const WAITS = [
  { key: 'coldP50', label: 'p50 until one of the first 1,000 streams has begun, 50 at once' },
  { key: 'coldP99', label: 'p99 until one of the first 1,000 streams has begun, 50 at once' },
  { key: 'publishingP50', label: `p50 of the first 1,000 publications, ${FIRST.publishers} at once` },
  { key: 'publishingP99', label: `p99 of the first 1,000 publications, ${FIRST.publishers} at once` },
] as const;

export const connecting: Scenario = {
  id: 'p',
  title: 'What a stream costs to begin',
  explanation:
    '1,000 streams with a topic each are opened over new connections, 50 at a time, fifteen times, and closed in between: server CPU until each has the first block of its stream. Beside it a bare `node:http` server that answers the same head and block, and the smallest Nest application that does. The first 1,000 publications are those of another fresh server.',
  metrics: [
    ...KINDS.flatMap(({ key, label }): Metric[] => [
      { key, label: `${label}, server CPU`, unit: 'microseconds', compared: true },
      { key: `${key}Bare`, label: `${label}, bare Node`, unit: 'microseconds', compared: false },
      { key: `${key}Nest`, label: `${label}, smallest Nest application`, unit: 'microseconds', compared: false },
      { key: `${key}Ratio`, label: `${label}, ratio to bare Node`, unit: 'ratio', compared: false },
    ]),
    ...WAITS.flatMap(({ key, label }): Metric[] => [
      { key, label, unit: 'milliseconds', compared: true },
      { key: `${key}Bare`, label: `${label}, bare Node`, unit: 'milliseconds', compared: false },
    ]),
  ],
  goals: [
    { metric: 'coldRatio', atMost: 1.6 },
    { metric: 'warmRatio', atMost: 1.6 },
  ],
  measure: async (peer) => {
    const own = await measureConnecting(() => peer.start());
    const bare = await measureConnecting(startBare);
    const nest = await measureConnecting(startBareNest);
    const figures: Record<string, number> = {};
    for (const { key } of KINDS) {
      const ratio = own[key] / bare[key];
      Object.assign(figures, {
        [key]: own[key],
        [`${key}Bare`]: bare[key],
        [`${key}Nest`]: nest[key],
        [`${key}Ratio`]: ratio,
      });
    }
    for (const { key } of WAITS) Object.assign(figures, { [key]: own[key], [`${key}Bare`]: bare[key] });
    return { figures };
  },
};
