import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../load/load-process.js';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { type Effort, othersMetric, type Scenario } from './scenario.js';
import { allSettled, openReaders, settled, startWatch } from './session.js';

const READERS = 1_000;
const TOPICS = 100;
const EVENTS_PER_SECOND = 1_000;
const PAYLOAD_BYTES = 100;

/** Updates in a request, so that publishing does not cost more than what is measured. */
const TOGETHER = 10;

/** Offers in a second, and milliseconds after which the last one has been made. */
const RATE = 2;
const REST = 1_500 / RATE;

interface Dashboards {
  /** Percent of a core that the server was busy. */
  readonly busy: number;
  /** Updates that a reader got in a second. */
  readonly received: number;
  readonly othersPercent: number;
}

/** Publishes at a fixed rate to readers that have all topics each. */
export async function measureDashboards(effort: Effort, parameters: string, isConflated: boolean): Promise<Dashboards> {
  const server = await startHerald();
  const { subscribePath } = server.target;
  const [path = '', topic = ''] = subscribePath.split('?');
  const matchers = Array.from({ length: TOPICS }, (_, index) => topic.replace('{topic}', String(index)));
  const load = await LoadProcess.start({
    ...server.target,
    subscribePath: `${path}?${matchers.join('&')}${parameters}`,
  });
  try {
    await openReaders(load, READERS);
    const paced = { eventsPerSecond: EVENTS_PER_SECOND, bytes: PAYLOAD_BYTES, topics: TOPICS, together: TOGETHER };
    const publish = async (seconds: number): Promise<number> => {
      await startWatch(load, 'count');
      const events = seconds * EVENTS_PER_SECOND;
      const published = await load.tell('pace', { ...paced, events });
      if (isConflated) await delay(REST);
      else await allSettled(load, events * READERS);
      return published.seconds;
    };
    await publish(effort.warmupSeconds);
    const cost = await costOf(server.pids, load.pid, () => publish(effort.paceSeconds));
    const received = await settled(load, 0);
    const { serverCpuSeconds, othersPercent, result: seconds } = cost;
    return {
      busy: (100 * serverCpuSeconds) / effort.paceSeconds,
      received: received / READERS / seconds,
      othersPercent,
    };
  } finally {
    await load.stop();
    await server.stop();
  }
}

export const conflation: Scenario = {
  id: 'n',
  title: '1,000 dashboards, with and without `max_rate`',
  explanation:
    '1,000 readers subscribe to the same 100 topics each, and 1,000 updates of 100 bytes are published in a second, to the topics in turns and ten with each request. Once the readers get all of them, and once with `max_rate=2`. All of the server’s CPU counts until everything has been received, also what publishing costs, divided by the seconds that publishing is to take.',
  metrics: [
    { key: 'all', label: 'server CPU, all updates, of one core', unit: 'percent', compared: false },
    { key: 'conflated', label: 'server CPU, `max_rate=2`, of one core', unit: 'percent', compared: false },
    { key: 'ratio', label: 'with `max_rate=2` to without', unit: 'ratio', compared: false },
    {
      key: 'received',
      label: 'updates received by a reader in a second, `max_rate=2`',
      unit: 'count',
      compared: false,
    },
    othersMetric('All', ', all updates'),
    othersMetric('', ', `max_rate=2`'),
  ],
  goals: [{ metric: 'ratio', atMost: 0.2 }],
  measure: async (peer, effort) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    const all = await measureDashboards(effort, '', false);
    const conflated = await measureDashboards(effort, `&max_rate=${RATE}`, true);
    return {
      figures: {
        all: all.busy,
        conflated: conflated.busy,
        ratio: conflated.busy / all.busy,
        received: conflated.received,
        othersAll: all.othersPercent,
        others: conflated.othersPercent,
      },
    };
  },
};
