import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RevocationFile } from './revocation-file.js';

describe('RevocationFile', () => {
  let directory: string;
  let path: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'herald-revocations-'));
    path = join(directory, 'revocations.ndjson');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  /** What is known when it is opened. */
  async function known(): Promise<Record<string, number>> {
    const file = await RevocationFile.open(path);
    await file.close();
    return Object.fromEntries(file.revoked);
  }

  it('keeps the latest limit of each name, in a line for each when it is opened again', async () => {
    const file = await RevocationFile.open(path);
    await Promise.all([
      file.add([
        ['a', 2],
        ['b', Infinity],
      ]),
      file.add([['a', 3]]),
      file.add([
        ['a', 1],
        ['b', 7],
      ]),
    ]);
    await file.close();
    await expect(known()).resolves.toEqual({ a: 3, b: Infinity });
    await expect(readFile(path, 'utf8')).resolves.toBe('{"name":"a","limit":3}\n{"name":"b"}\n');
  });

  it('drops a line whose writing was cut short, and nothing else', async () => {
    await writeFile(path, '{"name":"a","limit":3}\n{"name":"b","lim');
    await expect(known()).resolves.toEqual({ a: 3 });
    await appendFile(path, '{"name":"c"');
    const file = await RevocationFile.open(path);
    await file.add([['d', 4]]);
    await file.close();
    await expect(known()).resolves.toEqual({ a: 3, d: 4 });
  });

  it('is for nobody else to read', async () => {
    await known();
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  it('says so when it can not be written, and is whole after that', async () => {
    const file = await RevocationFile.open(path);
    await file.close();
    await expect(file.add([['a', 1]])).rejects.toThrow('file closed');
    await expect(known()).resolves.toEqual({});
  });
});
