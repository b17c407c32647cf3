import { setTimeout as delay } from 'node:timers/promises';
import { costOf, residentBytes } from '../measure.js';
import { type Scenario, othersMetric } from './scenario.js';
import { allSettled, openReaders, startWatch, withSession } from './session.js';

const READERS = 10_000;
const WARM_READERS = 50;
const WARM_EVENTS = 200;

export const idle: Scenario = {
  id: 'c',
  title: '10,000 idle readers',
  explanation:
    'Resident memory after 10,000 subscriptions less what the warmed-up server had before, for each connection, as it is and without a forced collection; then CPU while nothing is published. Heartbeats every 20 seconds, which NestJS has none of (it keeps a 5-second timer for each stream).',
  metrics: [
    {
      key: 'perConnection',
      label: 'resident memory per connection',
      unit: 'kibibytes',
      compared: true,
    },
    { key: 'before', label: 'resident memory before', unit: 'mebibytes', compared: false },
    {
      // Against another commit the sum counts: what each connection adds is more where the process begins with less.
      key: 'after',
      label: 'resident memory with 10,000',
      unit: 'mebibytes',
      compared: false,
      better: 'less',
    },
    {
      key: 'openMilliseconds',
      label: 'server CPU per 1,000 subscriptions',
      unit: 'milliseconds',
      compared: true,
      better: 'less',
    },
    { key: 'atRest', label: 'CPU at rest, of one core', unit: 'percent', compared: false },
    othersMetric(),
  ],
  goals: [
    { metric: 'perConnection', atMost: 8 },
    { metric: 'atRest', atMost: 1 },
  ],
  measure: async (peer, effort) =>
    withSession(peer, async ({ server, load }) => {
      await openReaders(load, WARM_READERS);
      await startWatch(load, 'count');
      await load.tell('flood', { publishers: 1, topics: 1, bytes: 100, maxEvents: WARM_EVENTS, maxSeconds: 10 });
      await allSettled(load, WARM_READERS * WARM_EVENTS);
      await delay(effort.settleSeconds * 1000);

      const before = residentBytes(server.pids);
      const opening = await costOf(server.pids, load.pid, async () => openReaders(load, READERS));
      await delay(effort.settleSeconds * 1000);
      const after = residentBytes(server.pids);
      const rest = await costOf(server.pids, load.pid, async () => delay(effort.restSeconds * 1000));
      return {
        figures: {
          perConnection: (after - before) / READERS / 1024,
          before: before / 1024 / 1024,
          after: after / 1024 / 1024,
          openMilliseconds: (opening.serverCpuSeconds * 1e6) / READERS,
          atRest: (100 * rest.serverCpuSeconds) / rest.wallSeconds,
          others: Math.max(opening.othersPercent, rest.othersPercent),
        },
      };
    }),
};
