import type { Writable } from 'node:stream';
import { Logger } from '@nestjs/common';

/** Has what the journal logs written to `output`, a line each, because the standard output of a command is its result. */
export function logTo(output: Writable): void {
  const write = (message: unknown): void => void output.write(`${String(message)}\n`);
  Logger.overrideLogger({ log: write, warn: write, error: write });
}
