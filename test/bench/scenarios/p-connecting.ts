import { setTimeout as delay } from 'node:timers/promises';
import { costOf } from '../measure.js';
import { startBare } from '../bare/bare.js';
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

interface Cost {
  /** Microseconds of CPU for each of the first streams, and later. */
  readonly cold: number;
  readonly warm: number;
  /** The same for the first publications. */
  readonly publishing: number;
}

async function measureConnecting(start: Peer['start']): Promise<Cost> {
  const publishing = await withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count', { publishers: FIRST.publishers });
    const cost = await costOf(server.pids, load.pid, async () => load.tell('flood', FIRST));
    return (cost.serverCpuSeconds * 1e6) / cost.result.events;
  });
  const costs = await costsOfStreams(start);
  return { cold: costs[0] ?? NaN, warm: spreadOf(costs.slice(-WARM))?.median ?? NaN, publishing };
}

/** Server CPU for each of the first 1,000 streams of a fresh server, of the next 1,000, and so on. Microseconds. */
export async function costsOfStreams(start: Peer['start']): Promise<number[]> {
  return withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count');
    const costs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const open = { readers: STREAMS, topics: STREAMS, atOnce: AT_ONCE };
      const cost = await costOf(server.pids, load.pid, async () => load.tell('open', open));
      costs.push((cost.serverCpuSeconds * 1e6) / STREAMS);
      await load.tell('close', null);
      await delay(REST);
    }
    return costs;
  });
}

const KINDS = [
  { key: 'cold', label: 'one of the first 1,000 streams' },
  { key: 'warm', label: 'a stream, after 10,000 others' },
  { key: 'publishing', label: 'one of the first 1,000 publications' },
] as const;

export const connecting: Scenario = {
  id: 'p',
  title: 'What a stream costs to begin',
  explanation:
    '1,000 streams with a topic each are opened over new connections, 50 at a time, fifteen times, and closed in between: server CPU until each has the first block of its stream. Beside it a bare `node:http` server that answers the same head and block. The first 1,000 publications are those of another fresh server.',
  metrics: KINDS.flatMap(({ key, label }): Metric[] => [
    { key, label: `${label}, server CPU`, unit: 'microseconds', compared: true },
    { key: `${key}Bare`, label: `${label}, bare Node`, unit: 'microseconds', compared: false },
    { key: `${key}Ratio`, label: `${label}, ratio to bare Node`, unit: 'ratio', compared: false },
  ]),
  goals: [
    { metric: 'coldRatio', atMost: 1.6 },
    { metric: 'warmRatio', atMost: 1.6 },
  ],
  measure: async (peer) => {
    const own = await measureConnecting(() => peer.start());
    const bare = await measureConnecting(startBare);
    const figures: Record<string, number> = {};
    for (const { key } of KINDS) {
      Object.assign(figures, { [key]: own[key], [`${key}Bare`]: bare[key], [`${key}Ratio`]: own[key] / bare[key] });
    }
    return { figures };
  },
};
