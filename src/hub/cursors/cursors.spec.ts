import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryJournal } from '../../storage/journal/memory/memory-journal.js';
import { eventIdOf, newRecordId } from '../../storage/journal/presence-record.js';
import { CURSOR_PREFIX, Cursors } from './cursors.js';

const RETENTION = { events: 10, bytes: Infinity, age: Infinity };

async function logOf(count: number, name = 'urn'): Promise<MemoryJournal> {
  const journal = new MemoryJournal(RETENTION);
  await append(journal, count, name);
  return journal;
}

async function append(journal: MemoryJournal, count: number, name = 'urn'): Promise<void> {
  for (let number = 0; number < count; number += 1) {
    const id = `${name}:${journal.head + 1}`;
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append({ topics: ['urn:t'], data: '', id, private: false });
  }
}

/** Another log with the same secret. */
class Other extends MemoryJournal {
  constructor(override readonly secret: Buffer) {
    super(RETENTION);
  }
}

describe('a cursor', () => {
  it('has one length and form, whatever place it names', () => {
    const cursors = new Cursors(new MemoryJournal(RETENTION));
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.option(fc.string()), (position, id) => {
        expect(cursors.name({ position, id: id ?? undefined })).toMatch(/^herald-cursor:[A-Za-z0-9_-]{59}$/);
      }),
    );
  });

  it('looks different each time, and has nothing in common with the one before', () => {
    const cursors = new Cursors(new MemoryJournal(RETENTION));
    const made = Array.from({ length: 1_000 }, () => cursors.name({ position: 7, id: 'urn:7' }));
    expect(new Set(made).size).toBe(1_000);
    const bytes = made.map((cursor) => Buffer.from(cursor.slice(CURSOR_PREFIX.length), 'base64url'));
    for (let index = 0; index < 44; index += 1) {
      expect(new Set(bytes.map((all) => all[index])).size).toBeGreaterThan(100);
    }
  });

  it('can be the same each time, at every process, and another one for each place and id', async () => {
    const journal = await logOf(3);
    const [one, other] = [new Cursors(journal), new Cursors(new Other(journal.secret))];
    const place = { position: 2, id: 'urn:2' };
    expect(one.fixedName(place)).toBe(other.fixedName(place));
    expect(await one.locate(one.fixedName(place))).toEqual(place);
    const places = [place, { position: 2, id: undefined }, { position: 2, id: 'urn:x' }, { position: 3, id: 'urn:2' }];
    const bytes = places.map((some) => Buffer.from(one.fixedName(some).slice(CURSOR_PREFIX.length), 'base64url'));
    // No two have the same nonce, which is what AES-GCM needs.
    expect(new Set(bytes.map((all) => all.toString('hex', 0, 12))).size).toBe(places.length);
    expect(new Cursors(new MemoryJournal(RETENTION)).fixedName(place)).not.toBe(one.fixedName(place));
  });

  it('leads to an event of a coming, and past it when that is trimmed', async () => {
    const journal = new MemoryJournal(RETENTION, Date.now, { ...RETENTION, events: 1 });
    const cursors = new Cursors(journal);
    await append(journal, 1);
    const record = { id: newRecordId(), events: 3, content: '' };
    await journal.appendPresence(record);
    const place = { position: 3, id: eventIdOf(record, 1) };
    const cursor = cursors.fixedName(place);
    expect(await cursors.locate(cursor)).toEqual(place);
    expect(await cursors.locate(cursors.fixedName({ ...place, id: eventIdOf(record, 2) }))).toBeUndefined();
    await journal.appendPresence({ ...record, id: newRecordId() });
    expect(await cursors.locate(cursor)).toEqual({ position: 3, id: undefined });
    await append(journal, 11);
    expect(await cursors.locate(cursor)).toBeUndefined();
  });

  it('leads back to its place while the entry there is held', async () => {
    const journal = await logOf(10);
    const cursors = new Cursors(journal);
    for (let position = 1; position <= 10; position += 1) {
      const place = { position, id: `urn:${position}` };
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await cursors.locate(cursors.name(place))).toEqual(place);
    }
    expect(await cursors.locate(cursors.name({ position: 0, id: undefined }))).toEqual({ position: 0, id: undefined });
  });

  it('that was made without the id of its entry leads there as well', async () => {
    const cursors = new Cursors(await logOf(5));
    expect(await cursors.locate(cursors.name({ position: 5, id: undefined }))).toEqual({ position: 5, id: 'urn:5' });
  });

  it('whose entry is trimmed leads to its place for as long as the one after it is held', async () => {
    const journal = await logOf(5);
    const cursors = new Cursors(journal);
    const cursor = cursors.name({ position: 5, id: 'urn:5' });
    await append(journal, 10);
    expect(journal.oldest).toBe(6);
    expect(await cursors.locate(cursor)).toEqual({ position: 5, id: undefined });
    await append(journal, 1);
    expect(await cursors.locate(cursor)).toBeUndefined();
  });

  it('leads nowhere beyond the head, to another entry in its place, or into another log', async () => {
    const journal = await logOf(5);
    const cursors = new Cursors(journal);
    expect(await cursors.locate(cursors.name({ position: 6, id: 'urn:6' }))).toBeUndefined();
    expect(await cursors.locate(cursors.name({ position: 5, id: 'urn:other' }))).toBeUndefined();
    const other = new Other(journal.secret);
    await append(other, 5, 'urn:other');
    expect(await new Cursors(other).locate(cursors.name({ position: 5, id: 'urn:5' }))).toBeUndefined();
    expect(await new Cursors(await logOf(5)).locate(cursors.name({ position: 5, id: 'urn:5' }))).toBeUndefined();
  });

  it('that somebody has changed or made up leads nowhere', async () => {
    const cursors = new Cursors(await logOf(5));
    const bytes = Buffer.from(cursors.name({ position: 5, id: 'urn:5' }).slice(CURSOR_PREFIX.length), 'base64url');
    const bit = fc.nat(8 * 44 - 1);
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
        expect(await cursors.locate(CURSOR_PREFIX + changed.toString('base64url'))).toBeUndefined();
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 80 }), async (text) => {
        expect(await cursors.locate(CURSOR_PREFIX + text)).toBeUndefined();
      }),
    );
  });
});
