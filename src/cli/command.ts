import { messageOf } from '../shared/errors/message-of.js';
import type { Environment } from '../config/environment.js';

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
