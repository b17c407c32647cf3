import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, redisServer } from './programs.js';
import { RedisServer } from './redis.js';

/** A journal of its own for one process, by the URL that the process is started with. */
export interface JournalPlace {
  readonly url: string;
  close(): Promise<void>;
}

/** Describes something once for each engine of the journal. */
export function describeEngines(describeOne: (name: string, open: () => Promise<JournalPlace>) => void): void {
  describeOne('memory', () => Promise.resolve({ url: 'memory:', close: () => Promise.resolve() }));
  describeOne('LMDB', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-engine-'));
    return { url: `lmdb:${directory}`, close: () => rm(directory, { recursive: true }) };
  });
  describeWith(redisServer, 'Redis', (program) => {
    describeOne('Redis', async () => {
      const redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
      return { url: redis.url, close: () => redis[Symbol.asyncDispose]() };
    });
  });
}
