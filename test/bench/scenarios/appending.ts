import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { inJournalFolder } from './journal-folder.js';
import { withRedis } from './redis-server.js';
import { PAYLOAD_BYTES } from './returning.js';
import type { Effort, Metric } from './scenario.js';
import { startWatch, withSession } from './session.js';

const UPDATES = 100_000;
const TOPICS = 2_000;
/** Numbers of topics over which as many updates are spread, when memory is looked at. */
const SPREADS = [1, 2_000, 100_000] as const;
const NOTE_MILLISECONDS = 20_000;

export const appendingMetrics: readonly Metric[] = [
  ...(['memory', 'LMDB', 'Redis'] as const).map((label): Metric => ({
    key: `append${label}`,
    label: `server CPU to append an update, ${label}`,
    unit: 'microseconds',
    compared: false,
  })),
  ...SPREADS.flatMap((topics): Metric[] => {
    const among = `${topics.toLocaleString('en')} ${topics === 1 ? 'topic' : 'topics'}`;
    return [
      { key: `heap${topics}`, label: `heap for each update, ${among}`, unit: 'kibibytes', compared: false },
      {
        key: `resident${topics}`,
        label: `resident memory for each update, ${among}`,
        unit: 'kibibytes',
        compared: false,
      },
    ];
  }),
  { key: 'heapTopic', label: 'heap that each topic adds', unit: 'kibibytes', compared: false },
];

/** Server CPU for an update in batches of 500 to 2,000 topics, and memory for each update held. */
export async function measureAppending({ returningPart }: Effort): Promise<Record<string, number>> {
  const updates = UPDATES * returningPart;
  const lmdb = await inJournalFolder(async (folder) => appendCost(`lmdb:${join(folder, 'log')}`, updates));
  const redis = await withRedis(async ({ port }) => appendCost(`redis://127.0.0.1:${port}`, updates));
  const figures: Record<string, number> = {
    appendmemory: await appendCost('memory:', updates),
    appendLMDB: lmdb,
    appendRedis: redis,
  };
  const heaps: number[] = [];
  for (const topics of SPREADS) {
    const used = await memoryOf(updates, Math.min(topics, updates));
    figures[`heap${topics}`] = used.heap / updates / 1024;
    figures[`resident${topics}`] = used.resident / updates / 1024;
    heaps.push(used.heap);
  }
  const [one = NaN, , each = NaN] = heaps;
  figures['heapTopic'] = (each - one) / updates / 1024;
  return figures;
}

/** Microseconds, once the log is full: letting go of old updates is part of it. */
async function appendCost(journal: string, updates: number): Promise<number> {
  const start = async () => startHerald({ HERALD_JOURNAL: journal, HERALD_RETAIN_EVENTS: String(updates) });
  return withSession({ start }, async ({ server, load }) => {
    await startWatch(load, 'count');
    const fill = { firstTopic: 0, topics: TOPICS, rounds: updates / TOPICS, firstNumber: 0, bytes: PAYLOAD_BYTES };
    await load.tell('fill', fill);
    await load.tell('fill', fill);
    const cost = await costOf(server.pids, load.pid, async () => load.tell('fill', fill));
    return (cost.serverCpuSeconds * 1e6) / cost.result.events;
  });
}

interface Memory {
  /** The heap and what lies outside of it. */
  readonly heap: number;
  readonly resident: number;
}

/** What so many updates take in the memory engine, with next to none kept encoded, after forced collections. Bytes. */
async function memoryOf(updates: number, topics: number): Promise<Memory> {
  return inJournalFolder(async (folder) => {
    const file = join(folder, 'memory');
    const start = async () =>
      startHerald({
        HERALD_RETAIN_EVENTS: String(2 * updates),
        HERALD_RETAIN_BYTES: '4gb',
        HERALD_RECENT_BYTES: '64kb',
        NODE_OPTIONS: `--import ${new URL('../memory-note.js', import.meta.url).href}`,
        BENCH_MEMORY: file,
      });
    return withSession({ start }, async ({ server, load }) => {
      const [pid = 0] = server.pids;
      await startWatch(load, 'count');
      const fill = { firstTopic: 0, firstNumber: 0, bytes: PAYLOAD_BYTES };
      // Code is compiled before, and its memory does not count.
      await load.tell('fill', { ...fill, topics: 1, rounds: updates / 10 });
      const before = await noteOf(pid, file);
      await load.tell('fill', { ...fill, topics, rounds: updates / topics });
      const after = await noteOf(pid, file);
      return { heap: after.heap - before.heap, resident: after.resident - before.resident };
    });
  });
}

/** Asks `memory-note.ts`. */
async function noteOf(pid: number, file: string): Promise<Memory> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const end = performance.now() + NOTE_MILLISECONDS;
  while (!existsSync(file)) {
    if (performance.now() > end) throw new Error('the server did not tell its memory');
    await delay(50);
  }
  const note = JSON.parse(readFileSync(file, 'utf8')) as Record<'heapUsed' | 'external' | 'rss', number>;
  return { heap: note.heapUsed + note.external, resident: note.rss };
}
