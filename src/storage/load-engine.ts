import { missingPackage } from '../shared/errors/missing-package.js';
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
    const message = missingPackage('This journal needs', needed, error);
    throw message === undefined ? error : new JournalOpenError(message, { cause: error });
  }
}
