import { describe, expect, it } from '@jest/globals';
import { JournalOpenError } from './journal/journal.js';
import { loadEngine } from './load-engine.js';

function missing(name: string): Error {
  const error = new Error(`Cannot find package '${name}' imported from /app/node_modules/herald-nest/lib/engine.js`);
  return Object.assign(error, { code: 'ERR_MODULE_NOT_FOUND' });
}

describe('loadEngine', () => {
  it('gives what has been loaded', async () => {
    expect(await loadEngine('lmdb', () => Promise.resolve('the engine'))).toBe('the engine');
  });

  it('says how to install the package that is missing', async () => {
    const cause = missing('ioredis');
    await expect(loadEngine('ioredis', () => Promise.reject(cause))).rejects.toThrow(
      new JournalOpenError(
        'This journal needs the package "ioredis", which is not installed: install it with "npm install ioredis".',
        { cause },
      ),
    );
  });

  it.each([missing('ioredis-parts'), missing('lmdb'), new Error("it is about 'ioredis'"), 'no error at all'])(
    'leaves another failure as it is: %s',
    async (failure) => {
      await expect(loadEngine('ioredis', () => Promise.reject(failure as Error))).rejects.toBe(failure);
    },
  );
});
