import { describe, expect, it } from '@jest/globals';
import type { Update } from '../update.js';
import { UPDATES } from './lmdb-kind.js';

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const PLAIN: Update = { id: '1', topics: ['urn:a'], data: 'x', private: true };
const FULL: Update = { ...PLAIN, type: 't', retry: 5, traceparent: TRACEPARENT };

describe('the fields of an update', () => {
  it.each([PLAIN, { ...PLAIN, traceparent: TRACEPARENT }, FULL])('are read as they were written', (update) => {
    for (const [key, fingerprint] of [
      [null, null],
      ['a key', 'a fingerprint'],
    ] as const) {
      const fields = JSON.parse(JSON.stringify(UPDATES.pack(update, key, fingerprint))) as unknown[];
      expect(UPDATES.unpack(fields)).toEqual(update);
    }
  });

  it('are those that older builds know where these look for them, also with a trace', () => {
    const given = ['a key', 'a fingerprint'] as const;
    const before = UPDATES.pack({ ...PLAIN, type: 't', retry: 5 }, ...given);
    const fields = UPDATES.pack(FULL, ...given);
    // Some took the first eight as they come, others the first six and the last two.
    expect(fields.slice(0, 8)).toEqual(before);
    expect([...fields.slice(0, 6), ...fields.slice(-2)]).toEqual(before);
  });
});
