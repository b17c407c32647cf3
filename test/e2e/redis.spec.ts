import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { Herald } from '../support/herald.js';
import { noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, openssl, redisCli, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

const run = promisify(execFile);

/** Milliseconds between two looks at something that Redis does in its own time. */
const LOOK = 20;

/** Publishes at one process, and reads on at another one where a reader of the first was: what a cluster of hubs is for. */
async function expectToResume(env: Readonly<Record<string, string>>): Promise<void> {
  await using one = await startHub(env);
  await using other = await startHub(env);
  using publisher = await Publisher.of(one);
  const ids: string[] = [];
  for (const data of ['1', '2', '3']) ids.push(await publisher.publish({ topic: 'a', data }));
  await using stream = await subscribe(other, { query: `match=a&last_event_id=${encodeURIComponent(ids[0] ?? '')}` });
  await stream.until(() => noticesOf(stream).some(({ type }) => type === 'caught-up'));
  ids.push(await publisher.publish({ topic: 'a', data: '4' }));
  await stream.until(() => updatesOf(stream).length === 3);
  expect(updatesOf(stream)).toEqual(['2', '3', '4'].map((data, index) => ({ id: ids[index + 1], data })));
}

const LOGIN = { user: 'herald', password: 'p@ss/word:of#its?own' };

/** A Redis that asks for a password, over TLS. */
class GuardedRedis implements AsyncDisposable {
  private constructor(
    readonly redis: RedisServer,
    readonly certificate: string,
    private readonly folder: string,
  ) {}

  static async start(program: string, opensslTool: string): Promise<GuardedRedis> {
    const folder = await mkdtemp(join(tmpdir(), 'herald-tls-'));
    const certificate = join(folder, 'redis.crt');
    const key = join(folder, 'redis.key');
    const files = ['-keyout', key, '-out', certificate];
    const name = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run(opensslTool, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...files, ...name]);
    const redis = await RedisServer.start(program, { tls: { certificate, key }, login: LOGIN });
    return new GuardedRedis(redis, certificate, folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.redis[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true });
  }
}

describeWith(redisServer, 'the service with a Redis that asks who is there', (program) => {
  describeWith(openssl, 'over TLS', (tool) => {
    // Tests that run beside each other begin before any hook.
    let made: Promise<GuardedRedis> | undefined;
    const guarded = (): Promise<GuardedRedis> => (made ??= GuardedRedis.start(program, tool));

    afterAll(async () => (await made)?.[Symbol.asyncDispose]());

    it.concurrent('publishes and resumes with user and password, where the certificate is trusted', async () => {
      const { redis, certificate } = await guarded();
      await expectToResume({ HERALD_JOURNAL: redis.url, NODE_EXTRA_CA_CERTS: certificate });
    });

    it.concurrent('does not start where the certificate is not trusted, and says so', async () => {
      const { redis } = await guarded();
      await using herald = Herald.spawn({ env: { HERALD_JOURNAL: redis.url } });
      expect(await herald.exit()).toEqual({ code: 1, signal: null });
      expect(herald.logs()).toMatch(/self-signed certificate/);
    });

    it.concurrent('does not start with another password, and says so, but not which', async () => {
      const { redis, certificate } = await guarded();
      const url = redis.url.replace(encodeURIComponent(LOGIN.password), 'not-the-password');
      await using herald = Herald.spawn({ env: { HERALD_JOURNAL: url, NODE_EXTRA_CA_CERTS: certificate } });
      expect(await herald.exit()).toEqual({ code: 1, signal: null });
      expect(herald.logs()).toMatch(/WRONGPASS/);
      expect(herald.logs()).not.toContain('not-the-password');
    });
  });
});

describeWith(redisServer, 'the service with a Redis Cluster', (program) => {
  describeWith(redisCli, 'of three masters', (cli) => {
    it.concurrent(
      'publishes and resumes, whichever of them is named',
      async () => {
        const start = (): Promise<RedisServer> =>
          RedisServer.start(program, { configuration: ['cluster-enabled yes', 'cluster-node-timeout 2000'] });
        await using first = await start();
        await using second = await start();
        await using third = await start();
        const nodes = [first, second, third];
        const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
        await run(cli, ['--cluster', 'create', ...addresses, '--cluster-yes']);
        for (const node of nodes) {
          while (!String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) await delay(LOOK);
        }
        for (const [index, { url }] of nodes.entries()) {
          // Each prefix has a slot, and so a master, of its own.
          await expectToResume({ HERALD_JOURNAL: url, HERALD_REDIS_CLUSTER: 'true', HERALD_REDIS_PREFIX: `p${index}` });
        }
      },
      60_000,
    );
  });
});
