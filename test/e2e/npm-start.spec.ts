import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { send } from '../support/event-stream.js';
import { runCli } from '../support/cli.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-npm-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function textUntil(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  child.stdout?.setEncoding('utf8');
  for await (const part of child.stdout ?? []) {
    text += String(part);
    const found = pattern.exec(text);
    if (found) return found;
  }
  throw new Error(`the output ended without ${String(pattern)}: ${text}`);
}

/** How the last attempt to reach an address fails, once nobody listens there any more. */
async function failureOf(url: string): Promise<unknown> {
  for (;;) {
    const answer = await send(`${url}/health/live`).catch((error: NodeJS.ErrnoException) => error.code);
    if (typeof answer !== 'object') return answer;
    answer.resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The process that runs exactly this command, below the npm of this test. */
async function pidOf(command: string): Promise<number> {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    const folderOf = await readlink(`/proc/${name}/cwd`).catch(() => '');
    if (folderOf === folder && line.replaceAll('\0', ' ').trim() === command) return Number(name);
  }
  throw new Error('the service is not among the processes');
}

async function untilGone(pid: number): Promise<void> {
  const isThere = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (isThere()) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('a service that npm has started', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('ends with npm, however that ends: %s', async (signal) => {
    const start = `node --enable-source-maps ${join(ROOT, 'dist/server/main.js')}`;
    await writeFile(join(folder, 'package.json'), JSON.stringify({ scripts: { start } }));
    const npm = spawn('npm', ['start'], {
      cwd: folder,
      env: { ...process.env, PORT: '0', NO_UPDATE_NOTIFIER: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [, url = ''] = await textUntil(npm, /Herald is at (https?:\/\/[^"\s]+)/);
    const service = await pidOf(start);
    const exited = once(npm, 'exit');
    npm.kill(signal);
    await exited;
    expect(await failureOf(url)).toMatch(/^ECONN(?:REFUSED|RESET)$/);
    // Nobody reads its output any more, which must not keep it from ending.
    await untilGone(service);
  });
});

describe('the stamp of a build', () => {
  const stamp = (...args: string[]): Promise<number | null> =>
    once(spawn(process.execPath, ['build-stamp.js', ...args], { cwd: folder, stdio: 'ignore' }), 'exit').then(
      ([code]) => code as number | null,
    );

  it('says whether something has changed, and a build that was broken off has none', async () => {
    await cp(join(ROOT, 'build-stamp.js'), join(folder, 'build-stamp.js'));
    for (const name of ['src/deep', 'client', 'dist/server', 'test'])
      await mkdir(join(folder, name), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, 'src/deep/a.ts'), 'a');
    expect(await stamp()).toBe(1);
    expect([await stamp('--write'), await stamp()]).toEqual([0, 0]);
    await writeFile(join(folder, 'test/b.ts'), 'what is not built does not count');
    expect(await stamp()).toBe(0);
    for (const file of ['src/deep/a.ts', 'client/new.ts', 'package.json']) {
      await writeFile(join(folder, file), '{"type":"module", "other": true}');
      expect(await stamp()).toBe(1);
      expect([await stamp('--write'), await stamp()]).toEqual([0, 0]);
    }
    await rm(join(folder, 'dist/server'), { recursive: true });
    expect(await stamp()).toBe(1);
  });
});

describe('the command', () => {
  it('can be run after each build', async () => {
    for (const program of ['cli.js', 'start.js']) {
      const { mode } = await stat(join(ROOT, 'dist/server', program));
      expect(mode & 0o111).toBe(0o111);
    }
    expect(await runCli(['--help'])).toMatchObject({ status: 0 });
  });
});
