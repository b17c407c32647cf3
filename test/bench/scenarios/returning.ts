import { setTimeout as delay } from 'node:timers/promises';
import { type Cost, costOf, cpuSeconds } from '../measure.js';
import type { Peer } from '../peers/peer.js';
import { say } from '../say.js';
import { spreadOf } from '../statistics.js';
import { type Session, startWatch, withSession } from './session.js';

export const PAYLOAD_BYTES = 100;

/**
 * How often those that have missed nothing come back first: often enough for so many connections, but within bounds. V8 has
 * compiled by then what connects.
 */
const CONTROL_CONNECTIONS = 6_000;
const CONTROL_ROUNDS = { least: 3, most: 12 };
/** How often all come back once that has been compiled which replays. */
const WARM_ROUNDS = 3;
const COLD_ROUNDS = 2;
/** No further round is begun after so long. */
const ROUNDS_SECONDS = 40;
const SETTLE_SECONDS = 120;
/** How often it is looked whether the server has hung up. */
const LOOK_SECONDS = 2;
/** A machine that is busy otherwise makes a hub so late that it refuses streams. Such a round is tried again. */
const TRIES = 5;
const REST_SECONDS = 4;
/** Ids of nchan are seconds: what is published in the same second as an id counts as known. */
const SECOND = 1_100;
/** Updates of other topics come in so many parts between those of the readers' topics. */
const PARTS = 50;

/** What the readers come back to. */
export interface Returning {
  /** Each has a topic for itself. */
  readonly readers: number;
  /** Updates that each has missed. */
  readonly missed: number;
  /** Updates to the same topics from before, which are held and which all have got. */
  readonly earlier?: number;
  /** Updates that came meanwhile to topics that none of the readers wants, and how many topics these are. */
  readonly others?: { readonly updates: number; readonly topics: number };
}

/** What coming back costs beyond connecting, in milliseconds of CPU. */
export interface ReturnCost {
  /** As many connections that have missed nothing. */
  readonly connecting: number;
  /** The first time that anybody comes back. */
  readonly cold: number;
  /** The median of some later times. */
  readonly warm: number;
  /** Of a companion, which is a store in another process. */
  readonly companion: number;
  readonly lost: number;
  readonly violations: number;
  /** How much other programs took of a core at most. */
  readonly othersPercent: number;
  /** How much of its core the load generator was busy at most. */
  readonly loadPercent: number;
}

interface Round extends Cost {
  readonly received: number;
  /** Streams that the server has ended. */
  readonly ended: number;
  readonly violations: number;
  readonly companionSeconds: number;
}

/** Has readers come back again and again, to a fresh server. */
export async function measureReturning(
  peer: Pick<Peer, 'start'>,
  returning: Returning,
  companions: readonly number[] = [],
): Promise<ReturnCost> {
  return withSession(peer, async (session) => {
    const { load } = session;
    const { readers, missed, earlier = 0 } = returning;
    const markTopic = readers;
    await startWatch(load, 'count');
    const filling = { firstTopic: 0, topics: readers, firstNumber: 0, bytes: PAYLOAD_BYTES };
    if (earlier > 0) await load.tell('fill', { ...filling, rounds: Math.ceil(earlier / readers) });
    const before = await load.tell('mark', { bytes: PAYLOAD_BYTES, topic: markTopic });
    await delay(SECOND);
    await publishMissed(session, returning);
    await delay(SECOND);
    const after = await load.tell('mark', { bytes: PAYLOAD_BYTES, topic: markTopic });

    const comeBack = async (lastEventId: string, events: number) =>
      reconnect(session, { readers, lastEventId, events }, companions);
    const { least, most } = CONTROL_ROUNDS;
    const controlRounds = Math.min(most, Math.max(least, CONTROL_CONNECTIONS / readers));
    for (let round = 0; round < controlRounds; round += 1) await comeBack(after, 0);
    const controls = [await comeBack(after, 0)];
    const returns: Round[] = [];
    const end = performance.now() + ROUNDS_SECONDS * 1000;
    while (returns.length < COLD_ROUNDS + WARM_ROUNDS && (returns.length === 0 || performance.now() < end)) {
      returns.push(await comeBack(before, readers * missed));
      controls.push(await comeBack(after, 0));
    }
    return summarize(returns, controls, readers * missed);
  });
}

async function publishMissed({ load }: Session, { readers, missed, others }: Returning): Promise<void> {
  const parts = others ? Math.min(PARTS, missed) : 1;
  const bytes = PAYLOAD_BYTES;
  for (let part = 0; part < parts; part += 1) {
    if (others) {
      const rounds = Math.ceil(others.updates / others.topics / parts);
      await load.tell('fill', { firstTopic: readers + 1, topics: others.topics, rounds, firstNumber: 0, bytes });
    }
    const firstNumber = Math.floor((part * missed) / parts);
    const rounds = Math.floor(((part + 1) * missed) / parts) - firstNumber;
    await load.tell('fill', { firstTopic: 0, topics: readers, rounds, firstNumber, bytes });
  }
}

interface Reconnection {
  readonly readers: number;
  readonly lastEventId: string;
  readonly events: number;
}

async function reconnect(session: Session, reconnection: Reconnection, companions: readonly number[]): Promise<Round> {
  for (let tries = 1; ; tries += 1) {
    const round = await reconnectOnce(session, reconnection, companions);
    if (round.ended === 0) return round;
    if (tries === TRIES) throw new Error(`${round.ended} of ${reconnection.readers} streams were ended by the server`);
    say(`!!! ${round.ended} of ${reconnection.readers} streams were ended by the server: trying again`);
    await delay(REST_SECONDS * 1000);
  }
}

async function reconnectOnce(
  { server, load }: Session,
  { readers, lastEventId, events }: Reconnection,
  companions: readonly number[],
): Promise<Round> {
  await startWatch(load, 'order', { readers });
  const companionBefore = cpuSeconds(companions);
  const work = async () => {
    await load.tell('open', { readers, topics: readers, atOnce: readers, lastEventId });
    const end = performance.now() + SETTLE_SECONDS * 1000;
    let settled = await load.tell('settle', { events, maxSeconds: LOOK_SECONDS });
    while (settled.received < events && settled.ended === 0 && performance.now() < end) {
      settled = await load.tell('settle', { events, maxSeconds: LOOK_SECONDS });
    }
    return settled;
  };
  const cost = await costOf(server.pids, load.pid, work, companions);
  const companionSeconds = cpuSeconds(companions) - companionBefore;
  const { violations } = await load.tell('order', null);
  await load.tell('close', null);
  // The server notices that they have gone before they come back.
  await delay(200);
  const { received, ended } = cost.result;
  return { ...cost, received, ended, violations, companionSeconds };
}

function summarize(returns: readonly Round[], controls: readonly Round[], events: number): ReturnCost {
  const connecting = medianOf(controls.map(({ serverCpuSeconds }) => serverCpuSeconds));
  const beyond = returns.map(({ serverCpuSeconds }) => 1000 * (serverCpuSeconds - connecting));
  const warm = returns.length > COLD_ROUNDS ? COLD_ROUNDS : returns.length - 1;
  const all = [...returns, ...controls];
  return {
    connecting: 1000 * connecting,
    cold: beyond[0] ?? NaN,
    warm: medianOf(beyond.slice(warm)),
    companion: 1000 * medianOf(returns.slice(warm).map(({ companionSeconds }) => companionSeconds)),
    lost: Math.max(...returns.map(({ received }) => events - received)),
    violations: Math.max(...all.map(({ violations }) => violations)),
    othersPercent: Math.max(...all.map(({ othersPercent }) => othersPercent)),
    loadPercent: Math.max(...returns.map(({ loadCpuSeconds, wallSeconds }) => (100 * loadCpuSeconds) / wallSeconds)),
  };
}

function medianOf(values: readonly number[]): number {
  return spreadOf(values)?.median ?? NaN;
}
