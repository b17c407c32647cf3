import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { curl, describeWith, haproxy, openssl, prometheus, redisServer } from '../support/programs.js';
import { freePort } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Milliseconds that all of it may take. */
const PATIENCE = 120_000;

/** The ports that the document names. */
const PORTS = ['6390', '8080', '8081', '8082', '8443', '9090', '9091', '9092'];

let folder: string;
let shell: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'herald-two-'));
});
afterEach(async () => {
  // A group of its own, with all that it has started.
  if (shell?.pid) process.kill(-shell.pid, 'SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** What the document tells to type, for this machine: other ports and folders, and an alert that does not wait. */
async function script(): Promise<string> {
  const text = await readFile(`${ROOT}/docs/operations.md`, 'utf8');
  const blocks = [...text.matchAll(/<!-- example: two Heralds -->\n\n```sh\n(.*?)\n```/gs)].map(([, block]) => block);
  expect(blocks).toHaveLength(7);
  const ports = await Promise.all(PORTS.map(async (port) => [port, String(await freePort())] as const));
  const moved = (whole: string): string =>
    ports.reduce((here, [port, free]) => here.replaceAll(RegExp(`(?<=[: =])${port}\\b`, 'g'), free), whole);
  await cp(`${ROOT}/deploy/prometheus`, `${folder}/rules`, { recursive: true });
  await change(`${folder}/rules/alerts.yaml`, (rules) => rules.replaceAll(/^ +for: .*\n/gm, ''));
  await change(`${folder}/rules/prometheus.yml`, (settings) => moved(settings).replaceAll('15s', '1s'));
  await cp(`${ROOT}/deploy/haproxy/haproxy.cfg`, `${folder}/haproxy.cfg`);
  await change(`${folder}/haproxy.cfg`, (settings) =>
    // Nobody but root can become another user.
    process.getuid?.() === 0 ? moved(settings) : moved(settings).replaceAll(/^ +(?:user|group) .*\n/gm, ''),
  );
  return moved(blocks.join('\n'))
    .replaceAll('/opt/herald/deploy/prometheus', `${folder}/rules`)
    .replaceAll('/opt/herald/deploy/haproxy', folder)
    .replaceAll('/opt/herald', ROOT)
    .replaceAll('sudo ', '');
}

async function change(path: string, by: (text: string) => string): Promise<void> {
  await writeFile(path, by(await readFile(path, 'utf8')));
}

describeWith(curl, 'two Heralds on one machine', () => {
  describeWith(openssl, 'with openssl', () => {
    describeWith(redisServer, 'with Redis', () => {
      describeWith(haproxy, 'with HAProxy', () => {
        describeWith(prometheus, 'with Prometheus', () => {
          it(
            'are there after what docs/operations.md says, with metrics and an alert',
            async () => {
              const env = { PATH: `${process.env['PATH']}:/usr/sbin`, HOME: folder };
              const text = await script();
              shell = spawn('/bin/sh', ['-e', '-c', text], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
              let output = '';
              for (const stream of [shell.stdout, shell.stderr]) {
                stream?.setEncoding('utf8').on('data', (part: string) => (output += part));
              }
              const [status] = (await once(shell, 'exit')) as [number | null];
              expect([status, output]).toEqual([0, expect.stringContaining('ok   buffering: an update came')]);
              expect(output).not.toMatch(/^fail/m);
            },
            PATIENCE,
          );
        });
      });
    });
  });
});
