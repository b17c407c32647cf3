import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file with a program, and what runs it. */
export interface SnippetRun {
  readonly text: string;
  readonly file: string;
  readonly command: readonly [string, ...string[]];
  readonly token: string;
}

/** A program of the console's, in a folder of its own until the test is over. */
export class SnippetProgram implements AsyncDisposable {
  output = '';
  private hasEnded = false;
  private wakeUp = (): void => undefined;

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly ended: Promise<unknown>,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.wakeUp();
      });
    }
    child.once('close', () => {
      this.hasEnded = true;
      this.wakeUp();
    });
  }

  static async start({ text, file, command: [program, ...args], token }: SnippetRun): Promise<SnippetProgram> {
    const folder = await mkdtemp(join(tmpdir(), 'herald-snippet-'));
    await writeFile(join(folder, file), text);
    const { PATH, HOME } = process.env;
    // Go builds what it runs as another process, so that all of them are ended as a group.
    const child = spawn(program, args, { cwd: folder, env: { PATH, HOME, HERALD_TOKEN: token }, detached: true });
    return new SnippetProgram(child, folder, once(child, 'close'));
  }

  /** Resolves once it has printed a line with this text alone. */
  async prints(text: string): Promise<void> {
    while (!this.lines.includes(text)) {
      if (this.hasEnded) throw new Error(`the program has ended: ${this.output}`);
      await new Promise<void>((resolve) => {
        this.wakeUp = resolve;
      });
    }
  }

  get lines(): string[] {
    return this.output.split('\n').map((line) => line.trimEnd());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.child;
    if (pid !== undefined && !this.hasEnded) process.kill(-pid, 'SIGKILL');
    await this.ended;
    await rm(this.folder, { recursive: true });
  }
}
