import { join } from 'node:path';
import { startHerald } from '../peers/herald.js';
import type { Peer } from '../peers/peer.js';
import { measureAppending, appendingMetrics } from './appending.js';
import { inJournalFolder } from './journal-folder.js';
import { withRedis } from './redis-server.js';
import { measureReturning, type ReturnCost, type Returning } from './returning.js';
import { type Effort, type Goal, type Metric, type Scenario, othersMetric } from './scenario.js';

/** Updates that are missed together, however many readers share them, and updates that are held in all. */
const MISSED_TOGETHER = 100_000;
const HELD = 1_000_000;

/** More than any of the measurements holds. */
export const ROOM = {
  HERALD_RETAIN_EVENTS: '3000000',
  HERALD_RETAIN_BYTES: '8gb',
  NODE_OPTIONS: '--max-old-space-size=8192',
};

interface Engine {
  readonly key: 'memory' | 'lmdb' | 'redis';
  readonly label: string;
  readonly readers: number;
  /** Milliseconds of server CPU beyond connecting. */
  readonly goal: number;
}

const ENGINES: readonly Engine[] = [
  { key: 'memory', label: 'memory', readers: 2_000, goal: 400 },
  { key: 'lmdb', label: 'LMDB', readers: 1_000, goal: 1_500 },
  { key: 'redis', label: 'Redis', readers: 1_000, goal: 2_000 },
];

const GROWTH = 1.3;

function metricsOf({ key, label }: Engine): Metric[] {
  const metric = (name: string, text: string, unit: Metric['unit'] = 'milliseconds'): Metric => {
    return { key: `${key}${name}`, label: `${text}, ${label}`, unit, compared: key === 'memory' && name === 'Warm' };
  };
  return [
    metric('Warm', 'server CPU beyond connecting'),
    metric('Cold', '— the first time'),
    metric('Connecting', '— of connecting'),
    ...(key === 'redis' ? [metric('Companion', '— of Redis itself, in all')] : []),
    metric('HeldWarm', 'server CPU beyond connecting, 1,000,000 held'),
    metric('HeldCold', '— the first time, 1,000,000 held'),
    metric('Growth', '1,000,000 held to 100,000', 'ratio'),
    metric('Lost', 'events not delivered within 120 seconds', 'count'),
    metric('Violations', 'events lost, doubled or out of order', 'count'),
    { ...metric('', 'load core busy', 'percent'), key: `load${key}` },
    othersMetric(key, `, ${label}`),
  ];
}

function goalsOf({ key, goal }: Engine): Goal[] {
  return [
    { metric: `${key}Warm`, atMost: goal },
    { metric: `${key}Growth`, atMost: GROWTH },
    { metric: `${key}Lost`, atMost: 0 },
    { metric: `${key}Violations`, atMost: 0 },
  ];
}

function figuresOf(key: Engine['key'], cost: ReturnCost, held?: ReturnCost): Record<string, number> {
  const costs = held ? [cost, held] : [cost];
  const greatest = (part: keyof ReturnCost): number => Math.max(...costs.map((one) => one[part]));
  return {
    [`${key}Warm`]: cost.warm,
    [`${key}Cold`]: cost.cold,
    [`${key}Connecting`]: cost.connecting,
    ...(key === 'redis' ? { [`${key}Companion`]: cost.companion } : {}),
    ...(held
      ? {
          [`${key}HeldWarm`]: held.warm,
          [`${key}HeldCold`]: held.cold,
          // Where time has run out, neither cost is whole.
          ...(greatest('lost') === 0 ? { [`${key}Growth`]: held.warm / cost.warm } : {}),
        }
      : {}),
    [`${key}Lost`]: greatest('lost'),
    [`${key}Violations`]: greatest('violations'),
    [`load${key}`]: greatest('loadPercent'),
    [`others${key}`]: greatest('othersPercent'),
  };
}

interface Start extends Pick<Peer, 'start'> {
  readonly companions?: readonly number[];
}

/** Measures one engine of Herald's; each measurement begins with an empty journal. */
async function measureEngine(
  engine: Engine,
  effort: Effort,
  withStart: (act: (start: Start) => Promise<ReturnCost>) => Promise<ReturnCost>,
): Promise<Record<string, number>> {
  const returning = returningTo(engine, effort);
  const earlier = HELD * effort.returningPart - returning.missed * returning.readers;
  const measure = async (what: Returning): Promise<ReturnCost> =>
    withStart(async (start) => measureReturning(start, what, start.companions));
  return figuresOf(engine.key, await measure(returning), await measure({ ...returning, earlier }));
}

function returningTo({ readers }: Engine, { returningPart }: Effort): Returning {
  return { readers: readers * returningPart, missed: MISSED_TOGETHER / readers };
}

const SMALL_RECENT = { HERALD_RECENT_BYTES: '4mb' };

async function withLmdb<T>(act: (start: Start) => Promise<T>): Promise<T> {
  return inJournalFolder(async (folder) => {
    const environment = { ...ROOM, ...SMALL_RECENT, HERALD_JOURNAL: `lmdb:${join(folder, 'log')}` };
    return act({ start: async () => startHerald(environment) });
  });
}

async function withRedisJournal<T>(act: (start: Start) => Promise<T>): Promise<T> {
  return withRedis(async ({ port, pid }) => {
    const environment = { ...ROOM, ...SMALL_RECENT, HERALD_JOURNAL: `redis://127.0.0.1:${port}` };
    return act({ start: async () => startHerald(environment), companions: [pid] });
  });
}

async function measureHerald(effort: Effort): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const add = (more: Readonly<Record<string, number>>): unknown => Object.assign(figures, more);
  for (const engine of ENGINES) {
    if (engine.key === 'memory')
      add(await measureEngine(engine, effort, (act) => act({ start: () => startHerald(ROOM) })));
    if (engine.key === 'lmdb') add(await measureEngine(engine, effort, withLmdb));
    if (engine.key === 'redis') add(await measureEngine(engine, effort, withRedisJournal));
  }
  add(await measureAppending(effort));
  return figures;
}

async function measureNchan(peer: Peer, effort: Effort): Promise<Record<string, number>> {
  const [memory] = ENGINES;
  return memory ? figuresOf('memory', await measureReturning(peer, returningTo(memory, effort))) : {};
}

export const ownTopics: Scenario = {
  id: 'm',
  title: 'A topic for each user',
  explanation:
    'Readers with a topic each come back at once, and have missed 100,000 updates of 100 bytes together, which were published to their topics in turns: 2,000 readers with 50 each from the memory journal, and 1,000 with 100 each from LMDB and Redis with `HERALD_RECENT_BYTES=4mb`. Then with 900,000 more to the same topics from before, which each has got already. All of the server’s CPU counts from the first connection to the last event, less what as many connections cost that have missed nothing. The first time V8 has yet to compile what replays; the other figure is the median of the third to the fifth time. Each reader checks that it gets what it missed, once and in order. An update is appended to a log that is full, of 100,000, in batches of 500 to 2,000 topics. Memory is the heap with what lies outside of it, and resident memory, after a forced collection, with `HERALD_RECENT_BYTES=64kb`. With `--quick` a tenth of the readers and updates.',
  metrics: [...ENGINES.flatMap(metricsOf), ...appendingMetrics],
  goals: ENGINES.flatMap(goalsOf),
  measure: async (peer, effort) => {
    if (peer.name === 'herald') return { figures: await measureHerald(effort) };
    return peer.resumes ? { figures: await measureNchan(peer, effort) } : { none: 'not offered' };
  },
};
