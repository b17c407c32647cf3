import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Milliseconds that a start or a stop may take before the test gives up on it. */
const PATIENCE = 20_000;

export interface StartOptions {
  /** Herald's environment, over a quiet default. */
  readonly env?: Readonly<Record<string, string>>;
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** More arguments for `node`, such as a module to load first. */
  readonly nodeArguments?: readonly string[];
  /** A command that runs it in its own process, such as `prlimit`. */
  readonly wrapper?: readonly [string, ...string[]];
  /** Where it is started; the checkout by default. */
  readonly cwd?: string;
  /** The command itself, where that is another one. */
  readonly command?: readonly [string, ...string[]];
  /** The user and group that it runs as. */
  readonly identity?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built service as a child process. `await using` stops it, whatever the test did. */
export class Herald implements AsyncDisposable {
  private output = '';
  private errors = '';
  private readonly exited: Promise<Exit>;

  private constructor(
    readonly child: ChildProcess,
    public url = '',
  ) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.errors += text;
    });
    // `close` rather than `exit`: by then everything that it wrote has been read.
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  }

  /** Starts a process without waiting for it to listen: for those that are expected not to. */
  static spawn(options: StartOptions = {}): Herald {
    const { env = {}, port = 0, nodeArguments = [], wrapper, cwd = ROOT, identity } = options;
    const node = options.command ?? ([process.execPath, ...nodeArguments, 'dist/server/main.js'] as const);
    const [command, ...args] = wrapper ? [...wrapper, ...node] : node;
    const child = spawn(command, args, {
      cwd,
      ...identity,
      // Many suites end it with readers, and few are about how those are let go.
      env: { PATH: process.env['PATH'] ?? '', PORT: String(port), HERALD_DRAIN_WINDOW: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    return new Herald(child);
  }

  static async start(options: StartOptions = {}): Promise<Herald> {
    const herald = Herald.spawn(options);
    const line = await herald.waitForLog(/Herald is at (https?:\/\/[^"\s]+)/);
    // The address, not the name: where `localhost` is ::1 first, every request would try that one in vain.
    herald.url = (line[1] ?? '').replace('localhost', '127.0.0.1');
    return herald;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything it wrote so far. */
  logs(): string {
    return this.output;
  }

  /** What it wrote to standard error so far. */
  errorOutput(): string {
    return this.errors;
  }

  /** The log lines that are JSON, parsed. */
  logLines(): Record<string, unknown>[] {
    return this.output
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Why it ended, where that was no signal. */
  fatalMessages(): unknown[] {
    return this.logLines()
      .filter(({ level }) => level === 60)
      .map(({ msg }) => msg);
  }

  /** Resolves as soon as the output has `pattern`. */
  async waitForLog(pattern: RegExp): Promise<RegExpExecArray> {
    const found = pattern.exec(this.output);
    if (found) return found;
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.output);
        if (match) finish(() => resolve(match));
      };
      const giveUp = (why: string): void =>
        finish(() => reject(new Error(`no ${pattern} in the log: ${why}\n${this.output}`)));
      const timer = setTimeout(giveUp, PATIENCE, 'waited long enough');
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        this.child.stdout?.off('data', look);
        this.child.stderr?.off('data', look);
        settle();
      };
      this.child.stdout?.on('data', look);
      this.child.stderr?.on('data', look);
      void this.exited.then(({ code }) => giveUp(`the process ended with ${code}`));
    });
  }

  /** Sends the signal and resolves once the process has ended. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    return this.exit();
  }

  /** Resolves once the process has ended. */
  async exit(): Promise<Exit> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), PATIENCE);
    return this.exited.finally(() => clearTimeout(timer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) await this.kill('SIGKILL');
  }
}

/** The built service, listening. */
export function startHerald(options: StartOptions = {}): Promise<Herald> {
  return Herald.start(options);
}
