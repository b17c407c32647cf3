import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EventStream, textOf } from '../support/event-stream.js';
import { Herald } from '../support/herald.js';
import { form, noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, strace } from '../support/programs.js';
import { damageFile } from '../support/damage-file.js';

let path: string;

beforeEach(async () => (path = await mkdtemp(join(tmpdir(), 'herald-lmdb-'))));
afterEach(() => rm(path, { recursive: true }));

function start(): Promise<Herald> {
  return startHub({ HERALD_JOURNAL: `lmdb:${path}` });
}

/** Publishes in a process of its own. */
async function publishOnce(data: string): Promise<string> {
  await using herald = await start();
  using publisher = await Publisher.of(herald);
  return await publisher.publish({ topic: 'a', data }, { 'idempotency-key': 'once' });
}

/** The first line of every log. */
const STARTS = /"msg":"Herald \S+ starts"/;

describe('the service with an LMDB journal', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('goes on after %s where it was', async (signal) => {
    const ids: string[] = [];
    {
      await using herald = await start();
      using publisher = await Publisher.of(herald);
      for (const data of ['1', '2', '3']) ids.push(await publisher.publish({ topic: 'a', data }));
      await herald.kill(signal);
    }
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using stream = await subscribe(herald, { query: 'match=a', headers: { 'last-event-id': ids[0] ?? '' } });
    await stream.until(() => noticesOf(stream).some(({ type }) => type === 'caught-up'));
    ids.push(await publisher.publish({ topic: 'a', data: '4' }));
    await stream.until(() => updatesOf(stream).length === 3);
    expect(updatesOf(stream)).toEqual(['2', '3', '4'].map((data, index) => ({ id: ids[index + 1], data })));
  });

  it('keeps what it holds to itself, also in a directory and files that others could read', async () => {
    await chmod(path, 0o755);
    await publishOnce('x');
    const modes = async (): Promise<Record<string, string>> => {
      const names = ['', 'data.mdb', 'lock.mdb', 'revocations.ndjson'];
      const entries = names.map(
        async (name) => [name, ((await stat(join(path, name))).mode & 0o777).toString(8)] as const,
      );
      return Object.fromEntries(await Promise.all(entries));
    };
    const own = { '': '700', 'data.mdb': '600', 'lock.mdb': '600', 'revocations.ndjson': '600' };
    expect(await modes()).toEqual(own);
    for (const name of ['', 'data.mdb', 'lock.mdb']) await chmod(join(path, name), 0o755);
    await publishOnce('x');
    expect(await modes()).toEqual(own);
  });

  it.each(['data.mdb', 'lock.mdb', 'revocations.ndjson'])('follows no link in place of %s', async (name) => {
    const target = join(path, 'precious');
    await writeFile(target, 'precious');
    await symlink(target, join(path, name));
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: `lmdb:${path}` } });
    expect(await herald.exit()).toEqual({ code: 78, signal: null });
    expect(herald.fatalMessages()).toEqual([expect.stringMatching(/symbolic link/)]);
    expect(await readFile(target, 'utf8')).toBe('precious');
  });

  it('writes nothing through a link that somebody has put where a file is made anew', async () => {
    const target = join(path, 'precious');
    await writeFile(target, 'precious');
    await symlink(target, join(path, 'revocations.ndjson.new'));
    await publishOnce('x');
    expect(await readFile(target, 'utf8')).toBe('precious');
  });

  it('knows an idempotency key from before a restart', async () => {
    const id = await publishOnce('x');
    expect(await publishOnce('x')).toBe(id);
    await expect(publishOnce('y')).rejects.toThrow(/422/);
  });

  it('does not start where another one runs, says so in one line, and leaves it alone', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using second = Herald.spawn({ env: { HERALD_JOURNAL: `lmdb:${path}` } });
    expect(await second.exit()).toEqual({ code: 78, signal: null });
    expect(second.fatalMessages()).toEqual([
      `Process ${herald.pid} uses the journal at ${path} already: stop it first, or choose another path.`,
    ]);
    await publisher.publish({ topic: 'a', data: 'x' });
  });

  it('is given to one only of many that start together', async () => {
    const candidates = Array.from({ length: 4 }, () => Herald.spawn({ env: { HERALD_JOURNAL: `lmdb:${path}` } }));
    try {
      const outcomes = await Promise.all(
        candidates.map((candidate) =>
          candidate.waitForLog(/Herald is at/).then(
            () => 'runs',
            () => 'ended',
          ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'runs').length).toBeLessThanOrEqual(1);
    } finally {
      await Promise.all(candidates.map((candidate) => candidate[Symbol.asyncDispose]()));
    }
    // What the dead have left keeps nobody out.
    await using herald = await start();
    expect((await readdir(path)).filter((name) => name.startsWith('owner-'))).toHaveLength(1);
    expect(herald.pid).toBeGreaterThan(0);
  });

  it.each([
    ['files that are no journal', '/journal', /can't be opened/],
    ['a file for a directory', '/journal/data.mdb', /needs a directory/],
  ])('does not start with %s, and says so in one line', async (_, place, message) => {
    await mkdir(join(path, 'journal'));
    await writeFile(join(path, 'journal', 'data.mdb'), 'x'.repeat(10_000));
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: `lmdb:${path}${place}` } });
    expect(await herald.exit()).toEqual({ code: 78, signal: null });
    expect(herald.logs().trim().split('\n')).toEqual([expect.stringMatching(STARTS), expect.stringMatching(message)]);
  });
});

describe('the service with damaged records in an LMDB journal', () => {
  /** Publishes as many updates, the data of which is `update 1` and so on, and damages some while the service is stopped. */
  async function damage(count: number, ...damaged: number[]): Promise<string[]> {
    const ids: string[] = [];
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    for (let number = 1; number <= count; number += 1) {
      ids.push(await publisher.publish({ topic: 'a', data: `update ${number}` }));
    }
    await herald.kill();
    for (const number of damaged) await damageFile(join(path, 'data.mdb'), `"update ${number}"`);
    return ids;
  }

  /** What the reader has got, with its notices in between. */
  function storyOf({ events }: EventStream): string[] {
    return events.map(({ data }) => data);
  }

  function numbered(first: number, last: number): string[] {
    return Array.from({ length: last - first + 1 }, (_, index) => `update ${first + index}`);
  }

  function gap(updates: number): string {
    return JSON.stringify({ type: 'gap', reason: 'damaged', updates });
  }

  const CAUGHT_UP = JSON.stringify({ type: 'caught-up' });

  it('gives its readers what is whole, with a gap between, and logs the damage once', async () => {
    await damage(200, 101);
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    const headers = { 'last-event-id': 'earliest' };
    await using one = await subscribe(herald, { query: 'match=a', headers });
    await using other = await subscribe(herald, { query: 'match=a&match=b', headers });
    await using newest = await subscribe(herald, { query: 'match=a&last=150' });
    const readers = [one, other, newest];
    for (const reader of readers) await reader.until(() => storyOf(reader).includes(CAUGHT_UP));
    await publisher.publish({ topic: 'a', data: 'live' });
    for (const reader of readers) await reader.until(() => storyOf(reader).includes('live'));
    const end = [gap(1), ...numbered(102, 200), CAUGHT_UP, 'live'];
    expect(storyOf(one)).toEqual([...numbered(1, 100), ...end]);
    expect(storyOf(other)).toEqual([...numbered(1, 100), ...end]);
    expect(storyOf(newest)).toEqual([...numbered(50, 100), ...end]);
    expect(herald.logLines().filter(({ level }) => Number(level) >= 50)).toEqual([
      expect.objectContaining({ level: 50, position: 101, msg: expect.stringContaining('damaged') }),
    ]);
  });

  it('tells of damage that lies together in one gap, also at the beginning and at the end of the log', async () => {
    const ids = await damage(100, 1, 2, ...Array.from({ length: 40 }, (_, index) => 30 + index), 99, 100);
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using all = await subscribe(herald, { query: 'match=a&last_event_id=earliest' });
    // The index still knows where they were, so that nothing but what is damaged is missed.
    await using after = await subscribe(herald, { query: 'match=a', headers: { 'last-event-id': ids[49] ?? '' } });
    for (const reader of [all, after]) await reader.until(() => storyOf(reader).includes(CAUGHT_UP));
    await publisher.publish({ topic: 'a', data: 'live' });
    for (const reader of [all, after]) await reader.until(() => storyOf(reader).includes('live'));
    const end = [...numbered(70, 98), gap(2), CAUGHT_UP, 'live'];
    expect(storyOf(all)).toEqual([gap(2), ...numbered(3, 29), gap(40), ...end]);
    expect(storyOf(after)).toEqual([gap(69 - 50), ...end]);
  });
});

describe('the service with damaged files of an LMDB journal', () => {
  async function fill(): Promise<string> {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    for (let count = 0; count < 20; count += 1) await publisher.publish({ topic: 'a', data: 'x'.repeat(20_000) });
    await herald.kill();
    return join(path, 'data.mdb');
  }

  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    [
      'that are cut off in the middle',
      async (file) => truncate(file, (await endOfPages(file)) / 2),
      /was cut off: it has \d+ bytes of \d+\. Bring it back from a copy/,
    ],
    ['that lack their last page', async (file) => truncate(file, (await endOfPages(file)) - 4_096), /was cut off/],
    ['whose first header is zeros', (file) => overwrite(file, 0), /its header is damaged/],
    ['whose second header is zeros', (file) => overwrite(file, 4_096), /its header is damaged/],
    ['of which only the first bytes are left', (file) => truncate(file, 10), /its header is damaged/],
  ])('does not start with files %s, says so in one line, and leaves them as they are', async (_, damage, message) => {
    const file = await fill();
    await damage(file);
    const before = await readFile(file);
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: `lmdb:${path}` } });
    expect(await herald.exit()).toEqual({ code: 78, signal: null });
    expect(herald.logs().trim().split('\n')).toEqual([expect.stringMatching(STARTS), expect.stringMatching(message)]);
    expect((await readFile(file)).equals(before)).toBe(true);
  });
});

/** Where the last page ends, by the newer of the two headers: after it there is room that was taken ahead. */
async function endOfPages(file: string): Promise<number> {
  const headers = (await readFile(file)).subarray(0, 2 * 4_096);
  const lastPages = [0, 4_096].map((header) => Number(headers.readBigUInt64LE(header + 144)));
  return (Math.max(...lastPages) + 1) * 4_096;
}

/** A page of zeros. */
async function overwrite(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(4_096), 0, 4_096, offset);
  await handle.close();
}

describeWith(strace, 'the service with an LMDB journal on a disk that fails', (program) => {
  it.each(['fdatasync', 'pwrite64'])(
    'answers 503 when %s fails, stores nothing then, and goes on when it works again',
    async (call) => {
      await using herald = await start();
      using publisher = await Publisher.of(herald);
      const before = await publisher.publish({ topic: 'a', data: 'before' });
      const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:error=EIO`, '-e', 'signal=none'];
      const fault = spawn(program, ['-f', '-p', String(herald.pid), '-P', join(path, 'data.mdb'), ...inject], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      await once(fault.stderr, 'data');
      const refused = await publisher.post(form({ topic: 'a', id: 'refused', data: 'x' }));
      expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5']);
      expect(JSON.parse(await textOf(refused))).toMatchObject({ code: 'journal-unavailable' });
      fault.kill('SIGINT');
      await once(fault, 'close');
      let after: string | undefined;
      while (after === undefined) after = await publisher.publish({ topic: 'a', data: 'after' }).catch(() => undefined);
      await using stream = await subscribe(herald, { query: 'match=a&last_event_id=earliest' });
      await stream.until(() => updatesOf(stream).length >= 2);
      expect(updatesOf(stream).map(({ id }) => id)).toEqual([before, after]);
    },
    60_000,
  );
});
