import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { costIn } from '../bare/updates.js';
import { costOf } from '../measure.js';
import { startBare, startBareNest } from '../bare/bare.js';
import { startHerald } from '../peers/herald.js';
import type { Peer, RunningPeer } from '../peers/peer.js';
import { spreadOf } from '../statistics.js';
import { SERVER_CORE, startProgram } from '../processes.js';
import { inJournalFolder } from './journal-folder.js';
import { withRedis } from './redis-server.js';
import type { Metric, Scenario } from './scenario.js';
import { openReaders, settled, startWatch, withSession } from './session.js';

const BYTES = 100;
const PUBLISHERS = [1, 32] as const;
const READERS = 2_000;
const UPDATES = { single: 20_000, batch: 100_000 };
const ROUNDS = 3;
const MICROSECONDS = 1e6;

type Start = Peer['start'];

interface Work {
  readonly publishers: number;
  readonly topics: number;
  readonly readers: number;
}

/** Server CPU for a publication, and for its delivery where each topic has a reader. Microseconds. */
export async function costOfSingles(start: Start, { publishers, topics, readers }: Work): Promise<number> {
  return withSession({ start }, async ({ server, load }) => {
    if (readers > 0) await openReaders(load, readers, topics);
    const flood = { publishers, topics, bytes: BYTES, maxEvents: UPDATES.single, maxSeconds: 20 };
    const costs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      await startWatch(load, 'count', { publishers });
      const cost = await costOf(server.pids, load.pid, async () => {
        const { events } = await load.tell('flood', flood);
        if (readers > 0) await settled(load, events);
        return events;
      });
      // The first round compiles the code.
      if (round > 0) costs.push((cost.serverCpuSeconds * MICROSECONDS) / cost.result);
    }
    return spreadOf(costs)?.median ?? NaN;
  });
}

/** Server CPU for an update in a batch without an end, with a key. Microseconds. */
async function costOfStreamed(start: () => Promise<RunningPeer>, readers: number): Promise<number> {
  return withSession({ start }, async ({ server, load }) => {
    if (readers > 0) await openReaders(load, readers, READERS);
    const costs: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      await startWatch(load, 'count');
      const cost = await costOf(server.pids, load.pid, async () => {
        await load.tell('stream', { updates: UPDATES.batch, topics: READERS, bytes: BYTES, keys: `round-${round}` });
        if (readers > 0) await settled(load, UPDATES.batch);
      });
      if (round > 0) costs.push((cost.serverCpuSeconds * MICROSECONDS) / UPDATES.batch);
    }
    return spreadOf(costs)?.median ?? NaN;
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

async function costsOfBatches(): Promise<Record<string, number>> {
  const start = (journal: string) => async (): Promise<RunningPeer> => startHerald({ HERALD_JOURNAL: journal });
  return {
    streamedMemory: await costOfStreamed(start('memory:'), 0),
    bareMemory: await costOfStreamed(startBare, 0),
    streamedDelivered: await costOfStreamed(start('memory:'), READERS),
    bareDelivered: await costOfStreamed(startBare, READERS),
    streamedLmdb: await inJournalFolder(async (folder) => costOfStreamed(start(`lmdb:${join(folder, 'log')}`), 0)),
    bareLmdb: await inJournalFolder(async (folder) => costOfBare('append-lmdb', join(folder, 'log'))),
    streamedRedis: await withRedis(async ({ port }) => costOfStreamed(start(`redis://127.0.0.1:${port}`), 0)),
    bareRedis: await withRedis(async ({ port }) => costOfBare('append-redis', String(port))),
  };
}

const BATCHES = {
  streamedMemory: 'an update in a batch without an end, with a key, memory',
  bareMemory: 'the same, bare Node',
  streamedDelivered: `an update in a batch, delivered to ${READERS.toLocaleString('en')} readers with a topic each`,
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
    'Server CPU for a publication of 100 bytes over kept connections, beside a hub in bare `node:http` that does nothing else, and the same hub in the smallest Nest application; then for an update in a batch without an end, in groups of 500 lines with an idempotency key each, 4,000 of them under way. Medians of three rounds, after one that compiles the code.',
  metrics: [
    ...SINGLES.flatMap(({ key, label }): Metric[] => [
      microseconds(key, label, true),
      microseconds(`${key}Bare`, `${label}, bare Node`, false),
      microseconds(`${key}Nest`, `${label}, smallest Nest application`, false),
      { key: `${key}Ratio`, label: `${label}, ratio to bare Node`, unit: 'ratio', compared: false },
    ]),
    ...Object.entries(BATCHES).map(([key, label]) => microseconds(key, label, false)),
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
    for (const { key, work } of SINGLES) {
      const own = await costOfSingles(() => peer.start(), work);
      const bare = await costOfSingles(startBare, work);
      const nest = await costOfSingles(startBareNest, work);
      Object.assign(figures, { [key]: own, [`${key}Bare`]: bare, [`${key}Nest`]: nest, [`${key}Ratio`]: own / bare });
    }
    return { figures: { ...figures, ...(peer.name === 'herald' && (await costsOfBatches())) } };
  },
};
