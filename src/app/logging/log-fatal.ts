import { inspect } from 'node:util';
import type { Logger } from 'pino';

/** Logs why the process ends, even at the log level `silent`, because an exit status alone explains nothing. */
export function logFatal(logger: Logger, message: string, error?: unknown): void {
  if (!logger.isLevelEnabled('fatal')) logger.level = 'fatal';
  logger.fatal(error === undefined ? {} : { err: describe(error) }, message);
}

/** Only name, message and stack: errors of client libraries may carry their options, such as a password. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error, message: inspect(error) };
  const { name, message, stack } = error;
  return { type: name, message, stack };
}
