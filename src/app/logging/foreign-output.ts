import process from 'node:process';
import { format } from 'node:util';
import type { Logger } from 'pino';

/** Milliseconds for which the same text is not logged again: a client that keeps retrying would print it each time. */
const QUIET = 60_000;

/** Texts that are remembered. When there are more, all are forgotten. */
const MOST_REMEMBERED = 100;

/**
 * Turns what would bypass the log into log lines: Node's process warnings, and whatever libraries write to the console.
 * So a program that reads the log can read both outputs.
 */
export function logForeignOutput(logger: Logger): void {
  const isNew = rememberWords();
  // Node's own listener prints; the alternative, `--no-warnings`, would be needed wherever the process is started.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const text = String(warning);
    if (isNew(text)) logger.warn({ context: 'node', stack: warning.stack }, text);
  });
  // ioredis and Node itself use no other methods of the console.
  for (const method of ['error', 'warn', 'info', 'log'] as const) {
    // oxlint-disable-next-line no-console -- what others print is the point
    console[method] = (...args: unknown[]) => {
      const text = format(...args);
      if (isNew(text)) logger.warn({ context: 'console' }, text);
    };
  }
}

function rememberWords(): (words: string) => boolean {
  const saidAt = new Map<string, number>();
  return (words) => {
    const now = performance.now();
    if (now - (saidAt.get(words) ?? -Infinity) < QUIET) return false;
    if (saidAt.size >= MOST_REMEMBERED) saidAt.clear();
    saidAt.set(words, now);
    return true;
  };
}
