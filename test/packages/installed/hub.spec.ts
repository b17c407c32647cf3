import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { send, textOf } from '../../support/event-stream.js';
import { freePort } from '../../support/examples.js';
import { SUBSCRIBER_KEY } from '../../support/hub.js';
import { Project } from '../project.js';
import { Tarballs } from '../tarballs.js';

const INSTALLATION = 300_000;

/** What npx needs; it asks no registry. */
const ENV = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', npm_config_offline: 'true' };

describe('herald-hub, installed', () => {
  let project: Project;
  let installed: string;

  beforeAll(async () => {
    await using tarballs = await Tarballs.make();
    project = await Project.empty();
    installed = await project.install(tarballs.pathOf('herald-hub'));
  }, INSTALLATION);
  afterAll(() => project[Symbol.asyncDispose]());

  it('came without a conflict', () => {
    expect(installed).not.toMatch(/ERESOLVE|deprecated/);
  });

  it('serves the page and the hub by npx, and ends with it', async () => {
    const port = await freePort();
    const npx = spawn('npx', ['herald-hub'], {
      cwd: project.path,
      env: { ...ENV, PORT: String(port) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const listens = new Promise<void>((resolve, reject) => {
      for (const stream of [npx.stdout, npx.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text;
          if (output.includes('Herald is at')) resolve();
        });
      }
      npx.once('close', () => reject(new Error(`npx has ended: ${output}`)));
    });
    await listens;
    const url = `http://127.0.0.1:${port}`;
    expect(await textOf(await send(url))).toContain('<!doctype html>');
    expect((await send(`${url}/.well-known/mercure?match=urn:t`)).statusCode).toBe(401);
    // Once nobody has its output open any more, the service has ended too.
    const closed = once(npx, 'close');
    npx.kill('SIGTERM');
    await closed;
    await expect(send(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it.each(['herald-hub', 'herald'])('is the command line by npx %s', async (command) => {
    const { version } = await project.manifestOf('herald-hub');
    expect(await project.command('npx', [command, '--version'], ENV)).toBe(`herald ${version}\n`);
    const env = { ...ENV, HERALD_SUBSCRIBER_KEY: SUBSCRIBER_KEY };
    expect(await project.command('npx', [command, 'token', '--subscribe', '*'], env)).toMatch(/^ey/);
  });
});
