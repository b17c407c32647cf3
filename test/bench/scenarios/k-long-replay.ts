import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../load/load-process.js';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { inJournalFolder } from './journal-folder.js';
import { type Effort, type Metric, type Scenario, othersMetric } from './scenario.js';
import { startWatch, withSession } from './session.js';

const MISSED = 10_000;
const PAYLOAD_BYTES = 100;
const LIVE_RATE = 50;
/** Live events between two looks whether it is over. */
const LIVE_EVENTS = 10;
const REPLAY_SECONDS = 70;
const HUB_PATH = '/.well-known/mercure';
const TOPIC = 'https%3A%2F%2Fbench.example%2F';

/** How the readers ask: the part of the metrics' keys, and how it is told. */
interface Way {
  readonly key: 'Shared' | 'Own';
  readonly label: string;
  /** What reader n subscribes to, whose number is put in place of `{topic}`. */
  readonly subscribePath: string;
}

const WAYS: readonly Way[] = [
  { key: 'Shared', label: 'one cohort', subscribePath: `${HUB_PATH}?match=${TOPIC}0` },
  {
    key: 'Own',
    label: 'a cohort each',
    subscribePath: `${HUB_PATH}?match=${TOPIC}0&match=${TOPIC}nothing-{topic}`,
  },
];

function metricsOf({ key, label }: Way): Metric[] {
  const metric = (name: string, text: string, unit: Metric['unit']): Metric => {
    return { key: `${name}${key}`, label: `${text}, ${label}`, unit, compared: false };
  };
  return [
    metric('rate', 'replayed events per server CPU-second', 'per second'),
    metric('lost', 'events not delivered', 'count'),
    metric('violations', 'events lost, doubled or out of order', 'count'),
    metric('calm', 'p99 of a live reader, alone', 'milliseconds'),
    metric('connecting', 'p99 of a live reader, while all connect that miss nothing', 'milliseconds'),
    metric('returning', 'p99 of a live reader, while all connect that come back', 'milliseconds'),
    metric('busy', 'p99 of a live reader, while all are replayed to', 'milliseconds'),
    metric('starved', 'p99 while all are replayed to, to that alone', 'ratio'),
    metric('load', 'load core busy', 'percent'),
    othersMetric(key, `, ${label}`),
  ];
}

/** Publishes to the live reader until `end` has come, and tells its p99. */
async function liveP99(live: LoadProcess, end: Promise<unknown>): Promise<number> {
  const watched = { isOver: false };
  const watch = end.finally(() => (watched.isOver = true));
  await startWatch(live, 'latency');
  let events = 0;
  do {
    await live.tell('pace', { eventsPerSecond: LIVE_RATE, events: LIVE_EVENTS, bytes: PAYLOAD_BYTES });
    events += LIVE_EVENTS;
  } while (!watched.isOver);
  await watch;
  await live.tell('settle', { events, maxSeconds: 30 });
  return (await live.tell('latency', null)).p99;
}

async function measureWay(
  path: string,
  { key, subscribePath }: Way,
  { paceSeconds, replayReaders: readers }: Effort,
): Promise<Record<string, number>> {
  const start = async () => {
    const server = await startHerald({ HERALD_JOURNAL: `lmdb:${path}`, HERALD_RECENT_BYTES: '64kb' });
    return { ...server, target: { ...server.target, subscribePath } };
  };
  return withSession({ start }, async ({ server, load }) => {
    const { target } = server;
    const live = await LoadProcess.start({
      ...target,
      subscribePath: `${HUB_PATH}?match=${TOPIC}live`,
      publishBody: target.publishBody.replace('{topic}', 'live'),
    });
    try {
      await live.tell('open', { readers: 1, topics: 1, atOnce: 1 });
      await startWatch(load, 'count');
      const lastEventId = await load.tell('mark', { bytes: PAYLOAD_BYTES });
      await load.tell('close', null);
      // Numbered from 0 again, so that the missed events are the ones a reader that comes back expects.
      await startWatch(load, 'count');
      const flood = { publishers: 1, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: MISSED, maxSeconds: 60 };
      const { events: missed } = await load.tell('flood', flood);
      if (missed !== MISSED) throw new Error(`only ${missed} of ${MISSED} events could be stored in time`);

      const calm = await liveP99(live, delay(paceSeconds * 1000));
      await startWatch(load, 'count');
      const connecting = await liveP99(live, load.tell('open', { readers, topics: readers, atOnce: readers }));
      await load.tell('close', null);

      await startWatch(load, 'order', { readers });
      const p99s: number[] = [];
      const cost = await costOf(server.pids, load.pid, async () => {
        p99s.push(await liveP99(live, load.tell('open', { readers, topics: readers, atOnce: readers, lastEventId })));
        const settled = load.tell('settle', { events: readers * MISSED, maxSeconds: REPLAY_SECONDS });
        p99s.push(await liveP99(live, settled));
        return settled;
      });
      const [returning = NaN, busy = NaN] = p99s;
      const { violations } = await load.tell('order', null);
      return {
        [`rate${key}`]: cost.result.received / cost.serverCpuSeconds,
        [`lost${key}`]: readers * MISSED - cost.result.received,
        [`violations${key}`]: violations,
        [`calm${key}`]: calm,
        [`connecting${key}`]: connecting,
        [`returning${key}`]: returning,
        [`busy${key}`]: busy,
        [`starved${key}`]: busy / calm,
        [`load${key}`]: (100 * cost.loadCpuSeconds) / cost.wallSeconds,
        [`others${key}`]: cost.othersPercent,
      };
    } finally {
      await live.stop();
    }
  });
}

export const longReplay: Scenario = {
  id: 'k',
  title: '10,000 missed events each, from the disk',
  explanation:
    '1,000 readers (with `--quick` 100) come back at once, each for the same 10,000 missed events of 100 bytes, which only the LMDB journal holds: the recent log has 64 KiB. Once they have the same matcher and share a cohort, which joins what it replays once; and once each has a second matcher of its own that matches nothing, so that no two share a cohort. What is read from the disk is shared in both. Meanwhile one more reader follows another topic live, at 50 events a second: alone, while as many connect that have missed nothing, while those connect that come back, and from then on until they have everything. Its load generator shares a core with that of the replay, which its latency suffers from too. All of the server’s CPU counts.',
  metrics: WAYS.flatMap(metricsOf),
  goals: WAYS.flatMap(({ key }) => [
    { metric: `lost${key}`, atMost: 0 },
    { metric: `violations${key}`, atMost: 0 },
  ]),
  measure: async (peer, effort) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    return inJournalFolder(async (directory) => {
      const figures: Record<string, number> = {};
      for (const way of WAYS) Object.assign(figures, await measureWay(join(directory, way.key), way, effort));
      return { figures };
    });
  },
};
