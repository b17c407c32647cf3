import process from 'node:process';
import type { Logger } from 'pino';
import { ConfigError } from '../../config/config.js';
import { JournalOpenError, JournalUnavailableError } from '../../storage/journal/journal.js';
import { logFatal } from '../logging/log-fatal.js';

/** Exit status for a bad configuration, or a journal that can't be opened: `EX_CONFIG` of sysexits.h. */
const BAD_CONFIG = 78;

/**
 * Says why the service can't start: in plain text to somebody at a terminal, otherwise as a line of the log.
 * @returns the exit status.
 */
export function tellStartFailure(error: unknown, logger: Logger, { isTerminal }: { isTerminal: boolean }): number {
  const remedy = remedyOf(error);
  if (remedy === undefined) logFatal(logger, "Herald can't start", error);
  else if (isTerminal) process.stderr.write(`${remedy}\n`);
  else logFatal(logger, remedy);
  return isMistake(error) ? BAD_CONFIG : 1;
}

/** What the operator can do about the error; undefined for an error that is not expected here. */
function remedyOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return `${error.message}: another program uses this port. Stop it, or set PORT to a free one.`;
  if (code === 'EACCES') return `${error.message}: this port needs privileges. Set PORT to one above 1023.`;
  return isMistake(error) || error instanceof JournalUnavailableError ? error.message : undefined;
}

/** Whether the error is a mistake of the operator's, which its message says how to correct. */
function isMistake(error: unknown): error is ConfigError | JournalOpenError {
  return error instanceof ConfigError || error instanceof JournalOpenError;
}
