import { type Cost, costOf } from '../measure.js';
import { type Scenario, othersMetric } from './scenario.js';
import { type Session, settled, startWatch, withSession } from './session.js';

const READERS = 1000;
const MISSED = 1000;
/**
 * How often all come back before that is measured: V8 has compiled what replays by then. Those that missed nothing do not
 * go that way. The first time costs twice as much as the third, and what follows the third the same.
 */
const WARM_ROUNDS = 3;
const PAYLOAD_BYTES = 100;

interface Reconnection extends Cost {
  readonly replayed: number;
  readonly violations: number;
}

/** All readers come back at once after `lastEventId` and read until they have what they missed. */
async function reconnect(
  session: Session,
  readers: number,
  lastEventId: string,
  missed: number,
): Promise<Reconnection> {
  const { server, load } = session;
  await startWatch(load, 'order', { readers });
  const cost = await costOf(server.pids, load.pid, async () => {
    await load.tell('open', { readers, topics: 1, atOnce: readers, lastEventId });
    return settled(load, readers * missed);
  });
  const { violations } = await load.tell('order', null);
  await load.tell('close', null);
  return { ...cost, replayed: cost.result, violations };
}

export const resume: Scenario = {
  id: 'f',
  title: '1,000 readers come back at once',
  explanation:
    '1,000 readers reconnect at once with the same `Last-Event-ID` and 1,000 missed events of 100 bytes each; each reader checks that it gets exactly those, once and in order. All of the server’s CPU counts, from the first connection to the last event; what as many reconnections cost that have missed nothing is shown beside it.',
  metrics: [
    {
      key: 'rate',
      label: 'replayed events per server CPU-second',
      unit: 'per second',
      compared: true,
      better: 'greater',
    },
    { key: 'replay', label: 'server CPU of it all', unit: 'milliseconds', compared: false },
    { key: 'control', label: 'server CPU when nothing was missed', unit: 'milliseconds', compared: false },
    { key: 'lost', label: 'events not delivered', unit: 'count', compared: false },
    { key: 'violations', label: 'events lost, doubled or out of order', unit: 'count', compared: false },
    { key: 'load', label: 'load core busy', unit: 'percent', compared: false },
    othersMetric(),
  ],
  goals: [
    { metric: 'rate', atLeast: 1_000_000 },
    { metric: 'lost', atMost: 0 },
    { metric: 'violations', atMost: 0 },
  ],
  measure: async (peer) => {
    if (!peer.resumes) return { none: 'not offered' };
    return withSession(peer, async (session) => {
      const { load } = session;
      await startWatch(load, 'count');
      const nothingMissed = await load.tell('mark', { bytes: PAYLOAD_BYTES });
      await reconnect(session, READERS, nothingMissed, 0);
      const control = await reconnect(session, READERS, nothingMissed, 0);

      // Numbered from 0 again, so that the missed events are the ones a reader that comes back expects.
      await startWatch(load, 'count');
      await load.tell('flood', { publishers: 1, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: MISSED, maxSeconds: 30 });
      for (let round = 0; round < WARM_ROUNDS; round += 1) await reconnect(session, READERS, nothingMissed, MISSED);
      const replay = await reconnect(session, READERS, nothingMissed, MISSED);
      return {
        figures: {
          rate: replay.replayed / replay.serverCpuSeconds,
          replay: replay.serverCpuSeconds * 1000,
          control: control.serverCpuSeconds * 1000,
          lost: READERS * MISSED - replay.replayed,
          violations: replay.violations,
          load: (100 * replay.loadCpuSeconds) / replay.wallSeconds,
          others: replay.othersPercent,
        },
      };
    });
  },
};
