import { messageOf } from '../shared/errors/message-of.js';
import { type Environment, plainText } from '../config/environment.js';
import { HUB_PATH } from '../shared/hub-path.js';

/** The environment, input and output of a command. */
export interface Surroundings {
  readonly env: Environment;
  readonly input: AsyncIterable<Buffer | string>;
  readonly output: { write(text: string): unknown };
}

/**
 * A command of `herald`.
 * @returns the exit status.
 * @throws {UsageError} when its arguments are wrong.
 */
export type Command = (args: readonly string[], surroundings: Surroundings) => Promise<number>;

/** A command was called wrongly. The message says how to call it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Returns what `read` returns.
 * @throws {UsageError} when `read` throws, as for options that do not exist or have no value.
 */
export function orUsage<T>(read: () => T, usage: string): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${messageOf(error)}\n\n${usage}`);
  }
}

/**
 * The hub that a command is to ask: what was given, else `HERALD_URL`, else the one of this machine.
 * @throws {UsageError} when that is no address of HTTP.
 */
export function hubUrlOf(given: string | undefined, env: Environment): URL {
  const text = given ?? (plainText(env['HERALD_URL']) || `http://localhost:8080${HUB_PATH}`);
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return new URL(text);
  const name = given === undefined ? 'HERALD_URL' : '--url';
  throw new UsageError(`The value of ${name} must be the URL of a hub: http://… or https://….`);
}
