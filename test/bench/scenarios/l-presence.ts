import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../load/load-process.js';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { subscriberToken } from '../peers/target-herald.js';
import type { Scenario } from './scenario.js';
import { openReaders, settled, startWatch } from './session.js';

const READERS = 10_000;
const SECONDS = 10;
const UPDATES = 1_000;

/** After the last reader has gone, until everybody is told gone. */
const REST = 3_000;

/** Milliseconds between two notes of `longest-turn.ts`. */
const NOTED = 100;

/** How often everybody is listed. */
const LISTS = 10;

interface Crowd {
  /** Milliseconds of CPU for each 1,000 readers. */
  readonly cpu: number;
  /** Updates that a reader no longer gets that resumes from before. */
  readonly evicted: number;
}

/** Readers with a token come and go, a tenth of them in each second. */
async function measureCrowd(isTold: boolean): Promise<Crowd> {
  const server = await startHerald({
    HERALD_SUBSCRIPTIONS: String(isTold),
    HERALD_SUBSCRIPTIONS_GRACE: '0',
    LOG_LEVEL: 'error',
  });
  const { port } = server.target;
  const authorization = `Bearer ${subscriberToken(port)}`;
  const load = await LoadProcess.start({ ...server.target, subscribeHeaders: { Authorization: authorization } });
  try {
    await load.tell('watch', { watch: 'count', readers: 0, publishers: 1, ignoreEvery: 0 });
    const id = await load.tell('mark', { bytes: 100 });
    await load.tell('flood', { publishers: 1, topics: 1, bytes: 100, maxEvents: UPDATES, maxSeconds: 10 });
    const crowd = await costOf(server.pids, load.pid, async () => {
      for (let second = 0; second < SECONDS; second += 1) {
        const begin = performance.now();
        await openReaders(load, READERS / SECONDS, READERS);
        await load.tell('close', null);
        await delay(Math.max(0, 1_000 - (performance.now() - begin)));
      }
      await delay(REST);
    });
    await startWatch(load, 'count');
    await load.tell('open', { readers: 1, topics: 1, atOnce: 1, lastEventId: id });
    const received = await settled(load, UPDATES);
    const cpu = (crowd.serverCpuSeconds * 1e6) / READERS;
    return { cpu, evicted: UPDATES - received };
  } finally {
    await load.stop();
    await server.stop();
  }
}

/** Lists 10,000 who are there, page by page. */
async function measureList(): Promise<{ longestTurn: number; listed: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'herald-turns-'));
  const file = join(directory, 'turns');
  const server = await startHerald({
    HERALD_SUBSCRIPTIONS: 'true',
    LOG_LEVEL: 'error',
    NODE_OPTIONS: `--import ${new URL('../longest-turn.js', import.meta.url).href}`,
    BENCH_TURNS: file,
  });
  const { port } = server.target;
  const authorization = `Bearer ${subscriberToken(port)}`;
  const load = await LoadProcess.start({ ...server.target, subscribeHeaders: { Authorization: authorization } });
  try {
    await startWatch(load, 'count');
    await openReaders(load, READERS, READERS);
    // The first one compiles the code.
    await list(port, authorization);
    await delay(REST);
    const begin = Date.now();
    let listed = 0;
    for (let times = 0; times < LISTS; times += 1) listed = await list(port, authorization);
    return { longestTurn: await longestTurn(file, begin), listed };
  } finally {
    await load.stop();
    await server.stop();
    await rm(directory, { recursive: true });
  }
}

async function list(port: number, authorization: string): Promise<number> {
  let listed = 0;
  let path: string | undefined = '/.well-known/mercure/subscriptions';
  while (path !== undefined) {
    const response: Response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization } });
    const { subscriptions } = (await response.json()) as { subscriptions: unknown[] };
    listed += subscriptions.length;
    path = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '')?.[1];
  }
  return listed;
}

/** The longest turn of the event loop since `begin`, as `longest-turn.ts` has noted it. Milliseconds. */
async function longestTurn(file: string, begin: number): Promise<number> {
  await delay(2 * NOTED);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const turns = lines.map((line) => line.split(' ').map(Number));
  return Math.max(...turns.flatMap(([time = 0, turn = 0]) => (time > begin ? turn : [])));
}

export const presence: Scenario = {
  id: 'l',
  title: 'A crowd that comes and goes while the hub tells who is subscribed',
  explanation:
    '10,000 readers with a token come and go within 10 seconds, without a grace period, and everybody is told come and gone; the same with `HERALD_SUBSCRIPTIONS` off. Then how many of 1,000 updates from before are gone, and how long the longest turn of the event loop was while 10,000 who are subscribed were listed page by page, ten times.',
  metrics: [
    { key: 'cpuOff', label: 'server CPU per 1,000 readers, not told', unit: 'milliseconds', compared: false },
    { key: 'cpu', label: 'server CPU per 1,000 readers, told', unit: 'milliseconds', compared: false },
    { key: 'ratio', label: 'told to not told', unit: 'ratio', compared: false },
    { key: 'evicted', label: 'updates evicted', unit: 'count', compared: false },
    { key: 'listed', label: 'subscriptions listed', unit: 'count', compared: false },
    { key: 'longestTurn', label: 'longest turn while listing', unit: 'milliseconds', compared: false },
  ],
  goals: [
    { metric: 'ratio', atMost: 3 },
    { metric: 'evicted', atMost: 0 },
    { metric: 'longestTurn', atMost: 20 },
  ],
  measure: async (peer) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    const off = await measureCrowd(false);
    const { cpu, evicted } = await measureCrowd(true);
    return { figures: { cpuOff: off.cpu, cpu, ratio: cpu / off.cpu, evicted, ...(await measureList()) } };
  },
};
