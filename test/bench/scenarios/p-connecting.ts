import { setTimeout as delay } from 'node:timers/promises';
import { costOf } from '../measure.js';
import { startBare, startBareDuties, startBareNest, startNestDuties } from '../bare/bare.js';
import type { DurationFindings } from '../load/commands.js';
import type { Peer } from '../peers/peer.js';
import { inTurns, medianOf, medianRatio } from './in-turns.js';
import type { Metric, Scenario } from './scenario.js';
import { type Session, startWatch, withSession } from './session.js';

export const STREAMS = 1_000;
/** How often so many come; the last five times count as warm. */
const ROUNDS = 15;
const WARM = 5;
const AT_ONCE = 50;
const REST = 700;
const FIRST = { publishers: 8, topics: 1, bytes: 100, maxEvents: 1_000, maxSeconds: 10 };

interface First {
  /** Microseconds of server CPU for each. */
  readonly cost: number;
  /** How long they waited. */
  readonly waits: DurationFindings;
}

async function firstPublications(start: Peer['start']): Promise<First> {
  return withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count', { publishers: FIRST.publishers });
    const cost = await costOf(server.pids, load.pid, async () => load.tell('flood', FIRST));
    const waits = await load.tell('durations', null);
    return { cost: (cost.serverCpuSeconds * 1e6) / cost.result.events, waits };
  });
}

/** Server CPU for each of the first 1,000 streams of a fresh server, of the next 1,000, and so on. Microseconds. */
export async function costsOfStreams(start: Peer['start']): Promise<number[]> {
  return withSession({ start }, async (session) => {
    const costs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) costs.push(await costOfStream(session));
    return costs;
  });
}

/** 1,000 streams come, and go again. */
async function costOfStream({ server, load }: Session): Promise<number> {
  await startWatch(load, 'count');
  const open = { readers: STREAMS, topics: STREAMS, atOnce: AT_ONCE };
  const cost = await costOf(server.pids, load.pid, async () => load.tell('open', open));
  await load.tell('close', null);
  await delay(REST);
  return (cost.serverCpuSeconds * 1e6) / STREAMS;
}

const KINDS = [
  { key: 'cold', label: 'one of the first 1,000 streams' },
  { key: 'warm', label: 'a stream, after 10,000 others' },
  { key: 'publishing', label: 'one of the first 1,000 publications' },
] as const;

const BESIDE = [
  { name: 'bare', suffix: 'Bare' },
  { name: 'duties', suffix: 'Duties' },
  { name: 'nest', suffix: 'Nest' },
  { name: 'both', suffix: 'Both' },
] as const;

const WAITS = [
  { key: 'coldP50', label: 'p50 until one of the first 1,000 streams has begun, 50 at once' },
  { key: 'coldP99', label: 'p99 until one of the first 1,000 streams has begun, 50 at once' },
  { key: 'publishingP50', label: `p50 of the first 1,000 publications, ${FIRST.publishers} at once` },
  { key: 'publishingP99', label: `p99 of the first 1,000 publications, ${FIRST.publishers} at once` },
] as const;

type Servers = Readonly<Record<'own' | (typeof BESIDE)[number]['name'], Peer['start']>>;

/** All servers, one after the other, from their first stream on. */
async function measureStreams(servers: Servers): Promise<Record<string, number>> {
  const waits: Partial<Record<keyof Servers, DurationFindings>> = {};
  const costs = await inTurns(servers, { warmUp: 0, rounds: ROUNDS }, async (session, round, name) => {
    const cost = await costOfStream(session);
    if (round === 0) waits[name] = await session.load.tell('durations', null);
    return cost;
  });
  const warm = (name: keyof Servers): readonly number[] => costs[name].slice(-WARM);
  const cold = (name: keyof Servers): number => costs[name][0] ?? NaN;
  return {
    cold: cold('own'),
    coldRatio: cold('own') / cold('bare'),
    coldBothRatio: cold('both') / cold('bare'),
    warm: medianOf(warm('own')),
    warmRatio: medianRatio(warm('own'), warm('bare')),
    warmBothRatio: medianRatio(warm('both'), warm('bare')),
    ...Object.fromEntries(BESIDE.map(({ name, suffix }) => [`cold${suffix}`, cold(name)])),
    ...Object.fromEntries(BESIDE.map(({ name, suffix }) => [`warm${suffix}`, medianOf(warm(name))])),
    ...waitsOf('cold', waits.own, waits.bare),
  };
}

async function measurePublications(servers: Servers): Promise<Record<string, number>> {
  const own = await firstPublications(servers.own);
  const others: [string, First][] = [];
  for (const { name, suffix } of BESIDE) others.push([suffix, await firstPublications(servers[name])]);
  const { Bare: bare, Both: both } = Object.fromEntries(others);
  return {
    publishing: own.cost,
    publishingRatio: own.cost / (bare?.cost ?? NaN),
    publishingBothRatio: (both?.cost ?? NaN) / (bare?.cost ?? NaN),
    ...Object.fromEntries(others.map(([suffix, { cost }]) => [`publishing${suffix}`, cost])),
    ...waitsOf('publishing', own.waits, bare?.waits),
  };
}

function waitsOf(
  what: string,
  own: DurationFindings | undefined,
  bare: DurationFindings | undefined,
): Record<string, number> {
  return {
    [`${what}P50`]: own?.p50 ?? NaN,
    [`${what}P99`]: own?.p99 ?? NaN,
    [`${what}P50Bare`]: bare?.p50 ?? NaN,
    [`${what}P99Bare`]: bare?.p99 ?? NaN,
  };
}

function microseconds(key: string, label: string, compared: boolean): Metric {
  return { key, label: `${label}, server CPU`, unit: 'microseconds', compared };
}

export const connecting: Scenario = {
  id: 'p',
  title: 'What a stream costs to begin',
  explanation:
    '1,000 streams with a topic each are opened over new connections, 50 at a time, fifteen times, and closed in between: server CPU until each has the first block of its stream. In turns with it a bare `node:http` server that answers the same head and block, one that has the duties of a hub, the smallest Nest application, and one with these duties. The first 1,000 publications are those of another fresh server.',
  metrics: [
    ...KINDS.flatMap(({ key, label }): Metric[] => [
      microseconds(key, label, true),
      microseconds(`${key}Bare`, `${label}, bare Node`, false),
      microseconds(`${key}Duties`, `${label}, bare Node with the duties of a hub`, false),
      microseconds(`${key}Nest`, `${label}, smallest Nest application`, false),
      microseconds(`${key}Both`, `${label}, smallest Nest application with the duties of a hub`, false),
      { key: `${key}Ratio`, label: `${label}, ratio to bare Node`, unit: 'ratio', compared: false },
      { key: `${key}BothRatio`, label: `${label}, ratio of Nest with the duties`, unit: 'ratio', compared: false },
    ]),
    ...WAITS.flatMap(({ key, label }): Metric[] => [
      { key, label, unit: 'milliseconds', compared: true },
      { key: `${key}Bare`, label: `${label}, bare Node`, unit: 'milliseconds', compared: false },
    ]),
  ],
  goals: [
    { metric: 'coldRatio', atMost: 1.6 },
    { metric: 'warmRatio', atMost: 1.6 },
  ],
  measure: async (peer) => {
    const servers = {
      own: () => peer.start(),
      bare: startBare,
      duties: startBareDuties,
      nest: startBareNest,
      both: startNestDuties,
    };
    return { figures: { ...(await measureStreams(servers)), ...(await measurePublications(servers)) } };
  },
};
