import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { askAdmin } from '../support/admin.js';
import { runCli } from '../support/cli.js';
import { type EventStream, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, form, noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, prlimit } from '../support/programs.js';
import { LimitedFiles } from '../support/room.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'herald-backup-'));
  path = join(directory, 'journal');
});
afterEach(() => rm(directory, { recursive: true }));

function start(at = path, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub({ HERALD_JOURNAL: `lmdb:${at}`, HERALD_ADMIN_KEY: ADMIN_KEY, ...env });
}

/** A large journal is not copied before a test has had its turn. */
async function fill(publisher: Publisher, megabytes: number): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < 2 * megabytes; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    ids.push(await publisher.publish({ topic: 'a', data: `${count} ${'x'.repeat(500_000)}` }));
  }
  return ids;
}

/** All that a hub holds, read by one who knows nothing. */
async function readAll(herald: Herald): Promise<string[]> {
  await using stream = await subscribe(herald, { query: 'match=*', headers: { 'last-event-id': 'earliest' } });
  await caughtUp(stream);
  return updatesOf(stream).map(({ id }) => id ?? '');
}

async function caughtUp(stream: EventStream): Promise<void> {
  await stream.until(() => noticesOf(stream).some(({ type }) => type === 'caught-up'));
}

/** A backup that has been stopped while it copies. */
async function stoppedBackup(to: string): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(process.execPath, ['dist/server/cli.js', 'journal', 'backup', path, to]);
  while ((await sizeOf(join(`${to}.unfinished`, 'data.mdb'))) < 1_000_000) await turn();
  child.kill('SIGSTOP');
  return child;
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

describe('herald journal backup', () => {
  it('has all that was acknowledged before it began, in order, under load, trimming and removals', async () => {
    await using herald = await start(path, { HERALD_RETAIN_EVENTS: '700' });
    await using reader = await subscribe(herald, { query: 'match=*' });
    using publisher = await Publisher.of(herald);
    const acknowledged: string[] = [];
    const removed = new Set<string>();
    const over = new AbortController();
    const publishing = Array.from({ length: 8 }, async () => {
      while (!over.signal.aborted)
        acknowledged.push(await publisher.publishInTime({ topic: 'a', data: 'x'.repeat(500) }));
    });
    const removing = (async () => {
      while (!over.signal.aborted) {
        const id = acknowledged.at(-20);
        if (id) await askAdmin(herald, 'DELETE', `updates?id=${encodeURIComponent(id)}`).then(() => removed.add(id));
        await turn();
      }
    })();
    const backups: { to: string; before: string[]; gone: string[] }[] = [];
    for (const to of ['one', 'two', 'three'].map((name) => join(directory, name))) {
      const enough = acknowledged.length + 500;
      while (acknowledged.length < enough) await turn();
      const [before, gone] = [[...acknowledged], [...removed]];
      expect(await runCli(['journal', 'backup', path, to])).toMatchObject({ status: 0, errors: '' });
      backups.push({ to, before, gone });
    }
    over.abort();
    await Promise.all([...publishing, removing]);
    await reader.until(() => updatesOf(reader).length >= acknowledged.length);
    const order = updatesOf(reader).map(({ id }) => id ?? '');
    expect(removed.size).toBeGreaterThan(0);
    for (const { to, before, gone } of backups) {
      expect(await runCli(['journal', 'verify', to])).toMatchObject({ status: 0 });
      await using copy = await start(to);
      const held = await readAll(copy);
      const places = held.map((id) => order.indexOf(id));
      const [first = 0, last = 0] = [places[0], places.at(-1)];
      const without = (ids: readonly string[]): string[] => ids.filter((id) => !removed.has(id));
      expect(without(held)).toEqual(without(order.slice(first, last + 1)));
      // What retention keeps, without what was removed meanwhile.
      expect(held.length).toBeGreaterThan(350);
      const newest = Math.max(...without(before).map((id) => order.indexOf(id)));
      expect(last).toBeGreaterThanOrEqual(newest);
      expect(held.filter((id) => gone.includes(id))).toEqual([]);
    }
    expect(herald.errorOutput()).toBe('');
  }, 180_000);

  it('leaves nothing that looks like a backup when it is killed, and what the service stores meanwhile is safe', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    const ids = await fill(publisher, 30);
    const to = join(directory, 'copy');
    const child = await stoppedBackup(to);
    ids.push(await publisher.publish({ topic: 'a', data: 'meanwhile' }));
    const other = await runCli(['journal', 'backup', path, join(directory, 'other')]);
    expect(other).toMatchObject({ status: 1, output: '' });
    expect(other.errors).toMatch(/Another backup is under way already/);
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(existsSync(to)).toBe(false);
    expect(await runCli(['journal', 'stats', `${to}.unfinished`])).toMatchObject({ status: 1 });
    // The next one finds the files free as soon as the service has seen the end of the other.
    let again = await runCli(['journal', 'backup', path, to]);
    if (again.status !== 0) again = await runCli(['journal', 'backup', path, to]);
    expect(again).toMatchObject({ status: 0, errors: '' });
    expect(existsSync(`${to}.unfinished`)).toBe(false);
    const modes = await Promise.all(['', 'data.mdb', 'revocations.ndjson'].map((name) => stat(join(to, name))));
    expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(['700', '600', '600']);
    expect((await readdir(to)).toSorted()).toEqual(['data.mdb', 'revocations.ndjson']);
    await using copy = await start(to);
    expect(await readAll(copy)).toEqual(ids);
  }, 120_000);

  it('has what was held when it began, although all of that is trimmed before it is copied', async () => {
    const [held, lines] = [20_000, 1_000];
    await using herald = await start(path, { HERALD_RETAIN_EVENTS: String(held) });
    using publisher = await Publisher.of(herald);
    const publish = async (from: number, to: number): Promise<void> => {
      const ids = Array.from({ length: lines }, (_, index) => `urn:${from + index}`);
      await publisher.publishAll(ids.map((id) => ({ topic: 'a', id, data: 'x'.repeat(1_500) })));
      if (from + lines < to) await publish(from + lines, to);
    };
    await publish(0, held);
    const to = join(directory, 'copy');
    const child = await stoppedBackup(to);
    const exited = once(child, 'close');
    await publish(held, 3 * held);
    child.kill('SIGCONT');
    expect(await exited).toEqual([0, null]);
    expect(await runCli(['journal', 'verify', to])).toMatchObject({ status: 0, errors: '' });
    await using copy = await start(to);
    expect(await readAll(copy)).toEqual(Array.from({ length: held }, (_, index) => `urn:${index}`));
  }, 120_000);

  it('does not keep the service from ending, and makes nothing then', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await fill(publisher, 30);
    const to = join(directory, 'copy');
    const child = await stoppedBackup(to);
    const errors = text(child.stderr);
    const exited = once(child, 'close');
    expect(await herald.kill('SIGTERM')).toMatchObject({ code: 0 });
    child.kill('SIGCONT');
    expect(await exited).toEqual([1, null]);
    expect(await errors).toMatch(
      /(because the service has closed it|The service has ended)\. Nothing was kept of the copy/,
    );
    expect((await readdir(directory)).toSorted()).toEqual(['journal']);
  }, 120_000);

  it('is brought back by putting it in the place of the journal: readers go on, or are told what they have too much', async () => {
    const to = join(directory, 'copy');
    const ids: string[] = [];
    let [cursor, ahead] = ['', ''];
    {
      await using herald = await start();
      using publisher = await Publisher.of(herald);
      for (const data of ['1', '2']) ids.push(await publisher.publish({ topic: 'a', data }));
      await using quiet = await subscribe(herald, { query: 'match=b', headers: { 'last-event-id': 'earliest' } });
      await caughtUp(quiet);
      cursor = quiet.events.findLast(({ id }) => id?.startsWith('herald-cursor:'))?.id ?? '';
      ids.push(await publisher.publish({ topic: 'b', data: '3' }));
      expect(await runCli(['journal', 'backup', `lmdb:${path}`, to])).toMatchObject({ status: 0 });
      ahead = await publisher.publish({ topic: 'a', data: 'lost' });
    }
    await rm(path, { recursive: true });
    await rename(to, path);
    await using herald = await start();
    const after = async (query: string, id: string): Promise<{ data: string[]; notices: unknown[] }> => {
      await using stream = await subscribe(herald, { query, headers: { 'last-event-id': id } });
      await caughtUp(stream);
      const notices = noticesOf(stream).map(({ type }) => type);
      return { data: updatesOf(stream).map(({ data }) => data), notices };
    };
    expect(await after('match=*', ids[0] ?? '')).toEqual({ data: ['2', '3'], notices: ['caught-up'] });
    expect(cursor).not.toBe('');
    expect(await after('match=b', cursor)).toEqual({ data: ['3'], notices: ['caught-up'] });
    expect((await after('match=*', ahead)).notices).toContain('gap');
  }, 60_000);

  it('copies what no service uses, and refuses what it can not do', async () => {
    const ids: string[] = [];
    {
      await using herald = await start();
      using publisher = await Publisher.of(herald);
      ids.push(await publisher.publish({ topic: 'a', data: '1' }));
    }
    const to = join(directory, 'copy');
    expect(await runCli(['journal', 'backup', path, to])).toEqual({
      status: 0,
      output: expect.stringMatching(/^1 updates up to position 1, \d+ bytes\n$/),
      errors: '',
    });
    const refusal = async (from: string, target: string): Promise<string> => {
      const { status, output, errors } = await runCli(['journal', 'backup', from, target]);
      expect({ status, output }).toEqual({ status: 1, output: '' });
      return errors;
    };
    expect(await refusal(path, to)).toMatch(/There is something at .* already/);
    expect(await refusal(path, path)).toMatch(/outside of the directory of the journal/);
    expect(await refusal(path, join(path, 'copy'))).toMatch(/outside of the directory of the journal/);
    expect(await refusal(join(directory, 'none'), join(directory, 'b'))).toMatch(/There is no journal/);
    await mkdir(join(directory, 'noise'));
    await writeFile(join(directory, 'noise', 'data.mdb'), Buffer.alloc(100_000, 'noise'));
    expect(await refusal(join(directory, 'noise'), join(directory, 'b'))).toMatch(/no LMDB database/);
    expect((await readdir(directory)).toSorted()).toEqual(['copy', 'journal', 'noise']);
    await using copy = await start(to);
    expect(await readAll(copy)).toEqual(ids);
  }, 60_000);
});

describe('herald journal purge', () => {
  it('prints what it took out, and nothing else', async () => {
    let id = '';
    {
      await using herald = await start();
      using publisher = await Publisher.of(herald);
      id = await publisher.publish({ topic: 'a', data: '1' });
    }
    const { output, errors } = await runCli(['journal', 'purge', path, '--id', id]);
    expect(output.split('\n').slice(0, -1)).toEqual([id, expect.stringMatching(/^1 updates taken out/)]);
    expect(errors).toBe('');
  });
});

describeWith(prlimit, 'herald journal backup with no room for the copy', () => {
  it('says so, keeps nothing, and does no harm to the service', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    const ids = await fill(publisher, 12);
    const limit = ['prlimit', '--fsize=4194304:'] as const;
    const command: readonly string[] = [...limit, process.execPath, 'dist/server/cli.js', 'journal', 'backup', path];
    const child = spawn(command[0] ?? '', [...command.slice(1), join(directory, 'copy')], { stdio: 'pipe' });
    const [errors, [status]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number]>]);
    expect({ status, errors }).toEqual({
      status: 1,
      errors: 'There is no room for the copy: nothing of it was kept.\n',
    });
    expect(await readdir(directory)).toEqual(['journal']);
    ids.push(await publisher.publish({ topic: 'a', data: 'more' }));
    expect(await readAll(herald)).toEqual(ids);
  }, 60_000);
});

describeWith(prlimit, 'herald journal backup of a journal whose disk is full', () => {
  const data = 'x'.repeat(200_000);

  async function startIn(room: LimitedFiles, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
    const herald = await start(join(room.path, 'journal'), env);
    room.add(herald);
    return herald;
  }

  it('has everything', async () => {
    using room = new LimitedFiles();
    await using herald = await startIn(room);
    using publisher = await Publisher.of(herald);
    const ids: string[] = [];
    for (;;) {
      const response = await publisher.post(form({ topic: 'a', data }));
      const answer = await textOf(response);
      if (response.statusCode === 507) break;
      ids.push(answer);
    }
    const to = join(directory, 'copy');
    expect(await runCli(['journal', 'backup', join(room.path, 'journal'), to])).toMatchObject({ status: 0 });
    await using copy = await start(to);
    expect(await readAll(copy)).toEqual(ids);
  }, 60_000);

  it('gives way to updates, for which trimming makes room otherwise', async () => {
    using room = new LimitedFiles();
    await using herald = await startIn(room, { HERALD_RETAIN_EVENTS: '5' });
    using publisher = await Publisher.of(herald);
    const publish = async (): Promise<void> => void (await publisher.publish({ topic: 'a', data }));
    for (let count = 0; count < 60; count += 1) await publish();
    const socket = connect(join(room.path, 'journal', 'backup.sock'));
    const sayings = createInterface({ input: socket })[Symbol.asyncIterator]();
    expect((await sayings.next()).value).toMatch(/^\{"head":/);
    const ended = new AbortController();
    const last = sayings.next().finally(() => ended.abort());
    for (let count = 0; count < 200 && !ended.signal.aborted; count += 1) await publish();
    expect((await last).value).toMatch(/because its disk is full/);
    for (let count = 0; count < 60; count += 1) await publish();
    expect(herald.errorOutput()).toBe('');
  }, 60_000);
});
