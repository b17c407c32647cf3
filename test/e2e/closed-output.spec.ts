import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { runCli } from '../support/cli.js';
import { publisherToken, startHub } from '../support/hub.js';

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url));

/** What a shell reports of a program that SIGPIPE has ended. */
const BROKEN_PIPE = 141;

/** More than a pipe and the buffers at its ends hold. */
const UPDATES = 3_000;
const DATA = 'x'.repeat(500);

interface Ran {
  readonly status: number | null;
  readonly errors: string;
}

/** Runs a command whose output is closed after its first bytes, or before any. */
async function runClosed(args: readonly string[], when: 'first' | 'before', env = {}, input = ''): Promise<Ran> {
  const child = spawn(process.execPath, [CLI, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const errors = text(child.stderr);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  if (when === 'first') await once(child.stdout, 'data');
  child.stdout.destroy();
  const [status] = await ended;
  return { status, errors: await errors };
}

describe('a command whose output nobody reads any more', () => {
  let folder: string;
  const journal = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'herald-closed-'));
    const lines = Array.from({ length: UPDATES }, (_, index) =>
      JSON.stringify({
        position: index + 1,
        storedAt: index,
        id: `urn:uuid:${index}`,
        topics: [`urn:${index % 2 === 0 ? 'even' : 'odd'}`],
        data: DATA,
        private: false,
      }),
    );
    const head = JSON.stringify({ journal: 'herald', format: 1, entries: UPDATES });
    await writeFile(journal('export'), `${[head, ...lines].join('\n')}\n`);
    await runCli(['journal', 'import', journal('one'), journal('export')]);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('ends quietly where it was telling something, as other tools do', async () => {
    expect(await runClosed(['journal', 'export', journal('one')], 'first')).toEqual({
      status: BROKEN_PIPE,
      errors: '',
    });
  });

  it.each([['help'], ['token', '--help'], ['token', '--publish', '*'], ['journal', 'stats', 'PATH']])(
    'ends quietly before it has told anything: %s %s',
    async (...args) => {
      const real = args.map((arg) => (arg === 'PATH' ? journal('one') : arg));
      const env = { HERALD_PUBLISHER_KEY: 'k'.repeat(32) };
      expect(await runClosed(real, 'before', env)).toEqual({ status: BROKEN_PIPE, errors: '' });
    },
  );

  it('brings to its end what changes a journal, and has its own status', async () => {
    expect(await runClosed(['journal', 'import', journal('two'), journal('export')], 'before')).toEqual({
      status: 0,
      errors: '',
    });
    const purged = await runClosed(['journal', 'purge', journal('two'), '--topic', 'urn:even'], 'before');
    expect(purged).toEqual({ status: 0, errors: '' });
    const { output } = await runCli(['journal', 'stats', journal('two')]);
    expect(output).toMatch(new RegExp(`^entries +${UPDATES / 2}$`, 'm'));
  });

  it('publishes all that it was given', async () => {
    await using hub = await startHub();
    const lines = Array.from({ length: 100 }, (_, index) => JSON.stringify({ topic: 'urn:a', data: `${index}` }));
    const env = { HERALD_TOKEN: await publisherToken() };
    const url = `${hub.url}/.well-known/mercure`;
    const { status, errors } = await runClosed(
      ['publish', '--ndjson', '--url', url],
      'before',
      env,
      `${lines.join('\n')}\n`,
    );
    expect({ status, errors }).toEqual({ status: 0, errors: '100 of 100 updates were stored.\n' });
  });
});
