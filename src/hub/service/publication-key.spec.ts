import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Update } from '../../storage/journal/update.js';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { PublicationKey } from './publication-key.js';

const UPDATE: Update = { topics: ['a', 'b'], data: 'text', id: 'made by the hub', private: false };
const RETENTION = { events: 10, bytes: Infinity, age: Infinity };

function fingerprintOf(update: Update, givenId?: string): string {
  return new PublicationKey('key', {}, givenId, update).fingerprint;
}

describe('what an idempotency key comes with', () => {
  it('is the same for what a publisher sends again, whatever id the hub makes', () => {
    expect(fingerprintOf({ ...UPDATE, id: 'another' })).toBe(fingerprintOf(UPDATE));
  });

  it.each<[string, Partial<Update>, string | undefined]>([
    ['topics', { topics: ['a,b'] }, undefined],
    ['data', { data: 'Text' }, undefined],
    ['privacy', { private: true }, undefined],
    ['type', { type: 't' }, undefined],
    ['retry time', { retry: 1 }, undefined],
    ['chosen id', { id: 'chosen' }, 'chosen'],
  ])('is another with another %s', (_, change, givenId) => {
    expect(fingerprintOf({ ...UPDATE, ...change }, givenId)).not.toBe(fingerprintOf(UPDATE));
  });

  it('is nobody else’s, whatever the parts of a name are', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '\\', '"', ' ') });
    fc.assert(
      fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (one, other) => {
        const keyOf = ([issuer, subject, key]: [string, string, string]): string =>
          new PublicationKey(key, { issuer, subject }, undefined, UPDATE).idempotencyKey;
        expect(keyOf(one) === keyOf(other)).toBe(one.join('\n') === other.join('\n'));
      }),
    );
  });

  it('is made only where a key comes again', async () => {
    const journal = new MemoryJournal(RETENTION);
    let made = 0;
    const keyFor = (idempotencyKey: string, fingerprint: string): { idempotencyKey: string; fingerprint: string } => ({
      idempotencyKey,
      get fingerprint() {
        made += 1;
        return fingerprint;
      },
    });
    await journal.append(UPDATE, keyFor('k', 'f'));
    await journal.append(UPDATE, keyFor('l', 'f'));
    expect(made).toBe(0);
    expect(await journal.append(UPDATE, keyFor('k', 'f'))).toMatchObject({ outcome: 'repeated' });
    expect(await journal.append(UPDATE, keyFor('k', 'g'))).toEqual({ outcome: 'conflict' });
    expect(made).toBe(4);
  });
});
