import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { type Database, open as openLmdb } from 'lmdb';
import type { Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { newRecordId } from '../../src/storage/journal/presence-record.js';
import type { Update } from '../../src/storage/journal/update.js';
import { CapturedLog } from '../support/captured-log.js';
import { damageFile } from '../support/damage-file.js';
import { run } from './run-command.js';

const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

let directory: string;
let path: string;

beforeEach(async () => {
  Logger.overrideLogger(new CapturedLog());
  directory = await mkdtemp(join(tmpdir(), 'herald-command-'));
  path = join(directory, 'journal');
});
afterEach(() => rm(directory, { recursive: true }));

function update(id: string): Update {
  return { topics: ['https://example.com/t'], data: `the data of ${id}`, id, private: false };
}

async function fill(count: number, retention: Partial<Retention> = {}): Promise<void> {
  const journal = await LmdbJournal.open(path, { ...PLENTY, ...retention });
  for (let id = 1; id <= count; id += 1) await journal.append(update(`id-${id}`), { idempotencyKey: `key-${id}` });
  await journal.close();
}

describe('herald journal', () => {
  it('tells what a journal holds', async () => {
    await fill(3);
    const { status, out } = await run('stats', `lmdb:${path}`);
    expect(status).toBe(0);
    expect(out).toMatch(/^entries +3$/m);
    expect(out).toMatch(/^last position +3$/m);
  });

  it('finds nothing wrong with a journal that was trimmed', async () => {
    await fill(300, { events: 20 });
    expect(await run('verify', path)).toMatchObject({ status: 0, err: '', out: expect.stringContaining('nothing') });
  });

  it('finds a byte that has changed', async () => {
    await fill(50);
    await damageFile(join(path, 'data.mdb'), 'the data of id-7"');
    expect(await run('verify', path)).toEqual({
      status: 1,
      out: '50 entries, 1 thing(s) wrong\n',
      err: 'Entry 7 is damaged.\n',
    });
    expect(await run('stats', path)).toMatchObject({ status: 0, out: expect.stringMatching(/^entries +50$/m) });
    expect(await run('export', path)).toMatchObject({
      status: 1,
      err: expect.stringMatching(/damaged.*journal verify/),
    });
  });

  describe('of a journal with comings and goings', () => {
    /** Stores updates, and after every third one a stream that comes with two matchers. */
    async function fillBoth(count: number, events = 100): Promise<void> {
      const journal = await LmdbJournal.open(path, PLENTY, Date.now, { ...PLENTY, events });
      for (let id = 1; id <= count; id += 1) {
        await journal.append(update(`id-${id}`));
        if (id % 3 > 0) continue;
        await journal.appendPresence({ id: newRecordId(), events: 2, content: `coming ${id}` });
      }
      await journal.close();
    }

    /** Changes the files as another program might. */
    async function tamper(
      table: string,
      change: (records: Database<Buffer, number>) => Promise<unknown>,
    ): Promise<void> {
      const files = openLmdb<Buffer, string>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
      await change(files.openDB<Buffer, number>({ name: table, encoding: 'binary' }));
      await files.close();
    }

    it('finds nothing wrong with holes', async () => {
      await fillBoth(30, 2);
      expect(await run('verify', path)).toMatchObject({ status: 0, err: '', out: expect.stringContaining('nothing') });
      expect((await run('stats', path)).out).toMatch(/^last position +48$/m);
    });

    it.each([
      ['entries', 7, 'Entry 8'],
      ['presence', 10, 'Presence entry 15'],
    ])('finds what is missing from the table %s', async (table, position, name) => {
      await fillBoth(12);
      await tamper(table, (records) => records.remove(position));
      const { status, err } = await run('verify', path);
      expect([status, err]).toEqual([1, expect.stringContaining(`${name} does not follow the entry before it`)]);
      // Nobody looks for comings and goings by id, so they have no index of ids.
      expect(err.includes('The index of ids has')).toBe(table === 'entries');
    });

    it('finds a byte that has changed, and an entry in a place that is taken', async () => {
      await fillBoth(12);
      await damageFile(join(path, 'data.mdb'), 'coming 6"');
      await tamper('entries', (records) => records.put(19, records.get(18) ?? Buffer.alloc(0)));
      const { status, err } = await run('verify', path);
      expect([status, err]).toEqual([1, expect.stringMatching(/^Presence entry 10 is damaged\.$/m)]);
      expect(err).toMatch(/^Entry 19 has a position of presence entry 20\.$/m);
    });

    it('exports the updates, as earlier versions can import them', async () => {
      await fillBoth(10);
      const { status, out } = await run('export', path);
      const [header, ...lines] = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      expect([status, header]).toEqual([0, { journal: 'herald', format: 1, entries: 10 }]);
      expect(lines.map(({ position, id }) => [position, id])).toEqual(
        Array.from({ length: 10 }, (_, index) => [index + 1, `id-${index + 1}`]),
      );
      await writeFile(join(directory, 'export'), out);
      expect(await run('import', `${path}-2`, join(directory, 'export'))).toMatchObject({ status: 0 });
      expect((await run('export', `${path}-2`)).out).toBe(out);
      const files = openLmdb<Buffer, string>({ path: `${path}-2`, noSubdir: false, encoding: 'binary' });
      expect(JSON.parse(String(files.get('about')))).toMatchObject({ format: 1 });
      await files.close();
    });
  });

  it('exports and imports everything: positions, times, keys and what the updates say', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '"', '\\', '\n', '\0', 'ü', '😀', '\ud800') });
    const entry = fc.record({
      topics: fc.array(text, { minLength: 1, maxLength: 3 }),
      data: text,
      private: fc.boolean(),
      type: fc.option(text, { nil: undefined }),
      retry: fc.option(fc.nat(), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 20 }), fc.integer({ min: 1, max: 30 }), async (entries, events) => {
        await rm(path, { recursive: true, force: true });
        await rm(`${path}-2`, { recursive: true, force: true });
        const journal = await LmdbJournal.open(path, { ...PLENTY, events });
        for (const [index, { type, retry, ...rest }] of entries.entries()) {
          const optional = { ...(type !== undefined && { type }), ...(retry !== undefined && { retry }) };
          const options = index % 2 === 0 ? { idempotencyKey: `k${index}`, fingerprint: 'f' } : {};
          await journal.append({ ...rest, ...optional, id: `id-${index}` }, options);
        }
        await journal.close();
        const first = await run('export', path);
        await writeFile(join(directory, 'export'), first.out);
        expect(await run('import', `${path}-2`, join(directory, 'export'))).toMatchObject({ status: 0 });
        expect((await run('export', `${path}-2`)).out).toBe(first.out);
        expect(await run('verify', `${path}-2`)).toMatchObject({ status: 0 });
        const copy = await LmdbJournal.open(`${path}-2`, { ...PLENTY, events });
        expect(copy.head).toBe(entries.length);
        await copy.close();
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it.each([
    ['a line that is no JSON', (text: string) => text.replace('{"position":3', '{"position"')],
    ['a line that lacks something', (text: string) => text.replace('"data"', '"date"')],
    ['an export that was cut off', (text: string) => text.split('\n').slice(0, 4).join('\n')],
    ['a missing line', (text: string) => text.replace(/^{"position":3.*\n/m, '')],
    ['an id that could be taken for a cursor', (text: string) => text.replace('"id":"id-3"', '"id":"herald-cursor:x"')],
    ['another format', (text: string) => text.replace('"format":1', '"format":2')],
    ['an empty file', () => ''],
  ])('refuses to import %s', async (_, spoil) => {
    await fill(5);
    await writeFile(join(directory, 'export'), spoil((await run('export', path)).out));
    const { status, err } = await run('import', `${path}-2`, join(directory, 'export'));
    expect([status, err]).toEqual([1, expect.stringContaining('not an export that can be imported')]);
  });

  it('writes a journal anew without what was taken out, and with everything else', async () => {
    const count = 300;
    const journal = await LmdbJournal.open(path, PLENTY);
    for (let id = 1; id <= count; id += 1) {
      const data = `${id % 10 === 0 ? 'secret' : 'open'} of ${id} ${'x'.repeat(id % 7 === 0 ? 5_000 : 50)}`;
      await journal.append({ ...update(`id-${id}`), data }, { idempotencyKey: `key-${id}` });
    }
    await journal.appendPresence({ id: newRecordId(), events: 2, content: 'who' });
    await journal.remove(Array.from({ length: count / 10 }, (_, index) => 10 * (index + 1)));
    const { id, secret } = journal;
    const before = await journal.read(0, 1_000);
    await journal.close();
    expect(String(await readFile(join(path, 'data.mdb')))).toContain('secret of');
    const exported = (await run('export', path)).out;

    // What a try that was killed has left is no obstacle.
    await mkdir(join(path, 'compacting'));
    await writeFile(join(path, 'compacting', 'data.mdb'), 'half of it');
    expect(await run('compact', path)).toMatchObject({ status: 0, err: '', out: expect.stringMatching(/bytes after/) });
    const file = String(await readFile(join(path, 'data.mdb')));
    expect(file).not.toContain('secret of');
    expect(file).toContain('open of');
    expect((await readdir(path)).filter((name) => !name.endsWith('.sock')).toSorted()).toEqual([
      'data.mdb',
      'lock.mdb',
    ]);
    expect((await stat(join(path, 'data.mdb'))).mode & 0o777).toBe(0o600);
    expect(await run('verify', path)).toMatchObject({ status: 0, err: '' });
    expect((await run('stats', path)).out).toMatch(/^entries +270$/m);
    expect((await run('export', path)).out).toBe(exported);

    const again = await LmdbJournal.open(path, PLENTY);
    expect([again.id, again.secret]).toEqual([id, secret]);
    expect(await again.read(0, 1_000)).toEqual(before);
    expect(again.topics?.positionsAfter('https://example.com/t', 0, 1_000)).toHaveLength(270);
    expect(await again.append(update('x'), { idempotencyKey: 'key-11' })).toEqual({ outcome: 'repeated', id: 'id-11' });
    expect([await again.locate('id-10'), await again.locate('id-11')]).toEqual([undefined, 11]);
    await again.close();
  });

  it('does not write a journal anew that is in use, or where there is none', async () => {
    await fill(5);
    const journal = await LmdbJournal.open(path, PLENTY);
    expect(await run('compact', path)).toMatchObject({ status: 1, err: expect.stringMatching(/uses the journal/) });
    await journal.close();
    expect(await run('compact', `${path}-2`)).toMatchObject({ status: 1, err: expect.stringMatching(/no journal/) });
  });

  it('does not import into a journal that holds something', async () => {
    await fill(2);
    await writeFile(join(directory, 'export'), (await run('export', path)).out);
    expect(await run('import', path, join(directory, 'export'))).toMatchObject({
      status: 1,
      err: expect.stringMatching(/already/),
    });
  });

  it('keeps away from a journal in use, and from where there is none', async () => {
    expect(await run('stats', path)).toMatchObject({ status: 1, err: expect.stringMatching(/There is no journal/) });
    const journal = await LmdbJournal.open(path, PLENTY);
    expect(await run('verify', path)).toMatchObject({ status: 1, err: expect.stringMatching(/uses the journal/) });
    await journal.close();
  });

  it('explains itself when it is called wrongly', async () => {
    for (const args of [[], ['stats'], ['shred', path], ['stats', path, path], ['--all', path]]) {
      expect(await run(...args)).toMatchObject({
        status: 2,
        err: expect.stringContaining('herald journal export PATH'),
      });
    }
  });
});
