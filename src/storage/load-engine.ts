import { JournalOpenError } from './journal/journal.js';

/**
 * Loads the modules of an engine. The package that it stands on is there with the service; an application that has the hub
 * as a module installs it where it wants that engine.
 * @throws {JournalOpenError} where the package is missing; the message says how to install it.
 */
export async function loadEngine<Module>(needed: 'ioredis' | 'lmdb', load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if (!isAbout(needed, error)) throw error;
    throw new JournalOpenError(
      `This journal needs the package "${needed}", which is not installed: install it with "npm install ${needed}".`,
      { cause: error },
    );
  }
}

/** Node tells which package it was in the words of its message alone. */
function isAbout(needed: string, error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${needed}'`);
}
