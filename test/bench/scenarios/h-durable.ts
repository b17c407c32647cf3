import { closeSync, constants, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { inJournalFolder } from './journal-folder.js';
import { type Effort, type Metric, type Scenario, othersMetric } from './scenario.js';
import { withSession } from './session.js';

const PUBLISHER_COUNTS = [1, 32, 256] as const;
const PAYLOAD_BYTES = 100;
const PAGE_BYTES = 4096;
/** An update of `PAYLOAD_BYTES` with its id, topic and times. */
const ENTRY_BYTES = 256;

/** What a flush takes longer on the slower disk: the disk of a test machine may have a cache that hides it. Milliseconds. */
const DELAY = 4;

/** Runs a program on a disk that flushes so much slower, in the program's own process. */
const SLOW_DISK = ['strace', '-D', '-f', '--seccomp-bpf', '-qqq', '-o', '/dev/null', '-e', 'trace=fdatasync'].concat([
  '-e',
  `inject=fdatasync:delay_exit=${DELAY * 1000}`,
]);

/** A disk, and how it is told in the report. */
interface Disk {
  readonly key: string;
  readonly label: string;
  readonly wrapper: readonly string[];
}

const DISKS: readonly Disk[] = [
  { key: '', label: 'this disk', wrapper: [] },
  { key: 'Slow', label: `a flush takes ${DELAY} ms longer`, wrapper: SLOW_DISK },
];

/** No disk at all: the most that the way to a journal allows. */
const MEMORY: Disk = { key: 'Memory', label: 'memory journal', wrapper: [] };

function metricsOf({ key, label }: Disk): Metric[] {
  return [
    ...PUBLISHER_COUNTS.flatMap((publishers): Metric[] => [
      {
        key: `publishes${key}${publishers}`,
        label: `publishes per second, ${publishers} at once, ${label}`,
        unit: 'per second',
        compared: false,
      },
      {
        key: `server${key}${publishers}`,
        label: `server core busy, ${publishers} at once, ${label}`,
        unit: 'percent',
        compared: false,
      },
      othersMetric(`${key}${publishers}`, `, ${publishers} at once, ${label}`),
    ]),
    {
      key: `gain${key}`,
      label: `times the rate of one sync each, 256 at once, ${label}`,
      unit: 'ratio',
      compared: false,
    },
  ];
}

/** How often a second a page can be made durable as LMDB does it: the data and its flush, then the page that refers to it. */
function syncRate(directory: string, { windowSeconds }: Effort): number {
  const path = join(directory, 'sync');
  const data = openSync(path, 'w');
  const meta = openSync(path, constants.O_WRONLY | constants.O_DSYNC);
  const page = Buffer.alloc(PAGE_BYTES, 1);
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < windowSeconds * 1000; count += 1) {
    writeSync(data, page, 0, PAGE_BYTES, PAGE_BYTES * (1 + (count % 256)));
    fdatasyncSync(data);
    writeSync(meta, page, 0, 128, 0);
  }
  const seconds = (performance.now() - begin) / 1000;
  for (const descriptor of [data, meta]) closeSync(descriptor);
  return count / seconds;
}

/** How often a second LMDB itself stores an entry in a transaction of its own, synced before the next begins. */
async function transactionRate(directory: string, { windowSeconds }: Effort): Promise<number> {
  const files = open<Buffer, number>({
    path: join(directory, 'transactions'),
    encoding: 'binary',
    overlappingSync: false,
  });
  const entry = Buffer.alloc(ENTRY_BYTES, 1);
  const begin = performance.now();
  let count = 0;
  for (; performance.now() - begin < windowSeconds * 1000; count += 1) files.putSync(count, entry);
  const seconds = (performance.now() - begin) / 1000;
  await files.close();
  return count / seconds;
}

async function measure(directory: string, effort: Effort): Promise<Record<string, number>> {
  const figures: Record<string, number> = {
    syncs: syncRate(directory, effort),
    transactions: await transactionRate(directory, effort),
  };
  for (const disk of DISKS) {
    for (const publishers of PUBLISHER_COUNTS) {
      const journal = `lmdb:${join(directory, `journal${disk.key}${publishers}`)}`;
      Object.assign(figures, await measurePublishers(journal, disk, publishers, effort));
    }
    // A publisher that is alone has a commit, and with it two syncs, for each of its updates.
    const [alone = NaN, together = NaN] = [1, 256].map((count) => figures[`publishes${disk.key}${count}`]);
    figures[`gain${disk.key}`] = together / alone;
  }
  Object.assign(figures, await measurePublishers('memory:', MEMORY, 256, effort));
  figures['gainTransactions'] = (figures['publishes256'] ?? NaN) / (figures['transactions'] ?? NaN);
  return figures;
}

async function measurePublishers(
  journal: string,
  { key, wrapper }: Disk,
  publishers: number,
  effort: Effort,
): Promise<Record<string, number>> {
  const start = () => startHerald({ HERALD_JOURNAL: journal }, wrapper);
  return withSession({ start }, async ({ server, load }) => {
    const flood = { publishers, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: Number.MAX_SAFE_INTEGER };
    await load.tell('flood', { ...flood, maxSeconds: effort.warmupSeconds });
    const cost = await costOf(server.pids, load.pid, () =>
      load.tell('flood', { ...flood, maxSeconds: effort.windowSeconds }),
    );
    return {
      [`publishes${key}${publishers}`]: cost.result.events / cost.result.seconds,
      [`server${key}${publishers}`]: (100 * cost.serverCpuSeconds) / cost.wallSeconds,
      [`others${key}${publishers}`]: cost.othersPercent,
    };
  });
}

export const durable: Scenario = {
  id: 'h',
  title: 'Publishing to an LMDB journal',
  explanation:
    'Publishers that each wait for their answer, which comes once the update of 100 bytes is on the disk; no readers. One publisher alone has a sync for each update; the gain is what sharing them brings. Beside it stand one sync each through the LMDB library alone, without a hub, one transaction after the other and, with the memory journal, what the hub reaches without a disk. Measured on this disk, and with a flush that takes 4 ms longer, as on a disk without a cache that hides it (by strace, whose own cost is in it).',
  metrics: [
    {
      key: 'transactions',
      label: 'LMDB transactions of one entry per second, no hub',
      unit: 'per second',
      compared: false,
    },
    {
      key: 'gainTransactions',
      label: 'times the rate of those transactions, 256 at once, this disk',
      unit: 'ratio',
      compared: false,
    },
    {
      key: 'publishesMemory256',
      label: 'publishes per second, 256 at once, memory journal',
      unit: 'per second',
      compared: false,
    },
    {
      key: 'serverMemory256',
      label: 'server core busy, 256 at once, memory journal',
      unit: 'percent',
      compared: false,
    },
    othersMetric('Memory256', ', 256 at once, memory journal'),
    { key: 'syncs', label: 'durable pages per second of the disk', unit: 'per second', compared: false },
    ...DISKS.flatMap(metricsOf),
  ],
  goals: [{ metric: 'gainSlow', atLeast: 20 }],
  measure: async (peer, effort) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    return inJournalFolder(async (directory) => {
      return { figures: await measure(directory, effort) };
    });
  },
};
