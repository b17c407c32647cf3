import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { transform } from '@swc/core';
import { send } from '../support/event-stream.js';
import { exampleIn } from '../support/examples.js';
import { Publisher, startHub, subscribe } from '../support/hub.js';
import { describeWith, php } from '../support/programs.js';
import { dataOf } from '../protocol/exchange.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json' };

/** A program that runs until the test is over, in a folder of its own. */
class Running implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async start(
    parent: string,
    files: Readonly<Record<string, string>>,
    command: (folder: string, port: number) => readonly [string, ...string[]],
  ): Promise<Running> {
    const folder = await mkdtemp(join(parent, 'herald-example-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const port = await freePort();
    const [program, ...args] = command(folder, port);
    const child = spawn(program, args, { cwd: folder, env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
    const running = new Running(child, folder, `http://127.0.0.1:${port}`);
    await running.untilItAnswers();
    return running;
  }

  private async untilItAnswers(): Promise<void> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the example ended with ${this.child.exitCode}`);
      const answer = await send(`${this.url}/`).catch(() => undefined);
      if (answer) return void answer.resume();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill();
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    await rm(this.folder, { recursive: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Logs in, and checks that the user gets what is theirs, and that nobody else does. */
async function expectSessionsToCount(
  application: Running,
  { login, authorize, body }: { login: string; authorize: string; body: string },
): Promise<void> {
  const headers = body.startsWith('{') ? JSON_BODY : FORM;
  const answer = await send(`${application.url}${login}`, { method: 'POST', headers }, body);
  answer.resume();
  expect(answer.statusCode).toBe(204);
  // Of several of the same name, a browser keeps the last one.
  const cookie = answer.headers['set-cookie']?.at(-1)?.split(';')[0] ?? '';
  expect(cookie).not.toBe('');
  await using herald = await startHub({ HERALD_AUTHORIZE_URL: application.url + authorize });
  await using ann = await subscribe(herald, { query: 'match=*', headers: { cookie } });
  await using nobody = await subscribe(herald, { query: 'match=*', headers: { cookie: 'session=none' } });
  using publisher = await Publisher.of(herald);
  await publisher.publish({ topic: 'https://example.com/users/ann', data: 'for ann', private: 'on' });
  await publisher.publish({ topic: 'https://example.com/users/bob', data: 'for bob', private: 'on' });
  await publisher.publish({ topic: 'urn:all', data: 'for all' });
  for (const stream of [ann, nobody]) await stream.until(({ events }) => events.at(-1)?.data === 'for all');
  expect([dataOf(ann), dataOf(nobody)]).toEqual([['for ann', 'for all'], ['for all']]);
}

describe('the example of an application with sessions', () => {
  it('in Nest works as it is printed', async () => {
    const { code } = await transform(await exampleIn('sessions.md', 'nest'), {
      filename: 'main.ts',
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'es6' },
    });
    // Below the project, where its packages are found.
    const files = { 'main.mjs': code };
    await using application = await Running.start(join(ROOT, 'dist'), files, () => [process.execPath, 'main.mjs']);
    await expectSessionsToCount(application, {
      login: '/login',
      authorize: '/herald/authorize',
      body: JSON.stringify({ name: 'ann' }),
    });
  });
});

describeWith(php, 'the example of an application with sessions, in PHP', (program) => {
  it('works as it is printed', async () => {
    const files = {
      'login.php': await exampleIn('sessions.md', 'php login.php'),
      'authorize.php': await exampleIn('sessions.md', 'php authorize.php'),
    };
    await using application = await Running.start(tmpdir(), files, (folder, port) => [
      program,
      '-d',
      `session.save_path=${folder}`,
      '-S',
      `127.0.0.1:${port}`,
    ]);
    await expectSessionsToCount(application, { login: '/login.php', authorize: '/authorize.php', body: 'name=ann' });
  });
});
