import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';
import { HUB, publisherToken, PUBLISHER_KEY, SUBSCRIBER_KEY, TLS_ENVIRONMENT } from '../support/hub.js';
import { internalUrlOf } from '../support/metrics.js';
import { describeWith, redisServer, strace, systemdAnalyze } from '../support/programs.js';
import { freePort, RedisServer } from '../support/redis.js';
import { longestEnd, secondsOf } from './grace.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = join(ROOT, 'deploy/systemd');
const UNIT = await readFile(join(FOLDER, 'herald@.service'), 'utf8');

/** What `systemd-analyze security` may say at most, on its scale from 0 to 100: anything below 20 is called OK. */
const MOST_EXPOSED = 15;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-systemd-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** All values of a setting of the unit. */
function settings(name: string): string[] {
  return [...UNIT.matchAll(RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
}

/** The variables of an environment file. */
async function variablesOf(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(join(FOLDER, file), 'utf8')).split('\n').filter((line) => /^[A-Z]/.test(line));
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

describeWith(systemdAnalyze, 'the unit of systemd', (program) => {
  it('is one that systemd understands, and shuts the service in', async () => {
    // Where this machine has what the unit expects in its own places.
    const here = UNIT.replaceAll('/usr/bin/node', process.execPath).replaceAll('/opt/herald', ROOT);
    await writeFile(join(folder, 'herald@.service'), here);
    await cp(join(folder, 'herald@.service'), join(folder, 'herald@1.service'));
    const verified = spawnSync(program, ['verify', join(folder, 'herald@1.service')], { encoding: 'utf8' });
    const about = verified.stderr.split('\n').filter((line) => line.includes('herald@'));
    expect([verified.status, about]).toEqual([0, []]);
    const args = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`, join(folder, 'herald@1.service')];
    const { status, stdout } = spawnSync(program, args, {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_PAGER: '' },
    });
    expect(stdout).toContain('Overall exposure level');
    expect(status).toBe(0);
  });

  it('is told of a word that systemd does not know', async () => {
    await writeFile(join(folder, 'a.service'), UNIT.replace('KillMode=mixed', 'KillMode=gently'));
    const { stderr } = spawnSync(program, ['verify', join(folder, 'a.service')], { encoding: 'utf8' });
    expect(stderr).toContain('kill mode');
  });

  describeWith(strace, 'and strace', (tracer) => {
    it('allows each system call and each kind of socket of a service at work', async () => {
      const calls = join(folder, 'calls');
      await using herald = await startHerald({
        wrapper: [tracer, '-f', '-qq', '-o', calls, '-e', 'signal=none'],
        env: {
          ...TLS_ENVIRONMENT,
          HERALD_PUBLISHER_KEY: PUBLISHER_KEY,
          HERALD_SUBSCRIBER_KEY: SUBSCRIBER_KEY,
          HERALD_ANONYMOUS: 'true',
          HERALD_JOURNAL: `lmdb:${folder}/log`,
          HERALD_INTERNAL_LISTEN: '127.0.0.1:0',
        },
      });
      const authorization = `Bearer ${await publisherToken({ claims: { aud: herald.url + HUB } })}`;
      await using stream = await openStream(`${herald.url}${HUB}?match=urn:a`);
      const published = await send(
        `${herald.url}${HUB}`,
        { method: 'POST', headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' } },
        'topic=urn:a&data=1',
      );
      expect(published.statusCode).toBe(200);
      await stream.take(1);
      await textOf(await send(`${await internalUrlOf(herald)}/metrics`));
      // strace passes the signal on to nobody, so its child is asked.
      const children = await readFile(`/proc/${herald.pid}/task/${herald.pid}/children`, 'utf8');
      process.kill(Number(children.trim()), 'SIGTERM');
      await herald.exit();
      const text = await readFile(calls, 'utf8');
      const made = new Set([...text.matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = '']) => name));
      expect(made.size).toBeGreaterThan(40);
      const permitted = allowed(program);
      expect([...made].filter((name) => !permitted.has(name))).toEqual([]);
      const families = new Set([...text.matchAll(/ socket(?:pair)?\((AF_\w+)/g)].map(([, name = '']) => name));
      expect(settings('RestrictAddressFamilies')[0]?.split(' ')).toEqual(expect.arrayContaining([...families]));
    });
  });
});

/** The system calls that the unit allows. */
function allowed(program: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const value of settings('SystemCallFilter')) {
    const isTaken = value.startsWith('~');
    for (const name of value
      .replace('~', '')
      .split(' ')
      .flatMap((group) => callsOf(program, group))) {
      if (isTaken) found.delete(name);
      else found.add(name);
    }
  }
  return found;
}

function callsOf(program: string, group: string): string[] {
  const { stdout } = spawnSync(program, ['syscall-filter', '--no-pager', group], { encoding: 'utf8' });
  const names = stdout.split('\n').flatMap((line) => /^ +(@?\w[\w-]*)$/.exec(line)?.[1] ?? []);
  return names.flatMap((name) => (name.startsWith('@') ? callsOf(program, name) : [name]));
}

describe('the unit and its environment files', () => {
  it('agree on where things are, and on what ends are worth another start', async () => {
    expect(settings('ExecStart')).toEqual(['/usr/bin/node --enable-source-maps dist/server/main.js']);
    expect(settings('EnvironmentFile')).toEqual(['/etc/herald/herald.env', '-/etc/herald/%i.env']);
    expect(settings('RestartPreventExitStatus')).toEqual(['78']);
    expect(settings('User')).toEqual([
      /^u (\w+)/m.exec(await readFile(join(FOLDER, 'herald.sysusers.conf'), 'utf8'))?.[1],
    ]);
    expect(secondsOf(settings('TimeoutStopSec')[0])).toBeGreaterThan(longestEnd(await variablesOf('herald.env')));
  });

  describeWith(redisServer, 'with Redis', (server) => {
    it('start a Herald that is ready', async () => {
      await using redis = await RedisServer.start(server);
      for (const key of ['publisher_key', 'subscriber_key']) await writeFile(join(folder, key), PUBLISHER_KEY);
      await writeFile(join(folder, 'journal'), `${redis.url}\n`);
      const own = { ...(await variablesOf('herald.env')), ...(await variablesOf('1.env')) };
      const here = JSON.parse(JSON.stringify(own).replaceAll('/etc/herald', folder)) as Record<string, string>;
      const listen = { PORT: String(await freePort()), HERALD_INTERNAL_LISTEN: '127.0.0.1:0' };
      await using herald = await startHerald({ env: { NODE_ENV: 'production', ...here, ...listen } });
      expect((await fetch(`${await internalUrlOf(herald)}/health/ready`)).status).toBe(200);
      expect(herald.logs()).not.toMatch(/"level":(?:40|50|60)/);
    });
  });
});
