import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { isPresence, type Retention } from '../../src/storage/journal/journal.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { newRecordId } from '../../src/storage/journal/presence-record.js';
import { CapturedLog } from '../support/captured-log.js';

const FIXTURE = fileURLToPath(new URL('./dbda041/', import.meta.url));

const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

/** The old build's clock: see `make.js`. */
const CLOCK = Date.UTC(2100, 0, 1);

it('the LMDB files of a build without comings and goings keep their positions when some are added', async () => {
  Logger.overrideLogger(new CapturedLog());
  const path = await mkdtemp(join(tmpdir(), 'herald-old-'));
  const { stored } = JSON.parse(await readFile(join(FIXTURE, 'lmdb.json'), 'utf8')) as {
    stored: { id: string; topic: string }[];
  };
  await writeFile(join(path, 'data.mdb'), gunzipSync(await readFile(join(FIXTURE, 'data.mdb.gz'))));
  const open = (retention: Partial<Retention> = {}): Promise<LmdbJournal> =>
    LmdbJournal.open(path, { ...PLENTY, ...retention }, () => CLOCK);
  const idsOf = async (journal: LmdbJournal): Promise<[number, string | undefined][]> => {
    const { entries } = await journal.read(0, 1_000);
    return entries.map((entry) => [entry.position, isPresence(entry) ? entry.record.id : entry.update?.id]);
  };
  const expected = stored.map(({ id }, index): [number, string] => [index + 1, id]);
  try {
    const first = await open();
    expect(await idsOf(first)).toEqual(expected);
    const ofTopic = stored.flatMap(({ topic }, index) => (topic === 'urn:a' ? [index + 1] : []));
    expect(first.topics?.positionsAfter('urn:a', 0, 1_000)).toEqual(ofTopic);
    const record = { id: newRecordId(), events: 3, content: '' };
    await first.appendPresence(record);
    await first.append({ id: 'after', topics: ['urn:a'], data: '', private: false });
    await first.close();

    const count = stored.length;
    const added: [number, string][] = [
      [count + 3, record.id],
      [count + 4, 'after'],
    ];
    const second = await open();
    expect(await idsOf(second)).toEqual([...expected, ...added]);
    await second.close();

    const third = await open({ events: 6 });
    expect([third.oldest, third.oldestPresence, third.head]).toEqual([count - 4, 1, count + 4]);
    expect(await idsOf(third)).toEqual([...expected.slice(-5), ...added]);
    await third.close();
  } finally {
    await rm(path, { recursive: true });
  }
});
