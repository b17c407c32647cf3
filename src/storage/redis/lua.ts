import { readFileSync } from 'node:fs';

/**
 * A script that runs inside Redis, joined from `files` of `folder` in their order. The first file has the `#!lua` line,
 * by which Redis refuses the whole script before it begins where a write is not possible: on a replica, or when memory
 * is short.
 */
export function luaScript(folder: URL, ...files: readonly string[]): string {
  return files.map((file) => readFileSync(new URL(`${file}.lua`, folder), 'utf8')).join('\n');
}

/**
 * The same, for a script that runs also while memory is short: what it writes is little and bounded, and what only reads, or
 * makes room, must go on then.
 */
export function luaScriptWhileFull(folder: URL, ...files: readonly string[]): string {
  return luaScript(folder, ...files).replace('#!lua\n', '#!lua flags=allow-oom\n');
}
