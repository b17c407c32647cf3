import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../support/cli.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, HUB_ENVIRONMENT, startHub, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { Nginx } from '../support/nginx.js';
import { describeWith, nginx, redisServer } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';

const ENV = { ...HUB_ENVIRONMENT, HERALD_ADMIN_KEY: ADMIN_KEY };

interface Found {
  readonly what: string;
  readonly level: string;
  readonly seen: string;
  readonly change?: string;
}

/** What the doctor finds, and its status. */
async function doctor(
  args: readonly string[],
  env: Readonly<Record<string, string>> = ENV,
): Promise<{ status: number | null; found: Found[]; of: (what: string) => Found | undefined }> {
  const { status, output, errors } = await runCli(['doctor', '--json', ...args], env);
  expect(errors).toBe('');
  const found = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Found);
  return { status, found, of: (what) => found.findLast((one) => one.what === what) };
}

/** A hub behind nginx, where a location says more than where the hub is. */
function before({ port }: Herald, more: string): string {
  return `location / {
    proxy_pass http://127.0.0.1:${port};
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    ${more}
  }`;
}

describe('herald doctor', () => {
  it('looks at configuration, keys, journal and machine, in words, and says what to change', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'herald-doctor-'));
    try {
      const { status, output } = await runCli(['doctor'], {
        ...ENV,
        HERALD_JOURNAL: `lmdb:${folder}`,
        HERALD_RETAIN_BYTES: '900000gb',
      });
      expect(status).toBe(0);
      expect(output).toMatch(/^ok {3}configuration: /);
      expect(output).toMatch(/^ok {3}journal: LMDB: the directory can be used/m);
      expect(output).toMatch(/^warn disk: .*\n {5}→ make room, or retain less by HERALD_RETAIN_BYTES$/m);
      expect(output).toMatch(/^(ok {3}|warn )descriptors: \d+ open files are allowed/m);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fails with each mistake of the environment, and goes on with what it can try', async () => {
    await using hub = await startHub();
    const { status, found, of } = await doctor(['--url', hub.url], { PORT: 'x', HERALD_PUBLISHER_KEY: 'short' });
    expect([status, found.filter(({ level }) => level === 'fail').map(({ what }) => what)]).toEqual([
      1,
      ['configuration', 'configuration'],
    ]);
    expect(of('hub')).toMatchObject({ level: 'ok' });
  });

  it('tries a hub as its clients do, with a private update of its own', async () => {
    await using hub = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_CORS_ORIGINS: 'https://page.example' });
    const env = { ...ENV, HERALD_CORS_ORIGINS: 'https://page.example' };
    const { status, found, of } = await doctor(['--url', hub.url + HUB, '--wait', '200ms'], env);
    expect([status, found.filter(({ level }) => level === 'fail')]).toEqual([0, []]);
    expect(of('hub')?.seen).toMatch(/^process [\w-]+ answers$/);
    expect(of('buffering')).toMatchObject({ level: 'ok', seen: expect.stringMatching(/^an update came \d+ ms/) });
    expect(of('compression')).toMatchObject({ level: 'ok' });
    expect(of('clock')).toMatchObject({ level: 'ok' });
    expect(of('client address')).toEqual({
      what: 'client address',
      level: 'ok',
      seen: 'the hub sees 127.0.0.1, which this client is',
    });
    // The hub of this test takes itself for another address.
    expect(of('address')).toMatchObject({
      level: 'warn',
      change: expect.stringContaining(`HERALD_RESOURCE=${hub.url}${HUB}`),
    });
    expect(of('CORS')).toMatchObject({ level: 'ok' });
    expect(of('idle time-out')).toMatchObject({ level: 'ok' });
  });

  it('says what it can see without any key', async () => {
    await using hub = await startHub();
    const { status, of } = await doctor(['--url', hub.url + HUB], {});
    expect(status).toBe(0);
    expect(of('keys')).toMatchObject({ level: 'warn' });
    expect(of('buffering')).toMatchObject({
      level: 'ok',
      seen: expect.stringContaining('there is no key to publish with'),
    });
    expect(of('client address')).toMatchObject({ level: 'skip' });
  });

  it('finds a service that believes whoever makes up an address', async () => {
    await using hub = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_TRUST_PROXY: 'true' });
    expect(await doctor(['--url', hub.url + HUB])).toMatchObject({ status: 1 });
    expect((await doctor(['--url', hub.url + HUB])).of('client address')).toMatchObject({
      level: 'fail',
      change: expect.stringContaining('HERALD_TRUST_PROXY'),
    });
  });

  it('fails where there is no hub, or it refuses, and repeats no token', async () => {
    const away = await doctor(['--url', `http://127.0.0.1:${await freePort()}`]);
    expect([away.status, away.of('hub')]).toEqual([
      1,
      expect.objectContaining({ level: 'fail', seen: expect.stringContaining('ECONNREFUSED') }),
    ]);
    await using hub = await startHub({ HERALD_ANONYMOUS: 'false' });
    const refused = await doctor(['--url', hub.url + HUB], {});
    expect(refused.of('hub')).toMatchObject({ level: 'fail', change: expect.stringContaining('HERALD_TOKEN') });
    const token = await subscriberToken();
    const { output } = await runCli(['doctor', '--url', hub.url + HUB], { HERALD_TOKEN: token });
    expect(output).toMatch(/^ok {3}hub: process/m);
    expect(output).not.toContain(token);
    const elsewhere = await doctor(['--url', `${hub.url}/health/live`], {});
    expect(elsewhere.of('hub')).toMatchObject({ level: 'fail', seen: 'the answer is no event stream' });
  });

  it('looks for HTTP/2 where there is TLS, and for a certificate that is valid', async () => {
    await using hub = await startHub(TLS_ENVIRONMENT);
    const url = hub.url.replace('127.0.0.1', 'localhost') + HUB;
    expect((await doctor(['--url', url])).of('protocol')).toMatchObject({ level: 'fail' });
    const authority = fileURLToPath(new URL('../support/certificates/first.crt', import.meta.url));
    const trusting = await doctor(['--url', url], { ...ENV, NODE_EXTRA_CA_CERTS: authority });
    expect(trusting.of('protocol')).toMatchObject({ level: 'ok', seen: 'HTTP/2 is offered' });
    expect(trusting.of('buffering')).toMatchObject({ level: 'ok' });
  });

  it('warns of a clock that is wrong, and of an answer that others than a hub gave', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'content-encoding': 'gzip',
        date: new Date(0).toUTCString(),
      });
      response.end('retry: 1\n\n');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { status, of } = await doctor(['--url', `http://127.0.0.1:${(server.address() as AddressInfo).port}`], {});
    server.close();
    expect(status).toBe(1);
    expect(of('hub')).toMatchObject({ level: 'warn', seen: 'the answer lacks Herald-Process' });
    expect(of('compression')).toMatchObject({ level: 'fail' });
    expect(of('clock')).toMatchObject({ level: 'warn' });
  });

  it('is refused with status 64 where it is called wrongly', async () => {
    for (const args of [['--url', 'hub'], ['--wait', 'long'], ['--wait', '1h'], ['--fix']]) {
      expect(await runCli(['doctor', ...args], ENV)).toMatchObject({ status: 64, output: '' });
    }
  });
});

describeWith(nginx, 'herald doctor through nginx', (program) => {
  it('finds that streams are buffered or compressed, and that they are not', async () => {
    await using hub = await startHub();
    await using buffering = await Nginx.start({
      program,
      server: before(hub, 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;'),
    });
    const held = await doctor(['--url', buffering.url + HUB]);
    expect([held.status, held.of('buffering')]).toEqual([
      1,
      expect.objectContaining({ level: 'fail', change: expect.stringContaining('proxy_buffering off') }),
    ]);
    await using packing = await Nginx.start({
      program,
      server: before(
        hub,
        'proxy_buffering off; gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_http_version 1.0;',
      ),
    });
    expect((await doctor(['--url', packing.url + HUB])).of('compression')).toMatchObject({ level: 'fail' });
    await using passing = await Nginx.start({ program, server: before(hub, 'proxy_buffering off;') });
    expect((await doctor(['--url', passing.url + HUB])).of('buffering')).toMatchObject({ level: 'ok' });
  });

  it('finds the time-out that is shorter than the heartbeat', async () => {
    await using hub = await startHub();
    await using hasty = await Nginx.start({
      program,
      server: before(hub, 'proxy_buffering off; proxy_read_timeout 1s;'),
    });
    const { status, of } = await doctor(['--url', hasty.url + HUB, '--wait', '4s']);
    expect([status, of('idle time-out')]).toEqual([1, expect.objectContaining({ level: 'fail' })]);
  });

  it('finds that a proxy passes on what a client says of its address, which the hub believes', async () => {
    await using hub = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_TRUST_PROXY: 'true' });
    await using proxy = await Nginx.start({ program, server: before(hub, 'proxy_buffering off;') });
    expect((await doctor(['--url', proxy.url + HUB])).of('client address')).toMatchObject({ level: 'fail' });
    await using wary = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_TRUST_PROXY: '1' });
    await using other = await Nginx.start({ program, server: before(wary, 'proxy_buffering off;') });
    expect((await doctor(['--url', other.url + HUB])).of('client address')).toMatchObject({ level: 'ok' });
  });
});

describeWith(redisServer, 'herald doctor with Redis', (program) => {
  it('says what Redis is set to', async () => {
    await using redis = await RedisServer.start(program);
    const { status, found } = await doctor([], { ...ENV, HERALD_JOURNAL: redis.url });
    expect(status).toBe(0);
    expect(found.filter(({ what }) => what === 'Redis').map(({ level }) => level)).toEqual(['ok', 'ok', 'ok']);
  });
});
