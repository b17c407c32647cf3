import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Received } from '../../clients/client.js';
import { Waiting } from '../../clients/support/waiting.js';
import { programInGuide } from './guide.js';
import type { Language } from './languages.js';

/** What is fetched and built stays until the next `npm ci`, so that only the first run takes long. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/herald-clients/', import.meta.url));

/** What the programs of the guide read from their environment. */
export interface FollowOptions {
  readonly url: string;
  readonly token: string;
  readonly lastId?: string;
}

/** Makes the guide's program for this language ready to run, and resolves with the folder in which it is. */
export async function buildProgram(language: Language): Promise<string> {
  const folder = join(CACHE, language.name);
  await mkdir(folder, { recursive: true });
  await cp(fileURLToPath(new URL(language.name, import.meta.url)), folder, { recursive: true });
  await writeFile(join(folder, language.file), programInGuide(language.name));
  for (const [command, ...args] of language.build) {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`${command} ended with ${code} for ${language.name}`);
  }
  return folder;
}

/** The guide's program, which prints a line of JSON for each event. `await using` ends it. */
export class Follower implements AsyncDisposable {
  readonly events: Received[] = [];
  private readonly waiting = new Waiting();
  private readonly child: ChildProcess;
  private readonly closed: Promise<number | null>;
  private complaints = '';
  /** The beginning of a line whose end has not come yet. */
  private unfinished = '';
  private code: number | null | undefined;

  constructor({ run: [command, ...args] }: Language, folder: string, { url, token, lastId = '' }: FollowOptions) {
    this.child = spawn(command, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', URL: url, TOKEN: token, LAST_ID: lastId },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.child;
    stdout?.setEncoding('utf8').on('data', (text: string) => this.read(text));
    stderr?.setEncoding('utf8').on('data', (text: string) => (this.complaints += text));
    this.closed = once(this.child, 'close').then(([code]) => {
      this.code = code as number | null;
      this.waiting.wakeUp();
      return this.code;
    });
  }

  /** What it wrote to standard error so far. */
  get errorOutput(): string {
    return this.complaints;
  }

  get data(): string[] {
    return this.events.map(({ data }) => data);
  }

  /** Resolves once an event with this data has come. */
  async until(wanted: string): Promise<void> {
    await this.holds(`"${wanted.slice(0, 100)}"`, () => this.data.includes(wanted));
  }

  /** Resolves once so many events have come. */
  async received(count: number): Promise<void> {
    await this.holds(`${count} events`, () => this.events.length >= count);
  }

  /** Resolves with the program's status once it has ended. */
  exit(): Promise<number | null> {
    return this.waiting.for(
      () => 'the end of the program',
      () => this.code,
    );
  }

  /** Rejects once the program has ended, with what it said. */
  async failure(): Promise<never> {
    const code = await this.closed;
    throw new Error(`the program has ended with ${code}: ${this.complaints}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }

  private holds(what: string, condition: () => boolean): Promise<true> {
    return this.waiting.for(
      () => `${what} after ${JSON.stringify(this.data.slice(-5)).slice(-1_000)}; it said: ${this.complaints}`,
      () => condition() || undefined,
    );
  }

  private read(text: string): void {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop() ?? '';
    for (const line of lines) this.receive(line);
  }

  private receive(line: string): void {
    const { id, type, data } = JSON.parse(line) as Partial<Received>;
    // Some libraries name no type where the publisher did not, and have no data where there is none.
    this.events.push({ id: id ?? '', type: type || 'message', data: data ?? '' });
    this.waiting.wakeUp();
  }
}
