import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A script beside this file with all that it imports, as one. In a process of its own: the bundler and Jest's modules do not get along. */
export async function bundled(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [here('bundle.js'), here(path)], {
    maxBuffer: 16 * 1024 ** 2,
  });
  return stdout;
}
