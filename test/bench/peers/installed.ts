import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/** The version of an installed package; not every package exports its package.json, so it is looked for upwards. */
export function installedVersion(name: string): string {
  for (const folder of require.resolve.paths(name) ?? []) {
    const version = versionIn(join(folder, name, 'package.json'));
    if (version !== undefined) return version;
  }
  return 'unknown';
}

/** The folder that holds this project's package.json. */
export function projectFolder(): string {
  let folder = import.meta.dirname;
  while (versionIn(join(folder, 'package.json')) === undefined && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}

/** This project's own version. */
export function projectVersion(): string {
  return versionIn(join(projectFolder(), 'package.json')) ?? 'unknown';
}

function versionIn(path: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : undefined;
  } catch {
    return undefined;
  }
}
