import { costOf } from '../measure.js';
import type { Peer } from '../peers/peer.js';
import { type Effort, type Scenario, othersMetric } from './scenario.js';
import { allSettled, openReaders, startWatch, withSession } from './session.js';

const FEW_TOPICS = 100;
const MANY_TOPICS = 10_000;
const PAYLOAD_BYTES = 100;
/** The same number for both, and each of the many topics at least twice where the server is quick enough. */
const EVENTS = 20_000;

interface PublishCost {
  /** Server CPU for one publish that one reader gets. */
  readonly microseconds: number;
  readonly othersPercent: number;
}

async function costOfPublish(peer: Peer, effort: Effort, topics: number): Promise<PublishCost> {
  return withSession(peer, async ({ server, load }) => {
    const flood = { publishers: 1, topics, bytes: PAYLOAD_BYTES };
    await openReaders(load, topics, topics);
    await startWatch(load, 'count');
    const warmUp = await load.tell('flood', { ...flood, maxEvents: 4 * MANY_TOPICS, maxSeconds: effort.warmupSeconds });
    await allSettled(load, warmUp.events);

    await startWatch(load, 'count');
    const cost = await costOf(server.pids, load.pid, async () => {
      const published = await load.tell('flood', { ...flood, maxEvents: EVENTS, maxSeconds: 2 * effort.windowSeconds });
      await allSettled(load, published.events);
      return published;
    });
    return { microseconds: (cost.serverCpuSeconds * 1e6) / cost.result.events, othersPercent: cost.othersPercent };
  });
}

export const topics: Scenario = {
  id: 'e',
  title: '10,000 topics with one reader each',
  explanation:
    'One publisher publishes to every topic in turn, each of which has one reader: what a publish costs with 10,000 topics and with 100.',
  metrics: [
    { key: 'few', label: 'server CPU per publish, 100 topics', unit: 'microseconds', compared: true, better: 'less' },
    {
      key: 'many',
      label: 'server CPU per publish, 10,000 topics',
      unit: 'microseconds',
      compared: true,
      better: 'less',
    },
    { key: 'growth', label: '10,000 topics to 100', unit: 'ratio', compared: false },
    othersMetric('Few', ', 100 topics'),
    othersMetric('Many', ', 10,000 topics'),
  ],
  goals: [{ metric: 'growth', atMost: 1.2 }],
  measure: async (peer, effort) => {
    const few = await costOfPublish(peer, effort, FEW_TOPICS);
    const many = await costOfPublish(peer, effort, MANY_TOPICS);
    return {
      figures: {
        few: few.microseconds,
        many: many.microseconds,
        growth: many.microseconds / few.microseconds,
        othersFew: few.othersPercent,
        othersMany: many.othersPercent,
      },
    };
  },
};
