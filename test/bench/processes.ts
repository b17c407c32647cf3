import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The server has this core for itself; the load generator and the benchmark's own process share the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

const READY_DEADLINE_MILLISECONDS = 15_000;
const STOP_DEADLINE_MILLISECONDS = 5_000;
const KEPT_OUTPUT_CHARACTERS = 4_000;

const programs = new Set<Program>();

/** Whether `taskset` is there to pin processes with. */
export const canPin = spawnSync('taskset', ['--version']).status === 0;

/** Starts a program, pinned to a core where that is possible. The end of what it writes to stderr is kept. */
export function startProgram(core: number, command: readonly string[], options: ProgramOptions = {}): Program {
  const line = canPin ? ['taskset', '--cpu-list', String(core), ...command] : [...command];
  const { stopSignal = 'SIGKILL', ...spawnOptions } = options;
  const child = spawn(line[0] ?? '', line.slice(1), { stdio: ['ignore', 'ignore', 'pipe'], ...spawnOptions });
  return new Program(child, stopSignal);
}

export interface ProgramOptions extends SpawnOptions {
  /** What ends it and all it has started: SIGKILL unless it has children of its own. */
  readonly stopSignal?: NodeJS.Signals;
}

/** A running child of the benchmark. `taskset` replaces itself by the program, so the child's pid is the program's. */
export class Program {
  private output = '';
  private failure: Error | undefined;

  constructor(
    readonly child: ChildProcess,
    private readonly stopSignal: NodeJS.Signals,
  ) {
    programs.add(this);
    child.stderr?.on('data', (bytes: Buffer) => {
      this.output = (this.output + bytes.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
    });
    child.on('error', (error) => {
      this.failure = error;
      programs.delete(this);
    });
    child.on('exit', () => programs.delete(this));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the program could not be started', { cause: this.failure });
    return this.child.pid;
  }

  get running(): boolean {
    return this.failure === undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** The end of what it wrote to stderr. */
  get lastOutput(): string {
    return this.output;
  }

  /** Ends it and waits for the end, by force after five seconds. */
  async stop(): Promise<void> {
    if (!this.running) return;
    const ended = once(this.child, 'exit');
    const force = setTimeout(() => this.child.kill('SIGKILL'), STOP_DEADLINE_MILLISECONDS);
    this.kill();
    await ended;
    clearTimeout(force);
  }

  /** Ends it without waiting. */
  kill(): void {
    this.child.kill(this.stopSignal);
  }
}

/** Ends what still runs, when the benchmark itself is ended. */
export function killAllPrograms(): void {
  for (const program of programs) program.kill();
}

/** Pins the benchmark's own process to the load generator's core, out of the server's way. */
export function pinSelf(): void {
  if (canPin) spawnSync('taskset', ['--cpu-list', '--pid', String(LOAD_CORE), String(process.pid)]);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port could be had');
  return address.port;
}

/** Resolves when the server answers 200 on the path; throws with what it wrote when it ends or takes too long. */
export async function untilReady(program: Program, port: number, path: string): Promise<void> {
  const end = performance.now() + READY_DEADLINE_MILLISECONDS;
  while (performance.now() < end && program.running) {
    if ((await statusOf(port, path)) === 200) return;
    await delay(50);
  }
  throw new Error(`the server did not become ready: ${program.lastOutput.trim()}`);
}

async function statusOf(port: number, path: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', () => resolve(0));
  });
}
