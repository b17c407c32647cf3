import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { Authority, type Certified } from '../support/authority.js';
import { Herald } from '../support/herald.js';
import { Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, openssl, redisCli, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

const run = promisify(execFile);

/** Milliseconds between two looks at something that Redis does in its own time. */
const LOOK = 20;

const LOGIN = { user: 'herald', password: 'p@ss/word:of#its?own' };

/** May do what Herald needs of a Sentinel, and nothing else. */
const SENTINEL_LOGIN = { user: 'asker', password: 'sentinel-secret' };

type Env = Readonly<Record<string, string>>;

async function expectToPublish(env: Env): Promise<void> {
  await using hub = await startHub(env);
  using publisher = await Publisher.of(hub);
  await using stream = await subscribe(hub, { query: 'match=a' });
  const id = await publisher.publish({ topic: 'a', data: '1' });
  await stream.until(() => updatesOf(stream).length === 1);
  expect(updatesOf(stream)).toEqual([{ id, data: '1' }]);
}

/** Why the service does not start. */
async function reasonFor(env: Env): Promise<string> {
  await using herald = Herald.spawn({ env });
  expect(await herald.exit()).toEqual({ code: 1, signal: null });
  for (const secret of [LOGIN.password, SENTINEL_LOGIN.password]) expect(herald.logs()).not.toContain(secret);
  return String(herald.fatalMessages()[0]);
}

/** What a server and a client that trust one authority are given. */
class Certificates implements AsyncDisposable {
  private constructor(
    private readonly authority: Authority,
    readonly server: Certified & { readonly authority: string },
    readonly env: Env,
  ) {}

  static async make(tool: string): Promise<Certificates> {
    const authority = await Authority.create(tool);
    const [server, client] = [await authority.certify('redis'), await authority.certify('herald')];
    return new Certificates(
      authority,
      { ...server, authority: authority.certificate },
      {
        HERALD_REDIS_TLS_CA_FILE: authority.certificate,
        HERALD_REDIS_TLS_CERT_FILE: client.certificate,
        HERALD_REDIS_TLS_KEY_FILE: client.key,
      },
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.authority[Symbol.asyncDispose]();
  }
}

describeWith(redisServer, 'the service where Redis can not be used', (program) => {
  it.concurrent('says that nobody listens, at any address of the host', async () => {
    const closed = await RedisServer.start(program);
    await closed[Symbol.asyncDispose]();
    // The host has the addresses of both families on many machines: then the error has no message of its own.
    const reason = await reasonFor({ HERALD_JOURNAL: `redis://localhost:${closed.port}` });
    expect(reason).toMatch(/can't be reached: connect ECONNREFUSED .*: check HERALD_JOURNAL/);
  });

  it.concurrent('says why it refuses publications, also later', async () => {
    await using redis = await RedisServer.start(program);
    await using hub = await startHub({ HERALD_JOURNAL: redis.url });
    using publisher = await Publisher.of(hub);
    await redis.stop();
    await expect(publisher.publish({ topic: 'a', data: '1' })).rejects.toThrow('503');
    expect(
      await hub.waitForLog(/updates are refused: [^\n]*Redis can't be reached: connect ECONNREFUSED/),
    ).toBeTruthy();
  });

  it.concurrent(
    'says that a Sentinel asks for a password, has another one, or knows no master of the name',
    async () => {
      await using redis = await RedisServer.start(program);
      await using sentinel = await startSentinel(program, redis);
      const env = { HERALD_JOURNAL: 'redis://main', HERALD_REDIS_SENTINELS: `127.0.0.1:${sentinel.port}` };
      const login = {
        HERALD_REDIS_SENTINEL_USERNAME: SENTINEL_LOGIN.user,
        HERALD_REDIS_SENTINEL_PASSWORD: SENTINEL_LOGIN.password,
      };
      const reasons = await Promise.all([
        reasonFor({ ...env, HERALD_REDIS_SENTINEL_NAME: 'main' }),
        reasonFor({ ...env, ...login, HERALD_REDIS_SENTINEL_NAME: 'main', HERALD_REDIS_SENTINEL_PASSWORD: 'other' }),
        reasonFor({ ...env, ...login, HERALD_REDIS_SENTINEL_NAME: 'other' }),
      ]);
      expect(reasons).toEqual([
        expect.stringContaining('(NOAUTH '),
        expect.stringContaining('(WRONGPASS '),
        expect.stringContaining('(HERALD_REDIS_SENTINEL_NAME is not the name of a master there)'),
      ]);
    },
  );
});

/** A Sentinel that has a user of its own for those who ask, and none other. */
function startSentinel(
  program: string,
  master: RedisServer,
  { tls, login }: { tls?: Certificates['server']; login?: typeof LOGIN } = {},
): Promise<RedisServer> {
  return RedisServer.start(program, {
    isSentinel: true,
    ...(tls && { tls }),
    configuration: [
      'user default off',
      `user ${SENTINEL_LOGIN.user} on >${SENTINEL_LOGIN.password} +sentinel|get-master-addr-by-name`,
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      ...(login ? [`sentinel auth-user main ${login.user}`, `sentinel auth-pass main ${login.password}`] : []),
    ],
  });
}

describeWith(redisServer, 'the service with a Redis that asks for a certificate', (program) => {
  describeWith(openssl, 'of its clients', (tool) => {
    // Tests that run beside each other begin before any hook.
    let made: Promise<Certificates> | undefined;
    const certificates = (): Promise<Certificates> => (made ??= Certificates.make(tool));

    afterAll(async () => (await made)?.[Symbol.asyncDispose]());

    it.concurrent('publishes with its certificate, and says what is missing without', async () => {
      const { server, env } = await certificates();
      await using redis = await RedisServer.start(program, { tls: server });
      await expectToPublish({ ...env, HERALD_JOURNAL: redis.url });
      const trusting = { HERALD_REDIS_TLS_CA_FILE: env['HERALD_REDIS_TLS_CA_FILE'] ?? '' };
      const [unknown, untrusted] = await Promise.all([
        reasonFor({ ...trusting, HERALD_JOURNAL: redis.url }),
        reasonFor({ HERALD_JOURNAL: redis.url }),
      ]);
      expect(unknown).toMatch(/HERALD_REDIS_TLS_CERT_FILE.*: check/);
      expect(untrusted).toMatch(/certificate.*: check/);
    });

    it.concurrent('publishes by Sentinels that ask for a certificate, a user and a password as well', async () => {
      const { server, env } = await certificates();
      await using redis = await RedisServer.start(program, { tls: server, login: LOGIN });
      await using sentinel = await startSentinel(program, redis, { tls: server, login: LOGIN });
      await expectToPublish({
        ...env,
        HERALD_JOURNAL: redis.url.replace(/@.*/, '@main'),
        HERALD_REDIS_SENTINELS: `127.0.0.1:${sentinel.port}`,
        HERALD_REDIS_SENTINEL_NAME: 'main',
        HERALD_REDIS_SENTINEL_USERNAME: SENTINEL_LOGIN.user,
        HERALD_REDIS_SENTINEL_PASSWORD: SENTINEL_LOGIN.password,
      });
    });

    describeWith(redisCli, 'in a Cluster', (cli) => {
      it.concurrent(
        'publishes, whichever master has its keys',
        async () => {
          const { server, env } = await certificates();
          const configuration = ['cluster-enabled yes', 'cluster-node-timeout 2000', 'tls-cluster yes'];
          const start = (): Promise<RedisServer> => RedisServer.start(program, { tls: server, configuration });
          await using first = await start();
          await using second = await start();
          await using third = await start();
          const nodes = [first, second, third];
          const tls = ['--tls', '--cacert', server.authority, '--cert', server.certificate, '--key', server.key];
          const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
          await run(cli, [...tls, '--cluster', 'create', ...addresses, '--cluster-yes']);
          for (const node of nodes) {
            while (!String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok')) await delay(LOOK);
          }
          for (const { url } of nodes) {
            await expectToPublish({ ...env, HERALD_JOURNAL: url, HERALD_REDIS_CLUSTER: 'true' });
          }
        },
        60_000,
      );
    });
  });
});
