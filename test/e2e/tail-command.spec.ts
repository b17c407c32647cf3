import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { runCli } from '../support/cli.js';
import { untilConnections } from '../support/admin.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, HUB_ENVIRONMENT, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { freePort } from '../support/redis.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE = 20_000;

/** A `herald tail` that runs. */
class Tail implements AsyncDisposable {
  output = '';
  errors = '';
  readonly child;
  private wakeUp = (): void => undefined;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, ['dist/server/cli.js', 'tail', ...args], {
      cwd: ROOT,
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => this.take(() => (this.output += text)));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => this.take(() => (this.errors += text)));
    this.child.on('close', () => this.wakeUp());
  }

  get lines(): string[] {
    return this.output.split('\n').slice(0, -1);
  }

  async until(condition: (tail: this) => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(PATIENCE);
    deadline.addEventListener('abort', () => this.wakeUp());
    while (!condition(this)) {
      if (deadline.aborted || this.child.exitCode !== null) throw new Error(`in vain: ${this.output}${this.errors}`);
      await new Promise<void>((resolve) => (this.wakeUp = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'close');
  }

  private take(keep: () => void): void {
    keep();
    this.wakeUp();
  }
}

const ENV = { HERALD_ADMIN_KEY: ADMIN_KEY };

/** Follows a hub, from the time when the hub has the stream. */
async function tail(
  herald: Herald,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Tail> {
  const running = new Tail(['--url', herald.url + HUB, ...args], env);
  await untilConnections(herald, ({ length }) => length === 1);
  return running;
}

describe('herald tail', () => {
  it('prints time, topics, type, id and the first line of data, and nothing that a terminal would obey', async () => {
    await using herald = await startHub(ENV);
    using publisher = await Publisher.of(herald);
    await using running = await tail(herald);
    await publisher.publish({ topic: ['urn:a', 'urn:b'], data: 'one\u001b[2J\ntwo\nthree', type: 'news', id: 'urn:1' });
    await running.until(({ lines }) => lines.length === 1);
    expect(running.lines[0]).toMatch(
      /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}urn:a urn:b {2}\[news\] {2}urn:1 {2}one\\u\{1b\}\[2J \(and 2 more lines\)$/,
    );
    expect(running.errors).toBe('');
  });

  it('prints with --json what herald publish takes, and only what is asked for', async () => {
    await using herald = await startHub(ENV);
    using publisher = await Publisher.of(herald);
    await using running = await tail(herald, ['--json', '--match', 'https://example.com/:id', '--match=exact:urn:x']);
    await publisher.publish({ topic: 'urn:other', data: 'x' });
    await publisher.publish({ topic: 'https://example.com/7', data: 'a\nb\u009b', id: 'urn:1' });
    await publisher.publish({ topic: 'urn:x', data: '' });
    await running.until(({ lines }) => lines.length === 2);
    const updates = running.lines.map((line) => JSON.parse(line) as object);
    expect(updates).toMatchObject([
      { topics: ['https://example.com/7'], data: 'a\nb\u009b', id: 'urn:1' },
      { topics: ['urn:x'] },
    ]);
    expect(running.output).not.toContain('\u009b');
    await using other = await startHub();
    const { status, errors } = await runCli(
      ['publish', '--ndjson', '--url', other.url + HUB],
      { HERALD_TOKEN: (await runCli(['token', '--publish', '*'], HUB_ENVIRONMENT)).output.trim() },
      running.output,
    );
    expect([status, errors]).toEqual([0, '2 of 2 updates were stored.\n']);
  });

  it('goes on where it was after a break, and says so beside the output', async () => {
    const port = await freePort();
    const directory = { HERALD_JOURNAL: 'memory:' };
    await using first = await startHub({ ...ENV, ...directory }, port);
    await using running = await tail(first, ['--json']);
    {
      using publisher = await Publisher.of(first);
      await publisher.publish({ topic: 'urn:a', data: '1' });
    }
    await running.until(({ lines }) => lines.length === 1);
    await first.kill('SIGKILL');
    await running.until(({ errors }) => errors.includes('trying again'));
    await using second = await startHub(ENV, port);
    await running.until(({ errors }) => errors.includes('The stream goes on.'));
    using publisher = await Publisher.of(second);
    await publisher.publish({ topic: 'urn:a', data: '2' });
    await running.until(({ lines }) => lines.length === 2);
    // The log was in the memory of the first one.
    expect(running.errors).toMatch(
      /^The stream has broken \(.+\): trying again\.\nThe stream goes on\.\nSome updates are missing here \(not-held\)\.\n$/,
    );
  });

  it('has a token from HERALD_TOKEN, or mints one, or does with public updates', async () => {
    await using herald = await startHub(ENV);
    using publisher = await Publisher.of(herald);
    for (const [env, isPrivate] of [
      [{ HERALD_TOKEN: await subscriberToken() }, true],
      [HUB_ENVIRONMENT, true],
      [{}, false],
    ] as const) {
      await using running = await tail(herald, ['--json'], env);
      await publisher.publish({ topic: 'urn:a', data: 'private', private: 'on' });
      await publisher.publish({ topic: 'urn:a', data: 'public' });
      await running.until(({ output }) => output.includes('"public"'));
      expect(running.output.includes('"private"')).toBe(isPrivate);
      await running[Symbol.asyncDispose]();
      await untilConnections(herald, ({ length }) => length === 0);
    }
  });

  it('ends with status 1 where the hub refuses or is away, and 64 where it is called wrongly', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    const refused = await runCli(['tail', '--url', herald.url + HUB]);
    expect(refused).toMatchObject({
      status: 1,
      output: '',
      errors: expect.stringMatching(/^The hub refuses: status 401, /),
    });
    const away = await runCli(['tail'], { HERALD_URL: `http://127.0.0.1:${await freePort()}${HUB}` });
    expect(away).toMatchObject({
      status: 1,
      output: '',
      errors: expect.stringMatching(/^The hub can't be reached: .*ECONNREFUSED/),
    });
    for (const args of [['--url', 'hub'], ['--url', 'ftp://x/'], ['--follow'], ['--match', 'urlpattern:/{']]) {
      expect(await runCli(['tail', ...args])).toMatchObject({ status: 64, output: '' });
    }
  });

  it('ends at once with a closed output, and with Ctrl-C, without a word', async () => {
    await using herald = await startHub(ENV);
    using publisher = await Publisher.of(herald);
    await using closed = await tail(herald);
    closed.child.stdout.destroy();
    const isOver = once(closed.child, 'close');
    await publisher.publish({ topic: 'urn:a', data: '1' });
    expect([(await isOver)[0], closed.errors]).toEqual([141, '']);
    await untilConnections(herald, ({ length }) => length === 0);
    await using interrupted = await tail(herald);
    interrupted.child.kill('SIGINT');
    expect([(await once(interrupted.child, 'close'))[1], interrupted.output + interrupted.errors]).toEqual([
      'SIGINT',
      '',
    ]);
  });
});
