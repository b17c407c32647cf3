import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../../support/redis.js';

/** Milliseconds between two looks at something that Redis does in its own time, and until a test gives up on it. */
const LOOK = 20;
const PATIENCE = 30_000;

/** A master with one replica, and a Sentinel that makes the one take the other's place. `await using` ends them. */
export class SentinelTrio implements AsyncDisposable {
  private constructor(
    readonly master: RedisServer,
    readonly replica: RedisServer,
    private readonly sentinel: RedisServer,
  ) {}

  static async start(program: string): Promise<SentinelTrio> {
    const master = await RedisServer.start(program);
    const replica = await RedisServer.start(program, { configuration: [`replicaof 127.0.0.1 ${master.port}`] });
    await says(master, 'replication', /slave0:.*state=online/);
    const sentinel = await RedisServer.start(program, {
      isSentinel: true,
      configuration: [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds main 1000',
        'sentinel failover-timeout main 3000',
      ],
    });
    await says(sentinel, 'sentinel', /slaves=1/);
    return new SentinelTrio(master, replica, sentinel);
  }

  /** For a Herald that waits for so many replicas. */
  environment(replicas: number): Record<string, string> {
    return {
      HERALD_JOURNAL: 'redis://main',
      HERALD_REDIS_SENTINELS: `127.0.0.1:${this.sentinel.port}`,
      HERALD_REDIS_SENTINEL_NAME: 'main',
      HERALD_REDIS_WAIT: String(replicas),
    };
  }

  /** Keeps what is stored from now on from the replica, also when that goes on. */
  async cutReplica(): Promise<void> {
    await this.replicaHasAll();
    this.replica.freeze();
    // What is on its way already would be read after the thaw.
    await this.master.command('CLIENT', 'KILL', 'TYPE', 'replica');
  }

  /** Resolves once the replica has confirmed all that the master has: it was seen to load for as long as a round takes. */
  private async replicaHasAll(): Promise<void> {
    for (;;) {
      const info = String(await this.master.command('INFO', 'replication'));
      const [, confirmed] = /^slave0:.*\boffset=(\d+)/m.exec(info) ?? [];
      if (confirmed !== undefined && info.includes(`master_repl_offset:${confirmed}\r`)) return;
      await delay(LOOK);
    }
  }

  /** The master dies, and the replica takes its place. */
  async failOver(): Promise<void> {
    await this.master.stop();
    this.replica.thaw();
    await says(this.replica, 'replication', /role:master/);
    // Before that, it would lead to the old one where that came back.
    await says(this.sentinel, 'sentinel', new RegExp(`address=127\\.0\\.0\\.1:${this.replica.port}\\b`));
  }

  /** The number of the Sentinel's newest failover. One that nobody asked for was seen on a machine with too much to do. */
  async epoch(): Promise<number> {
    const fields = (await this.sentinel.command('SENTINEL', 'MASTER', 'main')) as string[];
    return Number(fields[fields.indexOf('config-epoch') + 1]);
  }

  /**
   * The old master comes back, and there are a master and its replica again. The old one is the replica, unless the
   * Sentinel changes its mind: it was seen to, once in many times, where the old one was back before it was through.
   */
  async restoreReplica(): Promise<void> {
    await this.master.start();
    await oneSays([this.replica, this.master], 'replication', /slave0:.*state=online/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.sentinel, this.replica, this.master]) await server[Symbol.asyncDispose]();
  }
}

/** Resolves once a section of a server's `INFO` matches. */
function says(server: RedisServer, section: string, pattern: RegExp): Promise<void> {
  return oneSays([server], section, pattern);
}

/** As `says`, for any one of them. */
async function oneSays(servers: readonly RedisServer[], section: string, pattern: RegExp): Promise<void> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const texts = await Promise.all(
      servers.map(async (server) => String(await server.command('INFO', section).catch(() => ''))),
    );
    if (texts.some((text) => pattern.test(text))) return;
    if (performance.now() > end) throw new Error(`no ${pattern} in:\n${texts.join('\n')}`);
    await delay(LOOK);
  }
}
