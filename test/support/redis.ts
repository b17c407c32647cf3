import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** Milliseconds that a start may take before the test gives up on it. */
const PATIENCE = 20_000;

export interface RedisServerOptions {
  /** Lines of its configuration, each as `name value`. */
  readonly configuration?: readonly string[];
  /** Runs it as a Sentinel. */
  readonly isSentinel?: boolean;
  /** What its own commands, and those who use `url`, have to say: all may do everything without it. */
  readonly login?: { readonly user: string; readonly password: string };
  /**
   * PEM files: it speaks TLS, and nothing else. With `authority`, others have to show a certificate that comes from there.
   */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority?: string };
}

/** A real Redis of the test's own, with an append-only file that survives a restart. `await using` ends it. */
export class RedisServer implements AsyncDisposable {
  private output = '';
  private child: ChildProcess | undefined;

  private constructor(
    private readonly program: string,
    readonly port: number,
    private readonly directory: string,
    private readonly options: RedisServerOptions,
  ) {}

  static async start(program: string, options: RedisServerOptions = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'herald-redis-'));
    const server = new RedisServer(program, await freePort(), directory, options);
    await server.start();
    return server;
  }

  get url(): string {
    const { login, tls } = this.options;
    const credentials = login ? `${login.user}:${encodeURIComponent(login.password)}@` : '';
    return `${tls ? 'rediss' : 'redis'}://${credentials}127.0.0.1:${this.port}`;
  }

  /** Starts it (again), and resolves once it takes connections. */
  async start(): Promise<void> {
    const { configuration = [], isSentinel = false, login, tls } = this.options;
    const lines = [
      ...(tls
        ? ['port 0', `tls-port ${this.port}`, `tls-cert-file ${tls.certificate}`, `tls-key-file ${tls.key}`]
        : [`port ${this.port}`]),
      ...(tls
        ? tls.authority
          ? ['tls-auth-clients yes', `tls-ca-cert-file ${tls.authority}`, 'tls-replication yes']
          : ['tls-auth-clients no']
        : []),
      ...(login ? ['user default off', `user ${login.user} on >${login.password} ~{herald}:* &* +@all`] : []),
      'bind 127.0.0.1',
      `dir ${this.directory}`,
      ...(isSentinel ? [] : ['save ""', 'appendonly yes', 'appendfsync always', 'repl-diskless-sync-delay 0']),
      ...configuration,
    ];
    const file = join(this.directory, 'redis.conf');
    await writeFile(file, lines.join('\n'));
    const child = spawn(this.program, [file, ...(isSentinel ? ['--sentinel'] : [])], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.output = '';
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Redis did not start:\n${this.output}`)), PATIENCE);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        if (!/Ready to accept connections|Sentinel ID is/.test(this.output)) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', () => {
        clearTimeout(timer);
        reject(new Error(`Redis ended:\n${this.output}`));
      });
    });
    await ready;
  }

  /** Ends it without a warning, or with one. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (signal === 'SIGKILL') child.kill('SIGCONT');
    await once(child, 'exit');
  }

  /** Stops it in its tracks: its connections stay open and say nothing. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Runs one command on a connection of its own. */
  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const { login, tls } = this.options;
    const client = new Redis({
      port: this.port,
      host: '127.0.0.1',
      maxRetriesPerRequest: 1,
      protocol: 2,
      ...(login && { username: login.user, password: login.password }),
      ...(tls && {
        tls: { rejectUnauthorized: false, cert: readFileSync(tls.certificate), key: readFileSync(tls.key) },
      }),
    });
    client.on('error', () => undefined);
    try {
      return await client.call(name, ...args);
    } finally {
      client.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A port that was free a moment ago: Redis can't choose one itself. */
/** A port that nobody listens at now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port is free');
  return address.port;
}
