import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');

const run = promisify(execFile);

/**
 * Puts `herald-nest` as npm would publish it where an application has it, in a new folder below `parent`: beside what it asks
 * for, which is that of the checkout, so that there is one of each. Resolves with the package's folder.
 */
export async function unpackModule(parent) {
  // Without links on the way, as Node tells paths of modules.
  const application = await realpath(await mkdtemp(join(parent, 'application-')));
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--pack-destination', application, './dist/packages/herald-nest'],
    {
      cwd: ROOT,
      maxBuffer: 16 * 1024 ** 2,
    },
  );
  const [{ filename }] = JSON.parse(stdout);
  const folder = join(application, 'node_modules/herald-nest');
  await mkdir(folder, { recursive: true });
  await run('tar', ['-xzf', join(application, filename), '-C', folder, '--strip-components=1']);
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const target = join(application, 'node_modules', name);
    // oxlint-disable-next-line no-await-in-loop -- two of them may have one folder
    await mkdir(dirname(target), { recursive: true });
    // oxlint-disable-next-line no-await-in-loop -- see above
    await symlink(join(ROOT, 'node_modules', name), target);
  }
  return folder;
}
