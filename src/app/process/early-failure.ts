import { writeSync } from 'node:fs';
import process from 'node:process';

const STANDARD_OUTPUT = 1;

/** The level of the line, as the log counts. */
const FATAL = 60;

/**
 * Ends the process with a line of the log where something fails before there is a log, such as a module that is missing.
 * At a terminal Node says it in its own words. This file imports nothing that could fail itself.
 * @returns what ends it, once there is a log.
 */
export function logEarlyFailures(): () => void {
  if (!process.stdout.isTTY) process.on('uncaughtException', endWith);
  return () => void process.off('uncaughtException', endWith);
}

function endWith(error: unknown): never {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const line = { level: FATAL, time: new Date().toISOString(), err: { type: name, message, stack } };
  writeSync(STANDARD_OUTPUT, `${JSON.stringify({ ...line, msg: "Herald can't start" })}\n`);
  process.exit(1);
}
