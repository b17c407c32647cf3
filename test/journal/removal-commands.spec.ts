import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { topicAddresses } from '../../src/hub/matching/url-pattern/topic-addresses.js';
import type { Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { newRecordId } from '../../src/storage/journal/presence-record.js';
import { CapturedLog } from '../support/captured-log.js';
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

const HUB_URL = new URL('https://hub.example/.well-known/mercure');

async function fillTopics(): Promise<void> {
  const journal = await LmdbJournal.open(path, PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
  const topics = ['https://example.com/a', 'https://example.com/b', '/relative/c', '/relative/d', 'urn:e'];
  for (const [index, topic] of topics.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await journal.append({ topics: [topic], data: 'x', id: `id-${index}`, private: false });
  }
  await journal.close();
}

describe('herald journal purge', () => {
  async function idsHeld(): Promise<string[]> {
    const journal = await LmdbJournal.open(path, PLENTY, Date.now, PLENTY, topicAddresses(HUB_URL));
    const { entries } = await journal.read(0, 100);
    expect(journal.topics?.topics({ by: 'text', prefix: '', limit: 100 }).topics).toHaveLength(entries.length);
    await journal.close();
    return entries.map((entry) => ('update' in entry && entry.update ? entry.update.id : ''));
  }

  it.each([
    [['--topic', 'https://example.com/a'], ['id-0']],
    [['--id', 'id-4'], ['id-4']],
    [
      ['--match-urlpattern', 'https://example.com/:name'],
      ['id-0', 'id-1'],
    ],
    [
      ['--match-urlpattern', '/relative/:name'],
      ['id-2', 'id-3'],
    ],
    [['--topic', 'urn:nobody'], []],
  ])('takes out what %j names, and says what that was', async (criteria, gone) => {
    await fillTopics();
    const { status, out } = await run('purge', path, ...criteria);
    expect(status).toBe(0);
    expect(out.split('\n').slice(0, gone.length)).toEqual(gone);
    expect(out).toContain(`${gone.length} updates taken out`);
    const all = ['id-0', 'id-1', 'id-2', 'id-3', 'id-4'];
    expect(await idsHeld()).toEqual(all.filter((id) => !gone.includes(id)));
    expect((await run('verify', path)).status).toBe(0);
    const exported = await run('export', path);
    expect(exported.status).toBe(0);
    expect(all.filter((id) => exported.out.includes(`"${id}"`))).toEqual(all.filter((id) => !gone.includes(id)));
    await writeFile(join(directory, 'export'), exported.out);
    expect(await run('import', `${path}-2`, join(directory, 'export'))).toMatchObject({ status: 0, err: '' });
  });

  it('refuses everything, nothing, two things at once, a broken pattern, and a path with no journal', async () => {
    await fillTopics();
    expect((await run('purge', path)).status).toBe(2);
    expect((await run('purge', path, '--id', 'a', '--topic', 'b')).status).toBe(2);
    expect((await run('stats', path, '--id', 'a')).status).toBe(2);
    expect((await run('purge', path, '--topic', '*')).status).toBe(1);
    expect((await run('purge', path, '--match-urlpattern', '*')).status).toBe(1);
    expect(await run('purge', path, '--match-urlpattern', 'https://(')).toMatchObject({ status: 1, out: '' });
    expect((await run('purge', join(directory, 'none'), '--id', 'a')).err).toContain('There is no journal');
    expect(await idsHeld()).toHaveLength(5);
  });
});

describe('herald journal compact', () => {
  const file = (): string => join(path, 'data.mdb');

  async function holds(secret: string): Promise<boolean> {
    return (await readFile(file())).includes(secret);
  }

  it.each([
    ['small', 20],
    ['as large as a page', 4_096],
    ['larger than a page', 30_000],
  ])('leaves no byte of what was taken out, whether that was %s', async (_, size) => {
    const journal = await LmdbJournal.open(path, PLENTY);
    const secret = (index: number): string => `the secret number ${index} of them`;
    for (let index = 0; index < 60; index += 1) {
      const data = secret(index).padEnd(size, '.');
      // oxlint-disable-next-line no-await-in-loop -- in order
      await journal.append({ topics: [`urn:${secret(index)}`], data, id: `id-${index}`, private: false });
    }
    await journal.appendPresence({ id: newRecordId(), events: 2, content: 'who has come' });
    const { id, secret: key } = journal;
    await journal.close();
    const gone = [0, 1, 17, 30, 31, 32, 59];
    for (const index of gone) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect((await run('purge', path, '--id', `id-${index}`)).status).toBe(0);
    }
    // Pages that were freed keep their bytes until they are used again.
    expect(await Promise.all(gone.map((index) => holds(secret(index))))).toContain(true);
    expect(await run('compact', path)).toMatchObject({ status: 0, err: '' });
    for (const index of gone) expect([index, await holds(secret(index))]).toEqual([index, false]);
    expect(await holds(secret(2))).toBe(true);
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    expect((await run('verify', path)).status).toBe(0);

    const again = await LmdbJournal.open(path, PLENTY);
    expect([again.id, again.secret, again.head, again.oldest]).toEqual([id, key, 62, 1]);
    let count = 0;
    for (let upTo = 0; upTo < again.head;) {
      // oxlint-disable-next-line no-await-in-loop -- in order
      const reading = await again.read(upTo, 100);
      count += reading.entries.length;
      ({ upTo } = reading);
    }
    expect(count).toBe(60 - gone.length + 1);
    while (!again.topics) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(again.topics?.positionsAfter(`urn:${secret(2)}`, 0, 10)).toEqual([3]);
    expect(again.topics?.positionsAfter(`urn:${secret(17)}`, 0, 10)).toEqual([]);
    expect(await again.append({ topics: ['urn:t'], data: 'next', id: 'next', private: false })).toMatchObject({
      outcome: 'stored',
      position: 63,
    });
    await again.close();
  });

  it('starts anew where it did not come to its end before, and keeps away from a journal in use', async () => {
    await fillTopics();
    await mkdir(join(path, 'compacting'));
    await writeFile(join(path, 'compacting', 'data.mdb'), 'half of a file');
    expect((await run('compact', path)).status).toBe(0);
    expect((await readdir(path)).filter((name) => name.startsWith('compacting'))).toEqual([]);
    const journal = await LmdbJournal.open(path, PLENTY);
    expect(await run('compact', path)).toMatchObject({ status: 1, err: expect.stringMatching(/uses the journal/) });
    expect((await journal.read(0, 100)).entries).toHaveLength(5);
    await journal.close();
    expect((await run('compact', join(directory, 'none'))).status).toBe(1);
  });
});
