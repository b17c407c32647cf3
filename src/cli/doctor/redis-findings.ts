import type { Redis } from 'ioredis';
import type { JournalConfig } from '../../config/journal-variables.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { connectRedis } from '../../storage/redis/redis-connection.js';
import { type Finding, finding } from './finding.js';

/** Pings, of which the middle one counts. */
const PINGS = 5;

/** Milliseconds above which an answer is slow: each publication waits for one. */
const SLOW = 20;

/** Milliseconds by which the clocks may differ. */
const APART = 1_000;

/** The oldest version that Herald is tested with. */
const OLDEST = 7;

/** Connects to Redis as the service does, and looks at it without writing anything. */
export async function redisFindings({ url, redis }: JournalConfig): Promise<Finding[]> {
  try {
    const { client } = await connectRedis({ ...redis, url }, `{${redis.prefix}}:log`, []);
    try {
      return await look(client);
    } finally {
      client.disconnect();
    }
  } catch (error) {
    return [
      finding(
        'journal',
        'fail',
        `Redis can't be reached: ${messageOf(error)}`,
        'see that Redis runs, that this machine reaches it, and that user, password and certificates are right',
      ),
    ];
  }
}

async function look(client: Redis): Promise<Finding[]> {
  const latency = await latencyOf(client);
  const [offset, info] = [await offsetOf(client), await infoOf(client)];
  const reached =
    latency > SLOW
      ? finding('journal', 'warn', `Redis answers in ${latency} ms`, 'each publication waits for it: bring it nearer')
      : finding('journal', 'ok', `Redis answers in ${latency} ms`);
  return [reached, ofClock(offset), ...(info ? ofInfo(info) : [unknown()])];
}

async function latencyOf(client: Redis): Promise<number> {
  const times: number[] = [];
  for (let ping = 0; ping < PINGS; ping += 1) {
    const before = performance.now();
    // oxlint-disable-next-line no-await-in-loop -- one after the other, as publications wait
    await client.ping();
    times.push(performance.now() - before);
  }
  return Math.round((times.toSorted((one, other) => one - other)[Math.floor(PINGS / 2)] ?? 0) * 10) / 10;
}

/** Milliseconds by which the clock of Redis is ahead of this machine's. */
async function offsetOf(client: Redis): Promise<number> {
  const before = Date.now();
  const [seconds, micros] = await client.time();
  const middle = (before + Date.now()) / 2;
  return Math.round(Number(seconds) * 1_000 + Number(micros) / 1_000 - middle);
}

/** What Redis says of itself; undefined where this user may not ask. */
async function infoOf(client: Redis): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const lines = (await client.info()).split('\r\n').map((line) => line.split(':', 2) as [string, string]);
    return new Map(lines);
  } catch {
    return undefined;
  }
}

function unknown(): Finding {
  return finding('Redis', 'skip', 'its version and settings: the user of HERALD_JOURNAL may not ask for INFO');
}

function ofClock(offset: number): Finding {
  const seen = `the clock of Redis differs by ${Math.abs(offset)} ms from this machine's`;
  return Math.abs(offset) > APART
    ? finding('clock', 'warn', seen, 'let both machines follow a time server')
    : finding('clock', 'ok', seen);
}

function ofInfo(info: ReadonlyMap<string, string>): Finding[] {
  const version = info.get('redis_version') ?? '';
  return [
    Number.parseInt(version, 10) < OLDEST
      ? finding('Redis', 'warn', `version ${version}`, `take Redis ${OLDEST} or newer, or Valkey`)
      : finding('Redis', 'ok', `version ${info.get('valkey_version') ?? version}`),
    ofEviction(info.get('maxmemory_policy') ?? 'unknown', Number(info.get('maxmemory') ?? 0)),
    info.get('aof_enabled') === '1'
      ? finding('Redis', 'ok', 'appendonly is yes')
      : finding(
          'Redis',
          'warn',
          'appendonly is no: what came after the last snapshot is lost when Redis ends without a warning',
          'set appendonly yes and appendfsync always where no update may be lost',
        ),
  ];
}

function ofEviction(policy: string, most: number): Finding {
  const seen = `maxmemory-policy is ${policy}`;
  if (policy === 'noeviction') return finding('Redis', 'ok', seen);
  const change = 'set maxmemory-policy noeviction: Redis would drop the whole log to make room';
  return finding('Redis', most === 0 ? 'warn' : 'fail', seen, change);
}
