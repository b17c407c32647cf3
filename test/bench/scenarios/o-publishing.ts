import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { costIn } from '../bare/updates.js';
import { costOf } from '../measure.js';
import { startBare, startBareDuties, startBareNest } from '../bare/bare.js';
import { startHerald } from '../peers/herald.js';
import type { Peer, RunningPeer } from '../peers/peer.js';
import { SERVER_CORE, startProgram } from '../processes.js';
import { inTurns, medianOf, medianRatio, type Rounds } from './in-turns.js';
import { inJournalFolder } from './journal-folder.js';
import { withRedis } from './redis-server.js';
import type { Metric, Scenario } from './scenario.js';
import { openReaders, type Session, settled, startWatch, withSession } from './session.js';

const BYTES = 100;
const PUBLISHERS = [1, 32] as const;
const READERS = 2_000;
const UPDATES = { single: 20_000, batch: 100_000 };
const ROUNDS = 3;
/** Rounds of each server while several are measured in turns, and before those that count. */
const TURNS = { warmUp: 4, rounds: 8 };
const UPDATES_OF_TURN = { single: 5_000, batch: 50_000 };
const MICROSECONDS = 1e6;

type Start = Peer['start'];

interface Work {
  readonly publishers: number;
  readonly topics: number;
  readonly readers: number;
}

/** Server CPU for a publication, and for its delivery where each topic has a reader. Microseconds. */
export async function costOfSingles(start: Start, work: Work): Promise<number> {
  return withSession({ start }, async (session) => {
    await openReadersOf(session, work);
    const costs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const cost = await costOfFlood(session, work, UPDATES.single);
      // The first round compiles the code.
      if (round > 0) costs.push(cost);
    }
    return medianOf(costs);
  });
}

async function openReadersOf({ load }: Session, { readers, topics }: Work): Promise<void> {
  if (readers > 0) await openReaders(load, readers, topics);
}

async function costOfFlood({ server, load }: Session, work: Work, maxEvents: number): Promise<number> {
  const { publishers, topics, readers } = work;
  await startWatch(load, 'count', { publishers });
  const cost = await costOf(server.pids, load.pid, async () => {
    const { events } = await load.tell('flood', { publishers, topics, bytes: BYTES, maxEvents, maxSeconds: 20 });
    if (readers > 0) await settled(load, events);
    return events;
  });
  return (cost.serverCpuSeconds * MICROSECONDS) / cost.result;
}

/** Server CPU for an update in a batch without an end, with a key. Microseconds. */
async function costOfBatch({ server, load }: Session, readers: number, updates: number, keys: string): Promise<number> {
  await startWatch(load, 'count');
  const cost = await costOf(server.pids, load.pid, async () => {
    await load.tell('stream', { updates, topics: READERS, bytes: BYTES, keys });
    if (readers > 0) await settled(load, updates);
  });
  return (cost.serverCpuSeconds * MICROSECONDS) / updates;
}

/** The same for a server alone. */
async function costOfStreamed(start: Start): Promise<number> {
  return withSession({ start }, async (session) => {
    const costs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const cost = await costOfBatch(session, 0, UPDATES.batch, `round-${round}`);
      if (round > 0) costs.push(cost);
    }
    return medianOf(costs);
  });
}

/** What one of the smallest programs in bare Node tells of itself. */
async function costOfBare(script: string, where: string): Promise<number> {
  const path = fileURLToPath(new URL(`../bare/${script}.js`, import.meta.url));
  const { child } = startProgram(SERVER_CORE, [process.execPath, path, where, String(UPDATES.batch)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout as Readable), once(child, 'exit')]);
  return costIn(output);
}

const start = (journal: string) => async (): Promise<RunningPeer> => startHerald({ HERALD_JOURNAL: journal });

const BATCH_SERVERS = { herald: start('memory:'), duties: startBareDuties, bare: startBare };

async function batchesInTurns(readers: number): Promise<Rounds<keyof typeof BATCH_SERVERS>> {
  const prepare = async ({ load }: Session): Promise<void> => {
    if (readers > 0) await openReaders(load, readers, READERS);
  };
  return inTurns(BATCH_SERVERS, { ...TURNS, prepare }, async (session, round) =>
    costOfBatch(session, readers, UPDATES_OF_TURN.batch, `round-${round}`),
  );
}

async function costsOfBatches(): Promise<Record<string, number>> {
  const stored = await batchesInTurns(0);
  const delivered = await batchesInTurns(READERS);
  return {
    streamedMemory: medianOf(stored.herald),
    dutiesMemory: medianOf(stored.duties),
    bareMemory: medianOf(stored.bare),
    memoryRatio: medianRatio(stored.herald, stored.duties),
    streamedDelivered: medianOf(delivered.herald),
    dutiesDelivered: medianOf(delivered.duties),
    bareDelivered: medianOf(delivered.bare),
    batchDeliveredRatio: medianRatio(delivered.herald, delivered.duties),
    streamedLmdb: await inJournalFolder(async (folder) => costOfStreamed(start(`lmdb:${join(folder, 'log')}`))),
    bareLmdb: await inJournalFolder(async (folder) => costOfBare('append-lmdb', join(folder, 'log'))),
    streamedRedis: await withRedis(async ({ port }) => costOfStreamed(start(`redis://127.0.0.1:${port}`))),
    bareRedis: await withRedis(async ({ port }) => costOfBare('append-redis', String(port))),
  };
}

const BATCHES = {
  streamedMemory: 'an update in a batch without an end, with a key, memory',
  dutiesMemory: 'the same, bare Node with the duties of a hub',
  bareMemory: 'the same, bare Node',
  streamedDelivered: `an update in a batch, delivered to ${READERS.toLocaleString('en')} readers with a topic each`,
  dutiesDelivered: 'the same delivered, bare Node with the duties of a hub',
  bareDelivered: 'the same delivered, bare Node',
  streamedLmdb: 'an update in a batch without an end, with a key, LMDB',
  bareLmdb: 'storing it, its id and its key in LMDB, the smallest program',
  streamedRedis: 'an update in a batch without an end, with a key, Redis',
  bareRedis: 'storing it and its key in Redis, and reading it back, the smallest program',
} as const;

function microseconds(key: string, label: string, compared: boolean): Metric {
  return { key, label: `${label}, server CPU`, unit: 'microseconds', compared };
}

const SINGLES = [
  ...PUBLISHERS.map((publishers) => ({
    key: `single${publishers}`,
    label: `one publication, ${publishers} at once, nobody reads`,
    work: { publishers, topics: 1, readers: 0 },
    atMost: 2.5,
  })),
  {
    key: 'delivered',
    label: `one publication with its delivery, 32 at once, ${READERS.toLocaleString('en')} readers with a topic each`,
    work: { publishers: 32, topics: READERS, readers: READERS },
    atMost: 3,
  },
];

export const publishing: Scenario = {
  id: 'o',
  title: 'What a publication costs',
  explanation:
    'Server CPU for a publication of 100 bytes over kept connections, beside a hub in bare `node:http` that does nothing else, the same with the duties of a hub, and the smallest Nest application; then for an update in a batch without an end, in groups of 500 lines with an idempotency key each, 4,000 of them under way. Medians of eight rounds in turns, after four that compile the code; on LMDB and Redis of three rounds after one.',
  metrics: [
    ...SINGLES.flatMap(({ key, label }): Metric[] => [
      microseconds(key, label, true),
      microseconds(`${key}Bare`, `${label}, bare Node`, false),
      microseconds(`${key}Duties`, `${label}, bare Node with the duties of a hub`, false),
      microseconds(`${key}Nest`, `${label}, smallest Nest application`, false),
      { key: `${key}Ratio`, label: `${label}, ratio to bare Node`, unit: 'ratio', compared: false },
    ]),
    ...Object.entries(BATCHES).map(([key, label]) => microseconds(key, label, false)),
    { key: 'memoryRatio', label: 'an update in a batch, ratio to the duties', unit: 'ratio', compared: false },
    { key: 'batchDeliveredRatio', label: 'the same delivered, ratio to the duties', unit: 'ratio', compared: false },
  ],
  goals: [
    { metric: 'single32Ratio', atMost: 2.5 },
    { metric: 'deliveredRatio', atMost: 3 },
    { metric: 'streamedMemory', atMost: 9 },
    { metric: 'streamedDelivered', atMost: 18 },
    { metric: 'streamedLmdb', atMost: 18 },
    { metric: 'streamedRedis', atMost: 18 },
  ],
  measure: async (peer) => {
    const figures: Record<string, number> = {};
    const starts = { own: () => peer.start(), bare: startBare, duties: startBareDuties, nest: startBareNest };
    for (const { key, work } of SINGLES) {
      const turns = { ...TURNS, prepare: async (session: Session) => openReadersOf(session, work) };
      const costs = await inTurns(starts, turns, async (session) => costOfFlood(session, work, UPDATES_OF_TURN.single));
      figures[key] = medianOf(costs.own);
      figures[`${key}Bare`] = medianOf(costs.bare);
      figures[`${key}Duties`] = medianOf(costs.duties);
      figures[`${key}Nest`] = medianOf(costs.nest);
      figures[`${key}Ratio`] = medianRatio(costs.own, costs.bare);
    }
    return { figures: { ...figures, ...(peer.name === 'herald' && (await costsOfBatches())) } };
  },
};
