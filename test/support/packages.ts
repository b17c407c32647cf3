import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Herald's own packages, as `npm run build` has made them. */
export const PACKAGES = ['herald-hub', 'herald-hub-client', 'herald-nest'] as const;
export type PackageName = (typeof PACKAGES)[number];

/** The package of the module that suites are to test, where it is not the checkout's own. */
const MODULE = process.env['HERALD_NEST'] === undefined ? undefined : resolve(process.env['HERALD_NEST']);

/** The folder that has the module which is tested: the checkout's, or that package's. */
export const MODULE_HOME = MODULE ?? ROOT;

export function builtPackage(name: PackageName): string {
  return join(ROOT, 'dist/packages', name);
}

/** Makes a folder one in which the packages are installed, with their commands. What they ask for is that of the checkout. */
export async function linkPackages(folder: string): Promise<void> {
  const commands = join(folder, 'node_modules/.bin');
  await mkdir(commands, { recursive: true });
  await Promise.all(PACKAGES.map((name) => symlink(testedPackage(name), join(folder, 'node_modules', name))));
  await symlink('../herald-hub/server/cli.js', join(commands, 'herald'));
  await symlink('../herald-hub/server/start.js', join(commands, 'herald-hub'));
}

function testedPackage(name: PackageName): string {
  return (name === 'herald-nest' ? MODULE : undefined) ?? builtPackage(name);
}
