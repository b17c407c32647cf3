import type { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';

/**
 * Has the warnings and errors of the journal written to `output`, a line each, and nothing else: the standard output of a
 * command is its result.
 */
export function warnTo(output: Writable): void {
  const write = (message: unknown): void => void output.write(`${String(message)}\n`);
  Logger.overrideLogger({ log: () => undefined, warn: write, error: write });
}
