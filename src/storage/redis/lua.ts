import { readFileSync } from 'node:fs';

/**
 * A script that runs inside Redis: these files of `folder`, one after the other. The first of them has the `#!lua` line,
 * which makes Redis refuse a script that writes on a replica, or when memory is short, before it begins.
 */
export function luaScript(folder: URL, ...files: readonly string[]): string {
  return files.map((file) => readFileSync(new URL(`${file}.lua`, folder), 'utf8')).join('\n');
}
