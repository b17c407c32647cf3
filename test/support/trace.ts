import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A system call of a traced process begins, or comes back. */
export interface SystemCall {
  readonly phase: 'begun' | 'done';
  readonly name: string;
  /** What is between the parentheses, with paths beside descriptors: `19</tmp/data.mdb>, "…", 8`. */
  readonly args: string;
  /** Empty while it has not come back. */
  readonly result: string;
}

/** Milliseconds that strace may take to attach. */
const PATIENCE = 15_000;

/** The system calls of a running process and all its threads, in order. */
export class Trace implements AsyncDisposable {
  readonly calls: SystemCall[] = [];
  private readonly unfinished = new Map<string, string>();
  private readonly ended: Promise<unknown>;

  private constructor(private readonly strace: ChildProcess) {
    this.ended = once(strace, 'close');
    if (strace.stderr) createInterface(strace.stderr).on('line', (line) => this.take(line));
  }

  /** Traces `names` of process `pid`, and resolves once it does. */
  static async attach(program: string, pid: number, names: readonly string[]): Promise<Trace> {
    const args = ['-f', '-y', '-s', '32', '-e', `trace=${names.join()}`, '-e', 'signal=none', '-p', String(pid)];
    const trace = new Trace(spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
    await trace.attached();
    return trace;
  }

  /** Lets go of the process, and resolves once all that was traced has been read. */
  async stop(): Promise<readonly SystemCall[]> {
    this.strace.kill('SIGINT');
    await this.ended;
    return this.calls;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.strace.exitCode === null && this.strace.signalCode === null) await this.stop();
  }

  private async attached(): Promise<void> {
    let text = '';
    const signal = AbortSignal.timeout(PATIENCE);
    while (!/ attached/.test(text)) {
      if (!this.strace.stderr) throw new Error('strace has no output');
      const [bytes] = (await once(this.strace.stderr, 'data', { signal })) as [Buffer];
      text += bytes.toString();
      if (/Operation not permitted/.test(text)) throw new Error(`strace may not trace: ${text}`);
    }
  }

  private take(line: string): void {
    const [, pid = '', rest = ''] = /^(?:\[pid +(\d+)\] )?(.*)$/.exec(line) ?? [];
    // What was under way when strace let go has begun as well: the kernel may have done it by then.
    const begun = /^(\w+)\((.*)(?: <unfinished \.\.\.>|strace: Process \d+ detached)$/.exec(rest);
    if (begun) {
      this.add('begun', begun);
      this.unfinished.set(pid, rest.slice(0, rest.lastIndexOf(' <')));
      return;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed ? `${this.unfinished.get(pid) ?? ''}${resumed[1]}` : rest;
    const done = /^(\w+)\((.*)\) += (.*)$/.exec(whole);
    if (!done) return;
    if (!resumed) this.add('begun', done);
    this.add('done', done);
  }

  private add(phase: SystemCall['phase'], [, name = '', args = '', result = '']: RegExpExecArray): void {
    this.calls.push({ phase, name, args, result: phase === 'done' ? result : '' });
  }
}
