import process from 'node:process';
import { format } from 'node:util';
import type { Logger } from 'pino';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';

/**
 * Turns what would bypass the log into log lines: Node's process warnings, and whatever libraries write to the console.
 * So a program that reads the log can read both outputs.
 */
export function logForeignOutput(logger: Logger): void {
  // A client that keeps retrying would print the same text each time.
  const lines = new RepeatedLines((line) => logger.warn(line));
  // Node's own listener prints; the alternative, `--no-warnings`, would be needed wherever the process is started.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    lines.log({ context: 'node', stack: warning.stack, msg: String(warning) });
  });
  // ioredis and Node itself use no other methods of the console.
  for (const method of ['error', 'warn', 'info', 'log'] as const) {
    // oxlint-disable-next-line no-console -- what others print is the point
    console[method] = (...args: unknown[]) => {
      lines.log({ context: 'console', msg: format(...args) });
    };
  }
}
