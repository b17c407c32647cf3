import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { costOf } from '../measure.js';
import { startHerald } from '../peers/herald.js';
import { projectFolder } from '../peers/installed.js';
import { SERVER_CORE, canPin } from '../processes.js';
import { withRedis } from './redis-server.js';
import { type Effort, type Scenario, othersMetric } from './scenario.js';
import { openReaders, settled, startWatch, withSession } from './session.js';

const PUBLISHERS = 256;
const BATCH = 100;
const BATCH_PUBLISHERS = 16;
const READERS = 100;
const EVENTS_PER_SECOND = 50;
const PAYLOAD_BYTES = 100;
/** So few that every log is full when it is measured: letting go of old entries is part of the work. */
const RETAINED = 10_000;
const CALLS_PER_SECOND_OF_WINDOW = 5_000;
const PROGRAMS = ['redis-server', 'redis-benchmark'] as const;

const run = promisify(execFile);

/** How often a second redis-benchmark gets the script done that Herald appends with, one update a call. */
async function scriptRate(port: number, { windowSeconds }: Effort): Promise<number> {
  const path = join(projectFolder(), 'dist/server/storage/journal/redis/redis-script.js');
  const { APPEND } = (await import(pathToFileURL(path).href)) as { readonly APPEND: string };
  const client = new Redis(port, '127.0.0.1');
  const sha = String(await client.script('LOAD', APPEND));
  await client.quit();

  // A number of its own for each call: a writer that sends the same batch again gets its earlier answer.
  const any = '__rand_int__';
  const names = ['meta', 'log', 'ids', 'keys', 'presence', 'presence-keys', 'removals', 'followers', `writer:${any}`];
  const keys = names.map((name) => `{bench}:${name}`);
  const retention = [String(RETAINED), String(64 * 1024 ** 2), String(24 * 60 * 60 * 1000)];
  const common = ['0123456789abcdef', '', ...retention, ...retention];
  const content = JSON.stringify({
    topics: ['https://bench.example/0'],
    data: 'x'.repeat(PAYLOAD_BYTES),
    private: false,
  });
  const id = `urn:uuid:00000000-0000-0000-0000-${any}`;
  const call = ['EVALSHA', sha, String(keys.length), ...keys, ...common, '1', '1', '', id, content, '', '', id];
  const options = ['-p', String(port), '-c', String(PUBLISHERS), '-P', '1', '-r', '999999999999', '--csv'];
  const pinned = canPin ? ['taskset', '--cpu-list', String(SERVER_CORE)] : [];
  const rateOf = async (calls: number): Promise<number> => {
    const [program = '', ...rest] = [...pinned, 'redis-benchmark', ...options, '-n', String(calls), ...call];
    const { stdout } = await run(program, rest, { timeout: 120_000, maxBuffer: 8 * 1024 ** 2 });
    return readRate(stdout);
  };
  await rateOf(RETAINED);
  return rateOf(windowSeconds * CALLS_PER_SECOND_OF_WINDOW);
}

function readRate(stdout: string): number {
  // The last row is the call, whose quotes are not escaped, and numbers: calls per second, then times.
  const rate = Number(/"([\d.]+)"(?:,"[\d.]+")*\s*$/.exec(stdout)?.[1]);
  if (!(rate > 0)) throw new Error(`redis-benchmark told no rate: ${stdout.slice(-400)}`);
  return rate;
}

interface Server {
  readonly journal: string;
  readonly pid: number;
}

async function publishRate({ journal, pid }: Server, effort: Effort): Promise<Record<string, number>> {
  const start = () => startHerald({ HERALD_JOURNAL: journal, HERALD_RETAIN_EVENTS: String(RETAINED) });
  return withSession({ start }, async ({ server, load }) => {
    const flood = { publishers: PUBLISHERS, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: Number.MAX_SAFE_INTEGER };
    await load.tell('flood', { ...flood, maxSeconds: effort.warmupSeconds });
    const work = () => load.tell('flood', { ...flood, maxSeconds: effort.windowSeconds });
    const cost = await costOf(server.pids, load.pid, work, [pid]);
    return {
      publishes: cost.result.events / cost.result.seconds,
      server: (100 * cost.serverCpuSeconds) / cost.wallSeconds,
      others: cost.othersPercent,
    };
  });
}

/** As `publishRate`, with many updates in each request. */
async function batchRate({ journal, pid }: Server, effort: Effort): Promise<Record<string, number>> {
  const start = async () => {
    const server = await startHerald({ HERALD_JOURNAL: journal, HERALD_RETAIN_EVENTS: String(RETAINED) });
    const { target } = server;
    const line = (data: string) => JSON.stringify({ topic: 'https://bench.example/{topic}', data });
    // What the load generator fills in is the first line; the others are as long.
    const others = Array.from({ length: BATCH - 1 }, () => line('x'.repeat(PAYLOAD_BYTES)).replace('{topic}', '0'));
    const publishHeaders = { ...target.publishHeaders, 'Content-Type': 'application/x-ndjson' };
    const publishBody = [line('{data}'), ...others, ''].join('\n');
    return {
      ...server,
      target: { ...target, publishPath: `${target.publishPath}/batch`, publishHeaders, publishBody },
    };
  };
  return withSession({ start }, async ({ server, load }) => {
    const flood = { publishers: BATCH_PUBLISHERS, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: Number.MAX_SAFE_INTEGER };
    await load.tell('flood', { ...flood, maxSeconds: effort.warmupSeconds });
    const work = () => load.tell('flood', { ...flood, maxSeconds: effort.windowSeconds });
    const cost = await costOf(server.pids, load.pid, work, [pid]);
    return {
      publishesBatch: (BATCH * cost.result.events) / cost.result.seconds,
      serverBatch: (100 * cost.serverCpuSeconds) / cost.wallSeconds,
    };
  });
}

async function latencyOver(journal: string, { paceSeconds }: Effort) {
  const start = () => startHerald({ HERALD_JOURNAL: journal, HERALD_RETAIN_EVENTS: String(RETAINED) });
  return withSession({ start }, async ({ load }) => {
    await openReaders(load, READERS);
    await startWatch(load, 'count');
    const warmUp = { publishers: 1, topics: 1, bytes: PAYLOAD_BYTES, maxEvents: 1000, maxSeconds: 5 };
    const { events: warm } = await load.tell('flood', warmUp);
    await settled(load, warm * READERS);

    await startWatch(load, 'latency');
    const events = paceSeconds * EVENTS_PER_SECOND;
    await load.tell('pace', { eventsPerSecond: EVENTS_PER_SECOND, events, bytes: PAYLOAD_BYTES });
    const received = await settled(load, events * READERS);
    const { p50, p99 } = await load.tell('latency', null);
    return { p50, p99, lost: events * READERS - received };
  });
}

async function measure(port: number, pid: number, effort: Effort): Promise<Record<string, number>> {
  const journal = `redis://127.0.0.1:${port}`;
  const script = await scriptRate(port, effort);
  const rate = await publishRate({ journal, pid }, effort);
  const batch = await batchRate({ journal, pid }, effort);
  const memory = await latencyOver('memory:', effort);
  const redisLatency = await latencyOver(journal, effort);
  return {
    script,
    ...rate,
    share: (rate['publishes'] ?? NaN) / script,
    ...batch,
    shareBatch: (batch['publishesBatch'] ?? NaN) / script,
    p50Memory: memory.p50,
    p50: redisLatency.p50,
    addedP50: redisLatency.p50 - memory.p50,
    p99Memory: memory.p99,
    p99: redisLatency.p99,
    addedP99: redisLatency.p99 - memory.p99,
    lost: memory.lost + redisLatency.lost,
  };
}

export const redis: Scenario = {
  id: 'i',
  title: 'A Redis journal',
  explanation: `256 publishers that each wait for their answer, through Herald into Redis, updates of 100 bytes, no readers; against redis-benchmark with 256 connections (\`-c 256 -P 1\`) that call the very script that Herald appends with, one update a call. Herald puts what comes in meanwhile into one call. Then the same with ${BATCH_PUBLISHERS} publishers that send ${BATCH} updates in each request: what one update a request costs is mostly HTTP, and on one core. Then events at 50 a second to 100 readers, with Redis and with memory. All logs are full, with ${RETAINED} entries. Redis shares the load generator’s core, in both; redis-benchmark has the server’s. Nothing is written to a disk.`,
  metrics: [
    { key: 'publishes', label: 'publishes per second', unit: 'per second', compared: false },
    { key: 'script', label: 'calls of the script per second, redis-benchmark', unit: 'per second', compared: false },
    { key: 'share', label: 'publishes to calls of the script', unit: 'ratio', compared: false },
    { key: 'server', label: 'server core busy', unit: 'percent', compared: false },
    {
      key: 'publishesBatch',
      label: `publishes per second, ${BATCH} a request`,
      unit: 'per second',
      compared: false,
    },
    {
      key: 'shareBatch',
      label: `publishes to calls of the script, ${BATCH} a request`,
      unit: 'ratio',
      compared: false,
    },
    { key: 'serverBatch', label: `server core busy, ${BATCH} a request`, unit: 'percent', compared: false },
    { key: 'p50Memory', label: 'p50, memory', unit: 'milliseconds', compared: false },
    { key: 'p50', label: 'p50, Redis', unit: 'milliseconds', compared: false },
    { key: 'addedP50', label: 'p50 added by Redis', unit: 'milliseconds', compared: false },
    { key: 'p99Memory', label: 'p99, memory', unit: 'milliseconds', compared: false },
    { key: 'p99', label: 'p99, Redis', unit: 'milliseconds', compared: false },
    { key: 'addedP99', label: 'p99 added by Redis', unit: 'milliseconds', compared: false },
    { key: 'lost', label: 'events not delivered', unit: 'count', compared: false },
    othersMetric(),
  ],
  goals: [
    { metric: 'share', atLeast: 0.5 },
    { metric: 'shareBatch', atLeast: 0.5 },
    { metric: 'lost', atMost: 0 },
  ],
  measure: async (peer, effort) => {
    if (peer.name !== 'herald') return { none: 'not offered' };
    const missing = PROGRAMS.find((program) => spawnSync(program, ['--version']).status !== 0);
    if (missing !== undefined) return { none: `${missing} is missing: apt-get install redis-server redis-tools` };
    return withRedis(async ({ port, pid }) => ({ figures: await measure(port, pid, effort) }));
  },
};
