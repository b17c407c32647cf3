import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { PackageName } from '../support/packages.js';
import type { Tarballs } from './tarballs.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const run = promisify(execFile);

/** Milliseconds that a program may take, and an installation. */
const PATIENCE = 30_000;
const INSTALLATION = 240_000;

/** What a package says of itself, as far as tests ask. */
export interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional: boolean }>>;
}

export type Environment = Readonly<Record<string, string>>;

/** Somebody's project, outside the checkout, until the test is over. */
export class Project implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async empty(): Promise<Project> {
    // Without links on the way, as Node tells paths of modules.
    const project = new Project(await realpath(await mkdtemp(join(tmpdir(), 'herald-project-'))));
    await project.write({ 'package.json': '{"private":true,"type":"module"}\n' });
    return project;
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(this.path, name), text)));
  }

  /** Unpacks a tarball to where npm puts it, with none of what it asks for. */
  async unpack(tarballs: Tarballs, name: PackageName): Promise<void> {
    const folder = this.inModules(name);
    await mkdir(folder, { recursive: true });
    await run('tar', ['-xzf', tarballs.pathOf(name), '-C', folder, '--strip-components=1']);
  }

  /** Takes packages from the checkout, where they have what they ask for themselves. */
  async link(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const target = this.inModules(name);
      // oxlint-disable-next-line no-await-in-loop -- two of them may have one folder
      await mkdir(dirname(target), { recursive: true });
      // oxlint-disable-next-line no-await-in-loop -- see above
      await symlink(join(ROOT, 'node_modules', name), target);
    }
  }

  /** Has npm install tarballs and packages of the registry. */
  async install(...what: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run('npm', ['install', '--no-audit', '--no-fund', ...what], {
      cwd: this.path,
      timeout: INSTALLATION,
    });
    return stdout + stderr;
  }

  async manifestOf(name: string): Promise<Manifest> {
    return JSON.parse(await readFile(join(this.inModules(name), 'package.json'), 'utf8')) as Manifest;
  }

  /** Runs a file to its end, and gives what it has printed. */
  async node(file: string, env: Environment = {}): Promise<string> {
    return this.command(process.execPath, [file], env);
  }

  async command(program: string, args: readonly string[], env: Environment = {}): Promise<string> {
    const { stdout } = await run(program, args, {
      cwd: this.path,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
      timeout: PATIENCE,
    });
    return stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, maxRetries: 3 });
  }

  private inModules(name: string): string {
    return join(this.path, 'node_modules', name);
  }
}
