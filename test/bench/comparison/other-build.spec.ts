import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildCommit, findCommit } from './other-build.js';

/** Copies the source, as a compiler would, and notes outside its folder that it has run. */
const BUILD = `node -e "
  const fs = require('node:fs');
  fs.mkdirSync('dist');
  fs.copyFileSync('source', 'dist/output');
  fs.appendFileSync('../../runs', 'x');
"`.replaceAll('\n', ' ');

let project: string;

function commit(source: string, { script = BUILD, lock = 'one' } = {}): void {
  write('source', source);
  write('package.json', JSON.stringify({ name: 'made-up', version: '1.0.0', scripts: { build: script } }));
  write('package-lock.json', JSON.stringify({ name: lock, version: '1.0.0', lockfileVersion: 3, packages: {} }));
  write('.gitignore', 'dist/\nnode_modules/\n');
  git('add', '--all');
  git('-c', 'user.name=t', '-c', 'user.email=t@example.com', 'commit', '--quiet', '--message', source);
}

async function build(name: string): Promise<string> {
  return buildCommit(project, findCommit(project, name));
}

function write(name: string, text: string): void {
  writeFileSync(join(project, name), text);
}

function git(...args: readonly string[]): void {
  // Neither the settings of whoever runs this nor a hook's repository have a say.
  const env = { PATH: process.env['PATH'], HOME: project };
  execFileSync('git', [...args], { cwd: project, env, stdio: 'ignore' });
}

function read(folder: string, name: string): string {
  return readFileSync(join(folder, name), 'utf8');
}

describe('the build of another commit', () => {
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), 'bench-build-'));
    git('init', '--quiet');
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(project, { recursive: true });
  });

  it('is that commit’s, not what lies in the working tree, and stays when it is wanted again', async () => {
    commit('first');
    commit('second');
    write('source', 'not committed');
    const folder = await build('HEAD~1');
    expect(read(folder, 'dist/output')).toBe('first');
    expect(await build('HEAD~1')).toBe(folder);
    expect(read(project, 'dist/runs')).toBe('x');
    expect(read(project, 'source')).toBe('not committed');
  });

  it('takes the place of the one before', async () => {
    commit('first');
    commit('second');
    await build('HEAD~1');
    const folder = await build('HEAD');
    expect(read(folder, 'dist/output')).toBe('second');
    expect(readdirSync(join(project, 'dist/against'))).toEqual([findCommit(project, 'HEAD').hash]);
  });

  it('shares the modules of this tree when the lock file is the same, and has its own otherwise', async () => {
    commit('first', { lock: 'other' });
    commit('second');
    execFileSync('mkdir', [join(project, 'node_modules')]);
    write('node_modules/module', 'shared');
    expect(read(await build('HEAD'), 'node_modules/module')).toBe('shared');
    expect(existsSync(join(await build('HEAD~1'), 'node_modules/module'))).toBe(false);
    expect(read(project, 'node_modules/module')).toBe('shared');
  });

  it('is not taken for one when it was broken off', async () => {
    commit('first', { script: 'exit 3' });
    await expect(build('HEAD')).rejects.toThrow('npm run build failed');
    await expect(build('HEAD')).rejects.toThrow('npm run build failed');
  });

  it('needs a commit that there is', async () => {
    commit('first');
    await expect(build('nonsense')).rejects.toThrow('git rev-parse');
    await expect(build('--all')).rejects.toThrow('git rev-parse');
  });
});
