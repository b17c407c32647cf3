import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../load/load-process.js';
import { startBare } from '../bare/bare.js';
import type { Peer } from '../peers/peer.js';
import type { Scenario } from './scenario.js';
import { openReaders, settled, startWatch, withSession } from './session.js';

const LIVE = 500;
const RATE = 20;
const BYTES = 100;
const CROWD = 2_000;
const RETURNING = 1_000;
const MISSED = 10_000;
const TIMES = 3;
/** Seconds that are looked at from the moment on in which the crowd comes. */
const SECONDS = 2;
const REST = 1_500;
/** Publications before anything is measured, over all connections that are used later: a new one would have to wait for the crowd. */
const WARM_UP = { publishers: 16, topics: 1, bytes: BYTES, maxEvents: 2_000, maxSeconds: 15 };

interface Storm {
  /** Milliseconds, of the time with the longest. */
  readonly p99: number;
  readonly max: number;
  readonly lost: number;
  /** Connections of the crowd that were not taken, or did not stay. */
  readonly refused: number;
}

interface Crowd {
  readonly readers: number;
  readonly topics: number;
  readonly lastEventId?: string;
}

/** A crowd comes at once, to topics or back to what it has missed, while live readers get events by the clock, some times. */
export async function measureStorm(start: Peer['start'], returns: boolean, size = CROWD): Promise<Storm> {
  return withSession({ start }, async ({ server, load }) => {
    const crowd = await LoadProcess.start(server.target);
    try {
      await openReaders(load, LIVE);
      await startWatch(load, 'count', { publishers: WARM_UP.publishers });
      const { events } = await load.tell('flood', WARM_UP);
      await settled(load, events * LIVE);
      const comers = returns ? await missing(load) : { readers: size, topics: size };
      const storms: Storm[] = [];
      for (let time = 0; time < TIMES; time += 1) storms.push(await oneStorm(load, crowd, comers));
      return {
        p99: Math.max(...storms.map(({ p99 }) => p99)),
        max: Math.max(...storms.map(({ max }) => max)),
        lost: storms.reduce((sum, { lost }) => sum + lost, 0),
        refused: Math.max(...storms.map(({ refused }) => refused)),
      };
    } finally {
      await crowd.stop();
    }
  });
}

/** Those who come back have missed so many events of the topic that the live readers have as well. */
async function missing(load: LoadProcess): Promise<Crowd> {
  const lastEventId = await load.tell('mark', { bytes: BYTES });
  await startWatch(load, 'count');
  await load.tell('fill', { firstTopic: 0, topics: 1, rounds: MISSED, firstNumber: 0, bytes: BYTES });
  await settled(load, MISSED * LIVE);
  return { readers: RETURNING, topics: 1, lastEventId };
}

async function oneStorm(load: LoadProcess, crowd: LoadProcess, comers: Crowd): Promise<Storm> {
  await startWatch(load, 'latency');
  await startWatch(crowd, 'count');
  const events = SECONDS * RATE;
  const paced = load.tell('pace', { eventsPerSecond: RATE, bytes: BYTES, events });
  const came = await crowd.tell('open', { ...comers, atOnce: comers.readers }).then(
    () => true,
    () => false,
  );
  await paced;
  const received = await settled(load, events * LIVE);
  const { ended } = await crowd.tell('settle', { events: 0, maxSeconds: 1 });
  await crowd.tell('close', null);
  await delay(REST);
  const { p99, max } = await load.tell('latency', null);
  return { p99, max, lost: events * LIVE - received, refused: came ? ended : comers.readers };
}

const KINDS = [
  { key: 'come', label: '2,000 come', returns: false },
  { key: 'return', label: '1,000 come back to 10,000 events', returns: true },
] as const;

export const storms: Scenario = {
  id: 'q',
  title: 'Live readers while a crowd comes at once',
  explanation:
    '500 live readers of one topic get 20 events a second while 2,000 others connect in one instant, three times, each to a topic of its own; then while 1,000 come back in one instant to 10,000 events of the topic. Time from just before the publish request is written until a reader has read the event, over two seconds from the moment in which the crowd comes, of the worst of the three times. A hub in bare `node:http` that does the same, and nothing else, is measured beside it.',
  metrics: KINDS.flatMap(({ key, label }) => [
    { key: `${key}P99`, label: `p99 while ${label}`, unit: 'milliseconds', compared: true },
    { key: `${key}Bare`, label: `p99 of bare Node while ${label}`, unit: 'milliseconds', compared: false },
    { key: `${key}Ratio`, label: `ratio to bare Node while ${label}`, unit: 'ratio', compared: false },
    { key: `${key}Max`, label: `longest while ${label}`, unit: 'milliseconds', compared: false },
    { key: `${key}Refused`, label: `refused of those who came while ${label}`, unit: 'count', compared: false },
    { key: `${key}Lost`, label: `events not delivered while ${label}`, unit: 'count', compared: false },
  ]),
  goals: [
    { metric: 'comeRatio', atMost: 1.5 },
    { metric: 'returnRatio', atMost: 1.5 },
    { metric: 'comeRefused', atMost: 0 },
  ],
  measure: async (peer) => {
    const figures: Record<string, number> = {};
    for (const { key, returns } of KINDS) {
      if (returns && !peer.resumes) continue;
      const storm = await measureStorm(() => peer.start(), returns);
      const bare = await measureStorm(startBare, returns);
      Object.assign(figures, {
        [`${key}P99`]: storm.p99,
        [`${key}Bare`]: bare.p99,
        [`${key}Ratio`]: storm.p99 / bare.p99,
        [`${key}Max`]: storm.max,
        [`${key}Refused`]: storm.refused,
        [`${key}Lost`]: storm.lost,
      });
    }
    return { figures };
  },
};
