import { costOf } from '../measure.js';
import type { LoadProcess } from '../load/load-process.js';
import type { LatencyFindings } from '../load/tally.js';
import type { Peer, RunningPeer } from '../peers/peer.js';
import { type Scenario, othersMetric } from './scenario.js';
import { openReaders, settled, startWatch, withSession } from './session.js';

const READERS = 1000;
const PAYLOAD_BYTES = 100;
/** Tried from the top: the first rate that every server holds is the one at which all are measured. */
const RATES = [20, 10, 5, 2] as const;
const TRIAL_SECONDS = 3;
/** What a server has been through before it is measured: a program that compiles as it runs is slow at first. */
const WARM_UP = { publishers: 1, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: 3000, maxSeconds: 15 };

let eventsPerSecond: number = RATES[1];

interface Findings extends LatencyFindings {
  readonly lost: number;
  readonly othersPercent: number;
}

interface Pace {
  readonly rate: number;
  readonly seconds: number;
}

async function measureLatency(load: LoadProcess, server: RunningPeer, { rate, seconds }: Pace): Promise<Findings> {
  await startWatch(load, 'latency');
  const deliveries = seconds * rate * READERS;
  const { result, othersPercent } = await costOf(server.pids, load.pid, async () => {
    await load.tell('pace', { eventsPerSecond: rate, bytes: PAYLOAD_BYTES, events: seconds * rate });
    return settled(load, deliveries);
  });
  return { ...(await load.tell('latency', null)), lost: deliveries - result, othersPercent };
}

async function warmUp(load: LoadProcess): Promise<void> {
  await startWatch(load, 'count');
  const { events } = await load.tell('flood', WARM_UP);
  await settled(load, events * READERS);
}

/**
 * Held: nothing is lost and an event has reached nearly every reader before the next one is due. A server that fails
 * altogether has no say in the rate; the measurement itself will tell of it.
 */
async function isHeld(peer: Peer, rate: number): Promise<boolean> {
  try {
    return await withSession(peer, async ({ server, load }) => {
      await openReaders(load, READERS);
      const { p99, lost } = await measureLatency(load, server, { rate, seconds: TRIAL_SECONDS });
      return lost === 0 && p99 < 1000 / rate;
    });
  } catch {
    return true;
  }
}

export const latency: Scenario = {
  id: 'd',
  title: 'Latency at a fixed rate',
  explanation:
    '1,000 readers of one topic, 100 bytes of data, events published by the clock. Time from just before the publish request is written until a reader has read the event; publisher and readers share a clock. Measured after a warm-up of 3,000 publications (15 seconds at most); what a server does that has just been started is told beside it.',
  metrics: [
    { key: 'p50', label: 'p50', unit: 'milliseconds', compared: true, better: 'less' },
    { key: 'p99', label: 'p99', unit: 'milliseconds', compared: true, better: 'less' },
    { key: 'max', label: 'max', unit: 'milliseconds', compared: false },
    { key: 'firstP99', label: 'p99, just started', unit: 'milliseconds', compared: true },
    { key: 'lost', label: 'events not delivered', unit: 'count', compared: false },
    othersMetric(),
  ],
  goals: [{ metric: 'p99', comparedTo: 'nchan', atMost: 1 }],
  prepare: async (peers) => {
    for (const rate of RATES) {
      eventsPerSecond = rate;
      const held: boolean[] = [];
      for (const peer of peers) held.push(await isHeld(peer, rate));
      if (held.every(Boolean)) return `${rate} events a second, which all servers hold.`;
    }
    return `${eventsPerSecond} events a second, which not all servers hold.`;
  },
  measure: async (peer, effort) => {
    return withSession(peer, async ({ server, load }) => {
      await openReaders(load, READERS);
      const first = await measureLatency(load, server, { rate: eventsPerSecond, seconds: effort.coldSeconds });
      await warmUp(load);
      const pace = { rate: eventsPerSecond, seconds: effort.paceSeconds };
      const { p50, p99, max, lost, othersPercent } = await measureLatency(load, server, pace);
      return { figures: { p50, p99, max, firstP99: first.p99, lost: first.lost + lost, others: othersPercent } };
    });
  },
};
