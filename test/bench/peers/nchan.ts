import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVER_CORE, type Program, freePort, startProgram, untilReady } from '../processes.js';
import { nchanConfiguration } from './nchan-configuration.js';
import type { Peer, RunningPeer } from './peer.js';

const NGINX = 'nginx';
/** Where Debian's `libnginx-mod-nchan` puts it, and where other distributions do. */
const MODULE_PLACES = [
  '/usr/lib/nginx/modules/ngx_nchan_module.so',
  '/usr/lib64/nginx/modules/ngx_nchan_module.so',
  '/etc/nginx/modules/ngx_nchan_module.so',
];

/** nchan in nginx with one worker. */
export const nchan: Peer = {
  name: 'nchan',
  resumes: true,
  describe: () => `nchan ${nchanVersion()} in nginx ${nginxVersion() ?? ''}, one worker, memory store`,
  missing: () => {
    if (nginxVersion() === undefined) return 'nginx is not installed (Debian: nginx-light and libnginx-mod-nchan)';
    return modulePath() === undefined ? 'nginx has no nchan module (Debian: libnginx-mod-nchan)' : undefined;
  },
  start: startNchan,
};

async function startNchan(): Promise<RunningPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'herald-bench-nchan-'));
  const port = await freePort();
  const configuration = join(folder, 'nginx.conf');
  await writeFile(configuration, nchanConfiguration({ folder, port, modulePath: modulePath() ?? '' }));
  const program = startProgram(
    SERVER_CORE,
    [NGINX, '-p', folder, '-e', join(folder, 'error.log'), '-c', configuration],
    {
      // The master ends its worker with it; it could not on SIGKILL.
      stopSignal: 'SIGTERM',
    },
  );
  const stop = async (): Promise<void> => {
    await program.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(program, port, '/ready');
    return { target: target(port), pids: [program.pid, ...(await workersOf(program))], stop };
  } catch (error) {
    const log = join(folder, 'error.log');
    const written = existsSync(log) ? readFileSync(log, 'utf8').trim() : '';
    await stop();
    throw new Error(`nginx did not start: ${written}`, { cause: error });
  }
}

function target(port: number): RunningPeer['target'] {
  return {
    port,
    subscribePath: '/subscribe?topic={topic}',
    publishPath: '/publish?topic={topic}',
    publishHeaders: { 'Content-Type': 'text/plain' },
    publishBody: '{data}',
  };
}

/** The worker is up, since it has answered; the kernel lists it as the master's child. */
async function workersOf(program: Program): Promise<number[]> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const children = readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, 'utf8').trim();
    if (children !== '') return children.split(' ').map(Number);
    await delay(50);
  }
  throw new Error('nginx has no worker');
}

function modulePath(): string | undefined {
  return MODULE_PLACES.find((path) => existsSync(path));
}

function nginxVersion(): string | undefined {
  const { status, stderr } = spawnSync(NGINX, ['-v'], { encoding: 'utf8' });
  return status === 0 ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? 'of an unknown version') : undefined;
}

/** The module does not tell its version; the package manager may. */
function nchanVersion(): string {
  const { status, stdout } = spawnSync('dpkg-query', ['-W', '-f', '${Version}', 'libnginx-mod-nchan'], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'of an unknown version';
}
