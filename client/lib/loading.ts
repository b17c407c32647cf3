import { HeraldError } from './errors.js';

/** Milliseconds after which a module of this library that could not be loaded is requested again. */
export const LOAD_AGAIN = 3_000;

/** The error for a module of this library that can't be loaded, which may be so because the network is gone. */
export function notLoaded(file: string, cause: unknown): HeraldError {
  return new HeraldError('unreachable', `${file} can not be loaded.`, { cause });
}
