import type { Environment } from '../config/config.js';

/** What a command has to do with the world outside. */
export interface Surroundings {
  readonly env: Environment;
  readonly input: AsyncIterable<Buffer | string>;
  readonly output: { write(text: string): unknown };
}

/** @returns the exit status; throws a {@link UsageError} when it's asked wrongly. */
export type Command = (args: readonly string[], surroundings: Surroundings) => Promise<number>;

/** The command can't be done as it was asked; the message says how it can. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What `read` gives. @throws {UsageError} for options that aren't there or have no value. */
export function orUsage<T>(read: () => T, usage: string): T {
  try {
    return read();
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
