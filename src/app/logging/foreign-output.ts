import process from 'node:process';
import { format } from 'node:util';
import type { Logger } from 'pino';

/** Milliseconds for which the same words are not repeated: a client that tries again would print them each time. */
const QUIET = 60_000;

/** Words that are remembered. When there are more, all are forgotten. */
const MOST_REMEMBERED = 100;

/**
 * Makes log lines of what others would print past the log: Node's warnings of this process, and whatever a library
 * writes to the console. So both outputs are read by the same programs as the log.
 */
export function logForeignOutput(logger: Logger): void {
  const isNew = rememberWords();
  // Node's own listener, which prints. `--no-warnings` would have to be given wherever the process is started.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    const text = String(warning);
    if (isNew(text)) logger.warn({ context: 'node', stack: warning.stack }, text);
  });
  // These are all that ioredis and Node itself use.
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
