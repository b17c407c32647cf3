import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Herald, startHerald } from '../../support/herald.js';
import { ADMIN_KEY, HUB_ENVIRONMENT, TLS_ENVIRONMENT } from '../../support/hub.js';
import { RedisServer } from '../../support/redis.js';

type Environment = Readonly<Record<string, string>>;

/** A hub with one of the engines: processes that have the same log. `await using` ends them. */
export interface Engine extends AsyncDisposable {
  readonly heralds: readonly Herald[];
  /** Whether a process may not have all yet that another one has acknowledged. */
  readonly isFollowing: boolean;
  /**
   * Calls `publishMore`, and then loses as much as this engine can lose: what was published meanwhile, all, or nothing.
   * Whether connections end by it is said by `endsConnections`.
   */
  lose(isAll: boolean, publishMore: () => Promise<void>): Promise<'newest' | 'all' | 'nothing'>;
  readonly endsConnections: boolean;
}

function start(env: Environment, port = 0): Promise<Herald> {
  return startHerald({
    port,
    env: {
      ...HUB_ENVIRONMENT,
      HERALD_ADMIN_KEY: ADMIN_KEY,
      HERALD_ANONYMOUS: 'false',
      HERALD_MAX_BODY: '8mb',
      HERALD_WRITE_TIMEOUT: '2s',
      ...env,
    },
  });
}

/** One process, whose log is in its memory or in a directory: it can be killed. */
class OneProcess implements Engine {
  readonly isFollowing = false;
  readonly endsConnections = true;

  private constructor(
    private herald: Herald,
    private readonly env: Environment,
    private readonly directory: string | undefined,
  ) {}

  static async start(env: Environment, directory?: string): Promise<OneProcess> {
    const all = { ...env, ...(directory !== undefined && { HERALD_JOURNAL: `lmdb:${directory}` }) };
    return new OneProcess(await start(all), all, directory);
  }

  get heralds(): readonly Herald[] {
    return [this.herald];
  }

  async lose(_: boolean, publishMore: () => Promise<void>): Promise<'all' | 'nothing'> {
    await publishMore();
    const { port } = this.herald;
    await this.herald.kill('SIGKILL');
    this.herald = await start(this.env, port);
    return this.directory === undefined ? 'all' : 'nothing';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.herald[Symbol.asyncDispose]();
    if (this.directory !== undefined) await rm(this.directory, { recursive: true });
  }
}

/** Keeps a copy of what the log consists of, and puts it back: as a replica does that lags behind and becomes master. */
const KEEP = `for _, name in ipairs({'log', 'ids', 'keys', 'presence', 'presence-keys', 'removals', 'followers', 'meta'}) do
  redis.call('DEL', '{herald}:kept:' .. name)
  redis.call('COPY', '{herald}:' .. name, '{herald}:kept:' .. name)
end`;
const PUT_BACK = `for _, name in ipairs({'log', 'ids', 'keys', 'presence', 'presence-keys', 'removals', 'followers', 'meta'}) do
  redis.call('DEL', '{herald}:' .. name)
  redis.call('COPY', '{herald}:kept:' .. name, '{herald}:' .. name)
end`;

/** Two processes on one Redis, of which one speaks TLS. */
class TwoProcesses implements Engine {
  readonly isFollowing = true;
  readonly endsConnections = false;

  private constructor(
    private readonly redis: RedisServer,
    readonly heralds: readonly Herald[],
  ) {}

  static async start(program: string, env: Environment): Promise<TwoProcesses> {
    const redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    const all = { ...env, HERALD_JOURNAL: redis.url };
    return new TwoProcesses(redis, await Promise.all([start(all), start({ ...all, ...TLS_ENVIRONMENT })]));
  }

  async lose(isAll: boolean, publishMore: () => Promise<void>): Promise<'newest' | 'all'> {
    await this.redis.command('EVAL', KEEP, 0);
    await publishMore();
    if (isAll) await this.redis.command('FLUSHALL');
    else await this.redis.command('EVAL', PUT_BACK, 0);
    return isAll ? 'all' : 'newest';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.heralds.map((herald) => herald[Symbol.asyncDispose]()));
    await this.redis[Symbol.asyncDispose]();
  }
}

export function startMemory(env: Environment): Promise<Engine> {
  return OneProcess.start(env);
}

export async function startLmdb(env: Environment): Promise<Engine> {
  return OneProcess.start(env, await mkdtemp(join(tmpdir(), 'herald-model-')));
}

/** @param program of the Redis server. */
export function startRedis(program: string, env: Environment): Promise<Engine> {
  return TwoProcesses.start(program, env);
}
