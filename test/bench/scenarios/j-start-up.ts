import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { startHerald } from '../peers/herald.js';
import { projectFolder } from '../peers/installed.js';
import { inJournalFolder } from './journal-folder.js';
import type { Effort, Scenario } from './scenario.js';

const FEW = 10_000;
/** Each is started so often, by turns; the medians count. */
const STARTS = 5;
const LINES_PER_PIECE = 1_000;
const EXPORT_FORMAT = 1;

/** An export of so many small updates, as `herald journal export` writes it. */
function* exportOf(entries: number): Iterable<string> {
  yield `${JSON.stringify({ journal: 'herald', format: EXPORT_FORMAT, entries })}\n`;
  const common = { storedAt: Date.now(), topics: ['https://bench.example/0'], data: 'stored', private: false };
  for (let first = 1; first <= entries; first += LINES_PER_PIECE) {
    const count = Math.min(LINES_PER_PIECE, entries - first + 1);
    const line = (position: number) => JSON.stringify({ position, id: `urn:stored:${position}`, ...common });
    yield `${Array.from({ length: count }, (_, index) => line(first + index)).join('\n')}\n`;
  }
}

async function fill(path: string, entries: number): Promise<void> {
  const script = join(projectFolder(), 'dist/server/cli.js');
  const command = spawn(process.execPath, [script, 'journal', 'import', path, '-'], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = once(command, 'exit');
  await pipeline(Readable.from(exportOf(entries)), command.stdin);
  const [status] = (await ended) as [number | null];
  if (status !== 0) throw new Error(`the journal of ${entries} entries could not be filled`);
}

/** Milliseconds from starting the process until it says that it is ready, which is asked every 50 ms. */
async function startTime(path: string, entries: number): Promise<number> {
  const begin = performance.now();
  // As much as there is must be allowed to stay, or the start would measure its removal.
  const server = await startHerald({
    HERALD_JOURNAL: `lmdb:${path}`,
    HERALD_RETAIN_EVENTS: String(2 * entries),
    HERALD_RETAIN_BYTES: '64gb',
  });
  const time = performance.now() - begin;
  await server.stop();
  return time;
}

function median(times: readonly number[]): number {
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? NaN;
}

async function measure(directory: string, { storedEntries }: Effort): Promise<Record<string, number>> {
  const [few, many] = [join(directory, 'few'), join(directory, 'many')];
  await fill(few, FEW);
  await fill(many, storedEntries);
  const times: { few: number[]; many: number[] } = { few: [], many: [] };
  for (let start = 0; start < STARTS; start += 1) {
    times.few.push(await startTime(few, FEW));
    times.many.push(await startTime(many, storedEntries));
  }
  const [timeFew, timeMany] = [median(times.few), median(times.many)];
  return { entries: storedEntries, few: timeFew, many: timeMany, ratio: timeMany / timeFew };
}

export const startUp: Scenario = {
  id: 'j',
  title: 'Start-up with a full LMDB journal',
  explanation:
    'Time from starting the process until it answers that it is ready, with 10 thousand small updates in its journal and with very many (5 million; with `--quick` 200 thousand); the median of five starts each, by turns. Readiness is asked for every 50 ms. The files were filled by `herald journal import` just before, so they are in the memory of the system.',
  metrics: [
    { key: 'few', label: 'until ready, 10,000 entries', unit: 'milliseconds', compared: false },
    { key: 'many', label: 'until ready, very many entries', unit: 'milliseconds', compared: false },
    { key: 'entries', label: 'entries that are very many', unit: 'count', compared: false },
    { key: 'ratio', label: 'very many to 10,000', unit: 'ratio', compared: false },
  ],
  goals: [],
  measure: async (peer, effort) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    return inJournalFolder(async (directory) => {
      return { figures: await measure(directory, effort) };
    });
  },
};
