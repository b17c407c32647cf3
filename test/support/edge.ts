import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectTcp } from './sockets.js';
import { freePort } from './redis.js';
import type { EdgeKind } from './edge-kinds.js';

/** Milliseconds that a start may take before the test gives up on it. */
const PATIENCE = 20_000;

/** An address of this machine at which nobody listens. */
export const NOBODY = '127.0.0.1:1';

export interface EdgeOptions {
  /** The proxy's program. */
  readonly program: string;
  /** Where the Heralds are, as `host:port`. */
  readonly hubs: readonly [string, ...string[]];
  /** How many connections it may have to clients and Heralds, where that is more than usual. */
  readonly connections?: number;
  /** The Heralds speak TLS, and this is the file of the authority that certifies them. */
  readonly authority?: string;
  /** Of pages that may read streams beside those of the proxy's own. */
  readonly origin?: string;
}

/** What a proxy is run with. */
export interface EdgeSetting extends EdgeOptions {
  readonly folder: string;
  /** Ports of loopback where it listens, in the clear and over TLS. */
  readonly ports: { readonly http: number; readonly https: number };
  /** Files of its own certificate. */
  readonly certificate: string;
  readonly key: string;
}

/** How a proxy is started. */
export interface Command {
  readonly run: readonly string[];
  /** Has the program say whether it understands the configuration. */
  readonly check: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A real proxy of the test's own, with the configuration of `deploy/`. `await using` ends it. */
export class Edge implements AsyncDisposable {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    /** Where it passes requests on. */
    readonly url: string,
    /** Where it only says where else it is. */
    readonly plainUrl: string,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output = (this.output + text).slice(-10_000)));
    }
  }

  /** Starts it, once it has said that its configuration is a good one. */
  static async start(kind: EdgeKind, options: EdgeOptions): Promise<Edge> {
    const folder = await mkdtemp(join(tmpdir(), 'herald-edge-'));
    const ports = { http: await freePort(), https: await freePort() };
    const [certificate, key] = ['first.crt', 'first.key'].map(certificateFile) as [string, string];
    const { run, check, env = {} } = await kind.prepare({ ...options, folder, ports, certificate, key });
    const all = { PATH: process.env['PATH'] ?? '', HOME: folder, ...env };
    const begin = (args: readonly string[]): ChildProcess =>
      spawn(options.program, args, { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
    const checked = new Edge(begin(check), folder, '', '');
    if ((await once(checked.child, 'close'))[0] !== 0) {
      await checked[Symbol.asyncDispose]();
      throw new Error(`it is no good configuration:\n${checked.output}`);
    }
    const [url, plainUrl] = [`127.0.0.1:${ports.https}`, `http://127.0.0.1:${ports.http}`];
    const edge = new Edge(begin(run), folder, `${kind.isPlain ? 'http' : 'https'}://${url}`, plainUrl);
    try {
      await edge.listens();
    } catch (error) {
      await edge[Symbol.asyncDispose]();
      throw error;
    }
    return edge;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      const timer = setTimeout(() => this.child.kill('SIGKILL'), 1_000);
      await once(this.child, 'exit');
      clearTimeout(timer);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listens(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`the proxy has ended:\n${this.output}`);
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        (await connectTcp(this.url)).destroy();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        // oxlint-disable-next-line no-await-in-loop -- not every proxy tells when it listens
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function certificateFile(name: string): string {
  return fileURLToPath(new URL(`certificates/${name}`, import.meta.url));
}
