import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCli } from '../support/cli.js';
import { HUB_ENVIRONMENT, startHub } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';

const BAD_CONFIG = 78;

interface Found {
  readonly what: string;
  readonly level: string;
  readonly seen: string;
  readonly change?: string;
}

/** What `herald check` finds, and its status. */
async function check(env: Readonly<Record<string, string>>): Promise<{ status: number | null; found: Found[] }> {
  const { status, output, errors } = await runCli(['check', '--json'], { ...HUB_ENVIRONMENT, ...env });
  expect(errors).toBe('');
  return {
    status,
    found: output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Found),
  };
}

function levels(found: readonly Found[], level: string): string[] {
  return found.filter((one) => one.level === level).map(({ what, seen }) => `${what}: ${seen}`);
}

describe('herald --version', () => {
  it('tells the version, and nothing else', async () => {
    const { status, output, errors } = await runCli(['--version']);
    expect([status, output, errors]).toEqual([0, expect.stringMatching(/^herald \d+\.\d+\.\d+\n$/), '']);
  });
});

describe('herald check', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-check-'));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it('says in words, and with status 0, that all is well', async () => {
    const { status, output } = await runCli(['check'], HUB_ENVIRONMENT);
    expect(status).toBe(0);
    expect(output).toMatch(/^ok {3}configuration: every variable is understood\n/);
    expect(output).toContain('ok   keys of "herald", publisher: a secret of 45 bytes for HS256\n');
    expect(output).toMatch(/^ok {3}journal: updates are kept in memory/m);
  });

  it('names all mistakes at once, also a short key beside others, and repeats no value', async () => {
    const { status, found } = await check({
      HERALD_PUBLISHER_KEY: 'too short',
      HERALD_SUBSCRIBER_KEY: 'short as well',
      PORT: 'secret-port',
      HERALD_HEARTBEAT: 'now and then',
      HERALD_JURNAL: 'memory:',
    });
    expect(status).toBe(BAD_CONFIG);
    const mistakes = levels(found, 'fail').join('\n');
    for (const part of [
      'HERALD_PUBLISHER_KEY must be at least',
      'HERALD_SUBSCRIBER_KEY must be',
      'PORT',
      'HERALD_HEARTBEAT',
      'did you mean HERALD_JOURNAL?',
    ]) {
      expect(mistakes).toContain(part);
    }
    expect(mistakes).not.toMatch(/too short|short as well|secret-port|now and then/);
  });

  it('looks at an LMDB directory that is in use, and leaves it as it is', async () => {
    const env = { HERALD_JOURNAL: `lmdb:${folder}` };
    await using hub = await startHub(env);
    const before = (await readdir(folder)).toSorted();
    expect(await check(env)).toMatchObject({
      status: 0,
      found: expect.arrayContaining([
        { what: 'journal', level: 'ok', seen: `LMDB: in use by process ${hub.pid}` },
        { what: 'disk', level: 'ok', seen: expect.stringMatching(/MiB are free$/) },
      ]),
    });
    expect((await readdir(folder)).toSorted()).toEqual(before);
  });

  it('does not make the directory, and fails where it can be none, or holds something else', async () => {
    const missing = join(folder, 'a', 'b');
    expect(await check({ HERALD_JOURNAL: `lmdb:${missing}` })).toMatchObject({ status: 0 });
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, 'data.mdb'), 'x'.repeat(10_000));
    const { status, found } = await check({ HERALD_JOURNAL: `lmdb:${folder}` });
    expect([status, levels(found, 'fail')]).toEqual([BAD_CONFIG, [expect.stringContaining('no LMDB database')]]);
    const file = await check({ HERALD_JOURNAL: `lmdb:${join(folder, 'data.mdb')}` });
    expect([file.status, levels(file.found, 'fail')]).toEqual([BAD_CONFIG, [expect.stringContaining("can't be used")]]);
  });

  it('warns of room that is less than may be retained', async () => {
    const { status, found } = await check({ HERALD_JOURNAL: `lmdb:${folder}`, HERALD_RETAIN_BYTES: '900000gb' });
    expect([status, levels(found, 'warn')]).toEqual([0, [expect.stringMatching(/^disk: \d+ MiB are free, and/)]]);
  });

  it('reads a key set, by address or file, and says what is wrong with one', async () => {
    const file = join(folder, 'jwks.json');
    await writeFile(file, '{"keys":[]}');
    const empty = await check({ HERALD_JWKS_FILE: file });
    expect([empty.status, levels(empty.found, 'fail')]).toEqual([
      BAD_CONFIG,
      [expect.stringContaining('no public key')],
    ]);
    await using server = await startServer('{"keys":[{"kty":"OKP"},{"kty":"oct"}]}');
    const good = await check({ HERALD_JWKS_URI: `${server.url}/jwks?secret=1` });
    expect([good.status, levels(good.found, 'ok')]).toEqual([
      0,
      expect.arrayContaining([expect.stringContaining('gives 1 public')]),
    ]);
    const away = await check({ HERALD_JWKS_URI: `http://127.0.0.1:${await freePort()}/jwks?secret=1` });
    expect([away.status, levels(away.found, 'fail')]).toEqual([BAD_CONFIG, [expect.stringContaining("can't be read")]]);
    expect(JSON.stringify([good, away])).not.toContain('secret=1');
  });

  it('refuses what it does not know with status 64', async () => {
    expect(await runCli(['check', '--fast'])).toMatchObject({ status: 64, output: '' });
  });

  it('fails where Redis is away, and repeats no password', async () => {
    const url = `redis://user:secret-word@127.0.0.1:${await freePort()}`;
    const { status, found } = await check({ HERALD_JOURNAL: url });
    expect([status, levels(found, 'fail')]).toEqual([BAD_CONFIG, [expect.stringContaining("Redis can't be reached")]]);
    expect(JSON.stringify(found)).not.toContain('secret-word');
  });
});

describeWith(redisServer, 'herald check with Redis', (program) => {
  it('says what Redis is set to, and what to change', async () => {
    await using redis = await RedisServer.start(program);
    const { status, found } = await check({ HERALD_JOURNAL: redis.url });
    expect([status, levels(found, 'fail'), levels(found, 'warn')]).toEqual([0, [], []]);
    expect(levels(found, 'ok')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^journal: Redis answers in [\d.]+ ms$/),
        expect.stringMatching(/^clock: the clock of Redis differs by \d+ ms/),
        'Redis: maxmemory-policy is noeviction',
        'Redis: appendonly is yes',
      ]),
    );
    expect(await redis.command('DBSIZE')).toBe(0);
    await redis.command('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru', 'appendonly', 'no');
    const worse = await check({ HERALD_JOURNAL: redis.url });
    expect([worse.status, levels(worse.found, 'fail'), levels(worse.found, 'warn')]).toEqual([
      BAD_CONFIG,
      ['Redis: maxmemory-policy is allkeys-lru'],
      [expect.stringContaining('appendonly is no')],
    ]);
  });
});

async function startServer(body: string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
