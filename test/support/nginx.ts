import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectTcp } from './sockets.js';
import { freePort } from './redis.js';

/** Milliseconds that a start may take before the test gives up on it. */
const PATIENCE = 10_000;

export interface NginxOptions {
  /** The program. */
  readonly program: string;
  /** What its `server` says, without the address it listens at. */
  readonly server: string;
}

/** A real nginx of the test's own, at a port of loopback. `await using` ends it. */
export class Nginx implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly url: string,
  ) {}

  static async start({ program, server }: NginxOptions): Promise<Nginx> {
    const folder = await mkdtemp(join(tmpdir(), 'herald-nginx-'));
    const port = await freePort();
    const file = join(folder, 'nginx.conf');
    await writeFile(file, configuration(folder, port, server));
    const child = spawn(program, ['-p', folder, '-c', file, '-e', join(folder, 'error.log')], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const nginx = new Nginx(child, folder, `http://127.0.0.1:${port}`);
    await nginx.listens();
    return nginx;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'exit');
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  private async listens(): Promise<void> {
    const deadline = performance.now() + PATIENCE;
    for (;;) {
      if (this.child.exitCode !== null) throw new Error(`nginx ended with ${this.child.exitCode}`);
      try {
        // oxlint-disable-next-line no-await-in-loop -- one attempt after the other
        (await connectTcp(this.url)).destroy();
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        // oxlint-disable-next-line no-await-in-loop -- nginx does not tell when it listens
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }
}

function configuration(folder: string, port: number, server: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`;
}
