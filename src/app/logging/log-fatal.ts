import { inspect } from 'node:util';
import type { Logger } from 'pino';

/** Logs why the process ends: also where the log was told to be silent, since a status alone says nothing. */
export function logFatal(logger: Logger, message: string, error?: unknown): void {
  if (!logger.isLevelEnabled('fatal')) logger.level = 'fatal';
  logger.fatal(error === undefined ? {} : { err: describe(error) }, message);
}

/** No more than this: the errors of a client may carry what it was called with, such as a password. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error, message: inspect(error) };
  const { name, message, stack } = error;
  return { type: name, message, stack };
}
