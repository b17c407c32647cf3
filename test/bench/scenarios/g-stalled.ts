import { costOf, residentBytes, unsentBytes } from '../measure.js';
import type { Peer } from '../peers/peer.js';
import { type Scenario, othersMetric } from './scenario.js';
import { openReaders, settled, startWatch, withSession } from './session.js';

const READERS = 1000;
/** Every fifth reader stalls: 200. The other 800 are measured, in the run with stalled readers and in the one without. */
const STALLED_EVERY = 5;
const STALLED = READERS / STALLED_EVERY;
const PAYLOAD_BYTES = 32 * 1024;
/** Some 8 MiB for each reader: more than the kernel buffers for a connection, so that stalled sockets are full. */
const FILL_EVENTS = 256;
const EVENTS_PER_SECOND = 10;
const MEBIBYTE = 1024 * 1024;

interface Stall {
  readonly p99: number;
  readonly residentMebibytes: number;
  readonly fullSockets: number;
  readonly lost: number;
  readonly othersPercent: number;
}

async function measureOthers(peer: Peer, seconds: number, stalled: boolean): Promise<Stall> {
  return withSession(peer, async ({ server, load }) => {
    const reading = stalled ? READERS - STALLED : READERS;
    await openReaders(load, READERS);
    if (stalled) await load.tell('stall', { every: STALLED_EVERY });
    await startWatch(load, 'count');
    const fill = { publishers: 1, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: FILL_EVENTS, maxSeconds: 60 };
    const filled = await load.tell('flood', fill);
    await settled(load, filled.events * reading);

    await startWatch(load, 'latency', { ignoreEvery: STALLED_EVERY });
    const events = seconds * EVENTS_PER_SECOND;
    const { result: received, othersPercent } = await costOf(server.pids, load.pid, async () => {
      await load.tell('pace', { eventsPerSecond: EVENTS_PER_SECOND, events, bytes: PAYLOAD_BYTES });
      return settled(load, events * reading);
    });
    const { p99 } = await load.tell('latency', null);
    return {
      p99,
      residentMebibytes: residentBytes(server.pids) / MEBIBYTE,
      fullSockets: unsentBytes(server.target.port).connections,
      lost: events * reading - received,
      othersPercent,
    };
  });
}

export const stalled: Scenario = {
  id: 'g',
  title: '200 stalled readers among 1,000',
  explanation:
    'Every fifth of 1,000 readers stops reading; 8 MiB are published to fill their sockets, then events of 32 KiB ten times a second. The p99 of the other 800 is compared with the p99 of the same 800 when nobody stalls. “Full sockets” are connections with more than 64 KiB unsent in the kernel’s table at the end: the stalled readers that the server has not cut off.',
  metrics: [
    { key: 'calm', label: 'p99 of the 800, nobody stalled', unit: 'milliseconds', compared: true },
    { key: 'p99', label: 'p99 of the 800, 200 stalled', unit: 'milliseconds', compared: true, better: 'less' },
    { key: 'growth', label: 'with stalled readers to without', unit: 'ratio', compared: false },
    { key: 'calmMemory', label: 'resident memory, nobody stalled', unit: 'mebibytes', compared: false },
    { key: 'memory', label: 'resident memory, 200 stalled', unit: 'mebibytes', compared: true, better: 'less' },
    { key: 'fullSockets', label: 'full sockets at the end', unit: 'count', compared: false },
    { key: 'lost', label: 'events the others did not get', unit: 'count', compared: false },
    othersMetric('Calm', ', nobody stalled'),
    othersMetric('', ', 200 stalled'),
  ],
  goals: [
    { metric: 'growth', atMost: 1.2 },
    { metric: 'lost', atMost: 0 },
  ],
  measure: async (peer, effort) => {
    const calm = effort.calmSeconds > 0 ? await measureOthers(peer, effort.calmSeconds, false) : undefined;
    const others = await measureOthers(peer, effort.paceSeconds, true);
    return { figures: { ...figuresOf(others), ...(calm && calmFigures(calm, others)) } };
  },
};

function figuresOf({ p99, residentMebibytes, fullSockets, lost, othersPercent }: Stall): Record<string, number> {
  return { p99, memory: residentMebibytes, fullSockets, lost, others: othersPercent };
}

function calmFigures(calm: Stall, others: Stall): Record<string, number> {
  return {
    calm: calm.p99,
    growth: others.p99 / calm.p99,
    calmMemory: calm.residentMebibytes,
    othersCalm: calm.othersPercent,
  };
}
