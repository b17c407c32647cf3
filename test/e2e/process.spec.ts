import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import { Herald, startHerald } from '../support/herald.js';
import { HUB, publisherToken, startHub } from '../support/hub.js';
import { Upload } from '../support/upload.js';

describe('configuration', () => {
  it('ends with one message that lists every mistake', async () => {
    await using herald = Herald.spawn({
      env: {
        PORT: '99999',
        HERALD_EVENTS_INTERVAL: 'soon',
        HERALD_MAX_BODY: '64',
        HERALD_CORS_ORIGINS: '*',
        HERALD_TLS_CERT_FILE: '/nowhere/tls.crt',
        HERALD_HARTBEAT: '1s',
        LOG_LEVEL: 'loud',
      },
    });
    expect(await herald.exit()).toEqual({ code: 78, signal: null });
    // A line of the log, of which the text has lines of its own.
    const [output, ...others] = herald.fatalMessages();
    expect([others, herald.errorOutput()]).toEqual([[], '']);
    for (const name of [
      'PORT',
      'HERALD_EVENTS_INTERVAL',
      'HERALD_MAX_BODY',
      'HERALD_CORS_ORIGINS',
      'HERALD_TLS_CERT_FILE',
      'HERALD_HARTBEAT',
      'LOG_LEVEL',
    ]) {
      expect(output).toMatch(new RegExp(`^ {2}- ${name} `, 'm'));
    }
    expect(output).not.toMatch(/ {4}at /);
  });

  it('starts in a pod that is told of services whose names begin with its own', async () => {
    const secret = 's'.repeat(32);
    await using herald = await startHerald({
      env: {
        HERALD_PORT: 'tcp://10.0.0.7:8080',
        HERALD_SERVICE_HOST: '10.0.0.7',
        HERALD_SERVICE_PORT_HTTP: '8080',
        HERALD_REDIS_PORT_6379_TCP_ADDR: '10.0.0.8',
        HERALD_PUBLISHER_KEY: `"${secret}"\r\n`,
        HERALD_SUBSCRIBER_KEY: `${secret}\n`,
      },
    });
    expect((await send(`${herald.url}/health/ready`)).resume().statusCode).toBe(200);
  });

  it('says in one line that the port is in use', async () => {
    await using first = await startHerald();
    await using second = Herald.spawn({ port: first.port });
    expect(await second.exit()).toEqual({ code: 1, signal: null });
    const lines = [expect.stringMatching(/Herald \S+ starts/), expect.stringMatching(/in use.*PORT/)];
    expect(second.logs().trim().split('\n')).toEqual(lines);
  });
});

describe('first steps', () => {
  it('may be left unread: the service goes on, and ends in order', async () => {
    await using herald = Herald.spawn();
    const [, port = ''] = await herald.waitForLog(/Herald is at http:\/\/localhost:(\d+)/);
    herald.child.stdout?.destroy();
    const answer = await send(`http://127.0.0.1:${port}/health/ready`);
    expect([answer.statusCode, await textOf(answer)]).toEqual([200, expect.any(String)]);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('are commands that work, where no keys are set', async () => {
    await using herald = await startHerald();
    const [, read, write] = await herald.waitForLog(/^ {2}export READ=(\S+) WRITE=(\S+)\n(?:.*\n){4}/m);
    expect(herald.logs()).toMatch(/^ {2}curl -N -H "Authorization: Bearer \$READ" '.*\?match=\*'$/m);
    const tokens = [`Bearer ${read}`, `Bearer ${write}`];
    const hub = `${herald.url}/.well-known/mercure`;
    await using stream = await openStream(`${hub}?match=*`, { headers: { authorization: tokens[0] ?? '' } });
    const headers = { authorization: tokens[1] ?? '', 'content-type': 'application/x-www-form-urlencoded' };
    const published = await send(hub, { method: 'POST', headers }, 'topic=https://example.com/hello&data=world');
    expect(published.statusCode).toBe(200);
    published.resume();
    expect(await stream.take(1)).toMatchObject([{ data: 'world' }]);
  });

  it('show no token where a key was given', async () => {
    await using herald = await startHerald({ env: { HERALD_PUBLISHER_KEY: 'k'.repeat(32) } });
    (await send(`${herald.url}/health/live`)).resume();
    expect(herald.logs()).not.toContain('Bearer');
  });
});

describe('the health check of the container', () => {
  async function check(env: Readonly<Record<string, string>>): Promise<number | null> {
    const child = spawn(process.execPath, ['dist/server/healthcheck.js'], { env });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  it('tells a live service from none', async () => {
    await using herald = await startHerald();
    const env = { PORT: String(herald.port) };
    expect(await check(env)).toBe(0);
    await herald.kill();
    expect(await check(env)).toBe(1);
  });

  it('finds the service by what is in files, as the service itself does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'herald-port-'));
    try {
      await using herald = await startHerald();
      const [port, host] = [join(folder, 'port'), join(folder, 'host')];
      await writeFile(port, `${herald.port}\n`);
      await writeFile(host, '0.0.0.0\n');
      expect(await check({ PORT_FILE: port, HOST_FILE: host })).toBe(0);
      expect(await check({ PORT: `"${herald.port}"` })).toBe(0);
      expect(await check({ PORT_FILE: join(folder, 'nothing') })).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('signals', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s ends the streams cleanly, tells them, and exits with 0',
    async (signal) => {
      await using herald = await startHerald();
      const streams = await Promise.all(Array.from({ length: 20 }, () => openStream(`${herald.url}/events`)));
      await Promise.all(streams.map((stream) => stream.take(1)));
      expect(await herald.kill(signal)).toEqual({ code: 0, signal: null });
      for (const stream of streams) {
        expect(await stream.ended).toBe(true);
        expect(stream.events.at(-1)).toMatchObject({ event: 'herald', data: '{"type":"drain"}' });
      }
      // Each client has its own delay to come back after.
      expect(new Set(streams.map(({ retries }) => retries.at(-1))).size).toBeGreaterThan(1);
    },
  );

  it('lets a request under way finish', async () => {
    await using herald = await startHerald({ env: { LOG_LEVEL: 'debug' } });
    await using stream = await openStream(`${herald.url}/events`);
    const socket = connect(herald.port, '127.0.0.1');
    await once(socket, 'connect');
    // Half of a request: the process must neither wait for its rest for ever nor be held up by the connection.
    socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n');
    await stream.take(1);
    socket.on('error', () => undefined);
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    socket.destroy();
  });

  it('exits at once on a second signal', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    // A body that never comes keeps the first signal's orderly end waiting.
    const headers = {
      authorization: `Bearer ${await publisherToken()}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    await using upload = Upload.begin('http1', herald, { path: HUB, headers });
    await upload.write('topic=');
    (await send(`${herald.url}/health/live`)).resume();
    herald.child.kill('SIGTERM');
    const again = setInterval(() => herald.child.kill('SIGTERM'), 60);
    const exit = await herald.exit();
    clearInterval(again);
    expect(exit).toEqual({ code: 143, signal: null });
  });
});
