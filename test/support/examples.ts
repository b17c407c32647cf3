import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { send } from './event-stream.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The code under the mark `<!-- example: NAME -->` of a document. */
export async function exampleIn(document: string, name: string): Promise<string> {
  const text = await readFile(join(ROOT, 'docs', document), 'utf8');
  const mark = `<!-- example: ${name} -->`;
  const code = text.includes(mark) ? /^```\w+\n(.*?)^```$/ms.exec(text.slice(text.indexOf(mark)))?.[1] : undefined;
  if (code === undefined) throw new Error(`${document} has no example "${name}"`);
  return code;
}

/** TypeScript with decorators as JavaScript. */
export async function compiled(text: string): Promise<string> {
  const { code } = await transform(text, {
    filename: 'main.ts',
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
    module: { type: 'es6' },
  });
  return code;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

export interface ExampleOptions {
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program of a document that runs until the test is over, in a folder of its own. */
export class ExampleProgram implements AsyncDisposable {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
  }

  /**
   * Resolves once it answers.
   * @param command in which `$PORT` is the port that it is to listen on, which it also has in its environment.
   */
  static async start(
    files: Readonly<Record<string, string>>,
    command: readonly [string, ...string[]],
    { port, env = {} }: ExampleOptions = {},
  ): Promise<ExampleProgram> {
    // Below the project, where its packages are found.
    const folder = await mkdtemp(join(ROOT, 'dist/example-'));
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
    const ownPort = String(port ?? (await freePort()));
    const [program, ...args] = command.map((part) => part.replaceAll('$PORT', ownPort)) as [string, ...string[]];
    const child = spawn(program, args, {
      cwd: folder,
      env: { ...process.env, ...env, PORT: ownPort },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const example = new ExampleProgram(child, folder, `http://127.0.0.1:${ownPort}`);
    await example.untilItAnswers();
    return example;
  }

  private async untilItAnswers(): Promise<void> {
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the example has ended: ${this.output}`);
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
