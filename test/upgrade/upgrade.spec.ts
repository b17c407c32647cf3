import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { send, textOf } from '../support/event-stream.js';
import { ADMIN_KEY, HUB, Publisher, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

/** Each folder has what that commit's build has stored: see `make.js`. */
const HERE = fileURLToPath(new URL('.', import.meta.url));

/** An update that the old build has stored; of a long one only the number of its characters. */
interface Stored {
  readonly id: string;
  readonly topic: string;
  readonly data: string | number;
  readonly key?: string;
}

interface Written {
  readonly stored: readonly Stored[];
}

interface InRedis extends Written {
  /** Keys as Redis dumps them, in base64. */
  readonly dumps: Readonly<Record<string, string>>;
  /** Streams as `XRANGE` gives them. */
  readonly rows: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>>;
}

/** The fields of a row that was stored at `time`: without it, the fixture would be too old a day after it was made. */
function withTime(fields: readonly string[], time: number): string[] {
  return fields.map((field, index) => (fields[index - 1] === 't' && index % 2 === 1 ? String(time) : field));
}

const ADMINISTERED = { HERALD_ADMIN_KEY: ADMIN_KEY };

async function read<T extends Written>(commit: string, name: string): Promise<T> {
  return JSON.parse(await readFile(join(HERE, commit, name), 'utf8')) as T;
}

/** What there was is all there, with its ids and in its order, and what comes follows it. */
async function expectToGoOn(journal: string, { stored }: Written): Promise<void> {
  await using herald = await startHub({ ...ADMINISTERED, HERALD_JOURNAL: journal });
  using publisher = await Publisher.of(herald);
  const authorization = `Bearer ${await subscriberToken()}`;
  const headers = { authorization, 'last-event-id': 'earliest' };
  await using reader = await subscribe(herald, { query: 'match=*', headers });
  await reader.until(() => updatesOf(reader).length >= stored.length);
  expect(updatesOf(reader).map(({ id, data }) => [id, data.length > 1_000 ? data.length : data])).toEqual(
    stored.map(({ id, data }) => [id, data]),
  );

  const next = await publisher.publish({ topic: 'urn:a', data: 'by the new build' });
  await reader.until(() => updatesOf(reader).length > stored.length);
  expect(updatesOf(reader).at(-1)).toMatchObject({ id: next, data: 'by the new build' });

  const from = stored.length - 5;
  const id = stored[from]?.id ?? '';
  await using back = await subscribe(herald, { query: 'match=*', headers: { authorization, 'last-event-id': id } });
  await back.until(() => updatesOf(back).length === 5);
  expect(updatesOf(back).map((update) => update.id)).toEqual([...stored.slice(from + 1).map((one) => one.id), next]);

  const once = stored.find(({ key }) => key !== undefined);
  const fields = { topic: once?.topic ?? '', data: String(once?.data) };
  expect(await publisher.publish(fields, { 'idempotency-key': `"${once?.key}"` })).toBe(once?.id);

  for (const revoked of [{ claims: { jti: 'revoked' } }, { subject: 'mallory' }]) {
    const token = await subscriberToken({ ...revoked, ...(revoked.subject && { claims: { iat: 1_700_000_000 } }) });
    const answer = await send(`${herald.url}${HUB}?match=*`, { headers: { authorization: `Bearer ${token}` } });
    expect([answer.statusCode, await textOf(answer)]).toEqual([401, expect.stringContaining('revoked')]);
  }
}

const commits = (await readdir(HERE, { withFileTypes: true }))
  .filter((one) => one.isDirectory())
  .map(({ name }) => name);

it('has what at least one older build has written', () => {
  expect(commits.length).toBeGreaterThan(0);
});

describe.each(commits)('what commit %s has written', (commit) => {
  it('is opened on LMDB, loses nothing and keeps its ids', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-old-'));
    try {
      for (const file of await readdir(join(HERE, commit))) {
        if (!file.endsWith('.gz')) continue;
        const bytes = gunzipSync(await readFile(join(HERE, commit, file)));
        await writeFile(join(directory, file.replace('.gz', '')), bytes);
      }
      const written = await read(commit, 'lmdb.json');
      await expectToGoOn(`lmdb:${directory}`, written);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  describeWith(redisServer, 'Redis', (program) => {
    it('is opened, loses nothing and keeps its ids', async () => {
      await using server = await RedisServer.start(program);
      const { dumps, rows, ...written } = await read<InRedis>(commit, 'redis.json');
      const client = new Redis(server.url);
      for (const [key, all] of Object.entries(rows)) {
        for (const [id, fields] of all) await client.xadd(key, id, ...withTime(fields, Date.now()));
      }
      for (const [key, dump] of Object.entries(dumps)) await client.restore(key, 0, Buffer.from(dump, 'base64'));
      client.disconnect();
      await expectToGoOn(server.url, written);
    });
  });
});
