import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_CORE, startProgram } from '../processes.js';
import { say } from '../say.js';

const LOCK_FILE = 'package-lock.json';
const MODULES = 'node_modules';

/** A commit, and how it is told in the report. */
export interface Commit {
  readonly hash: string;
  readonly title: string;
}

/** Finds a commit by whatever Git takes for its name. Throws when the project has none of that name. */
export function findCommit(project: string, name: string): Commit {
  const hash = git(project, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`);
  return { hash, title: git(project, 'log', '-1', '--format=%h %s', hash) };
}

/** What the working tree is, for the report. */
export function describeTree(project: string): string {
  const { title } = findCommit(project, 'HEAD');
  return git(project, 'status', '--porcelain') === '' ? title : `${title}, with changes that are not committed`;
}

/**
 * Builds a commit in a folder of its own with its own `npm run build`, and tells which folder. The last commit that was
 * built is kept and found again; any other is removed.
 */
export async function buildCommit(project: string, { hash, title }: Commit): Promise<string> {
  const builds = join(project, 'dist/against');
  const folder = join(builds, hash);
  if (existsSync(folder)) return folder;

  say(`building ${title}`);
  rmSync(builds, { recursive: true, force: true });
  // It gets its name once it is complete, so that what was broken off is never taken for it.
  const unfinished = join(builds, 'unfinished');
  mkdirSync(unfinished, { recursive: true });
  extract(project, hash, unfinished);
  await installModules(project, unfinished);
  await npm(unfinished, 'run', 'build');
  renameSync(unfinished, folder);
  return folder;
}

function extract(project: string, hash: string, folder: string): void {
  const files = execFileSync('git', ['archive', '--format=tar', hash], { cwd: project, maxBuffer: 2 ** 30 });
  execFileSync('tar', ['--extract', '--directory', folder], { input: files });
}

/** The same lock file means the same modules: those of this tree are shared then. */
async function installModules(project: string, folder: string): Promise<void> {
  const [own, others] = [project, folder].map((root) => readFileSync(join(root, LOCK_FILE), 'utf8'));
  if (own === others) symlinkSync(join(project, MODULES), join(folder, MODULES));
  else await npm(folder, 'ci', '--no-audit', '--no-fund', '--loglevel=error');
}

/** Runs npm for a folder. What the npm that runs the benchmark tells of itself in the environment would mislead it. */
async function npm(folder: string, ...args: readonly string[]): Promise<void> {
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^npm_(package|lifecycle|config_local)_/.test(name),
  );
  const program = startProgram(LOAD_CORE, ['npm', '--prefix', folder, ...args], {
    cwd: folder,
    env: Object.fromEntries(environment),
    stdio: ['ignore', 'ignore', 'inherit'],
    stopSignal: 'SIGTERM',
  });
  const [status] = (await once(program.child, 'exit')) as [number | null];
  if (status !== 0) throw new Error(`npm ${args.join(' ')} failed in ${folder}`);
}

function git(project: string, ...args: readonly string[]): string {
  try {
    return execFileSync('git', [...args], {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).trim();
  } catch (error) {
    throw new Error(`git ${args.join(' ')} failed`, { cause: error });
  }
}
