import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer } from '../support/redis.js';

export const JOURNALS = ['memory', 'lmdb', 'redis'] as const;

export type JournalName = (typeof JOURNALS)[number];

/** A journal of its own for one hub, by the URL that the hub is started with. `await using` takes it away. */
export interface SoakJournal extends AsyncDisposable {
  readonly url: string;
  /** Bytes that it takes outside of the hub. */
  size(): Promise<number>;
}

export async function openJournal(name: JournalName): Promise<SoakJournal> {
  if (name === 'lmdb') return openDirectory();
  if (name === 'redis') return openRedis();
  return { url: 'memory:', size: () => Promise.resolve(0), [Symbol.asyncDispose]: () => Promise.resolve() };
}

async function openDirectory(): Promise<SoakJournal> {
  const directory = await mkdtemp(join(tmpdir(), 'herald-soak-'));
  return {
    url: `lmdb:${directory}`,
    size: async () => {
      const files = await readdir(directory);
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).size));
      return sizes.reduce((sum, size) => sum + size, 0);
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function openRedis(): Promise<SoakJournal> {
  const program = process.env['HERALD_TEST_REDIS'] ?? 'redis-server';
  const server = await RedisServer.start(program, { configuration: ['appendfsync no'] });
  return {
    url: server.url,
    size: async () => {
      const text = String(await server.command('INFO', 'memory'));
      return Number(/^used_memory:(\d+)/m.exec(text)?.[1] ?? 0);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
