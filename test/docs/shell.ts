import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import type { Mark } from './blocks.js';

/** Milliseconds after which a block that has not done what it should is ended. */
const PATIENCE = 20_000;

/**
 * Runs a block of shell as somebody would who pastes it, and answers with all that it has printed.
 * @throws when it ends with another status than 0, or does not print what its mark says.
 */
export async function runShell(
  text: string,
  { until, prints }: Mark,
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<string> {
  // A group of its own, so that everything that it starts can be ended.
  const child = spawn('/bin/sh', ['-e', '-c', text], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = (): void => void (child.exitCode === null && process.kill(-(child.pid ?? 0), 'SIGKILL'));
  const timer = setTimeout(end, PATIENCE);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (until !== undefined && output.includes(until)) end();
    });
  }
  const [status] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  const isAsSaid = until === undefined ? status === 0 : output.includes(until);
  if (!isAsSaid || !output.includes(prints ?? '')) throw new Error(`status ${status}, and printed:\n${output}`);
  return output;
}
