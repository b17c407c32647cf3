import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { LOAD_CORE, freePort, startProgram } from '../processes.js';

/** A Redis that the benchmark has started. */
export interface RedisServer {
  readonly port: number;
  readonly pid: number;
}

/** Runs with a Redis on the load generator's core that writes nothing to a disk, and ends it. */
export async function withRedis<T>(act: (server: RedisServer) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'herald-bench-'));
  const port = await freePort();
  const options = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'no',
  ];
  const server = startProgram(LOAD_CORE, ['redis-server', ...options]);
  try {
    await untilAnswers(port);
    return await act({ port, pid: server.pid });
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true });
  }
}

/** Resolves once it answers. ioredis waits for the server by itself. */
async function untilAnswers(port: number): Promise<void> {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 50 });
  client.on('error', () => undefined);
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}
