import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { listConnections } from '../support/admin.js';
import { Edge, NOBODY } from '../support/edge.js';
import { EDGE_KINDS } from '../support/edge-kinds.js';
import { textOf } from '../support/event-stream.js';
import { ADMIN_KEY, form, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { read, type Reader } from './stage.js';

const NUMBERS = Array.from({ length: 10 }, (_, number) => String(number));

for (const kind of EDGE_KINDS) {
  describeWith(kind.program, `Heralds behind ${kind.name}`, (program) => {
    it('speak TLS with it, where their certificate is the one that it expects', async () => {
      await using hub = await startHub(TLS_ENVIRONMENT);
      const hubs = [`127.0.0.1:${hub.port}`, NOBODY] as const;
      const authority = TLS_ENVIRONMENT['HERALD_TLS_CERT_FILE'] ?? '';
      await using edge = await Edge.start(kind, { program, hubs, authority });
      using publisher = await Publisher.of(edge);
      await using reader = await read('HTTP/2', edge, 'match=urn:a');
      await publisher.publish({ topic: 'urn:a', data: 'over TLS' });
      expect(await reader.take(1)).toEqual(['over TLS']);
    });

    it('are not spoken with, where their certificate is another one', async () => {
      await using hub = await startHub(TLS_ENVIRONMENT);
      const hubs = [`127.0.0.1:${hub.port}`, NOBODY] as const;
      const authority = (TLS_ENVIRONMENT['HERALD_TLS_CERT_FILE'] ?? '').replace('first', 'second');
      await using edge = await Edge.start(kind, { program, hubs, authority });
      using publisher = await Publisher.of(edge);
      const answer = await publisher.post(form({ topic: 'urn:a', data: 'for strangers' }));
      expect([502, 503]).toContain(answer.statusCode);
      await textOf(answer);
    });

    describeWith(redisServer, 'with Redis', (redisProgram) => {
      it('share the readers, who go on at the other one when theirs is killed', async () => {
        await using redis = await RedisServer.start(redisProgram);
        const env = { HERALD_JOURNAL: redis.url, HERALD_ADMIN_KEY: ADMIN_KEY };
        await using one = await startHub(env);
        await using two = await startHub(env);
        const hubs = [`127.0.0.1:${one.port}`, `127.0.0.1:${two.port}`] as const;
        await using edge = await Edge.start(kind, { program, hubs });
        using publisher = await Publisher.of(edge);
        await using first = await read('HTTP/2', edge, 'match=urn:a');
        await using second = await read('HTTP/1.1', edge, 'match=urn:a');
        expect((await Promise.all([one, two].map(listConnections))).map(({ length }) => length)).toEqual([1, 1]);
        await publisher.publish({ topic: 'urn:a', data: 'before' });
        await Promise.all([first.take(1), second.take(1)]);
        await one.kill('SIGKILL');
        for (const number of NUMBERS) await publish(publisher, number);
        const all = await Promise.all([first, second].map((reader) => allOf(reader, edge)));
        expect(all).toEqual([
          ['before', ...NUMBERS],
          ['before', ...NUMBERS],
        ]);
      }, 60_000);
    });
  });
}

/** Publishes, and again under the same key where the connection to the hub broke. */
async function publish(publisher: Publisher, data: string): Promise<void> {
  const headers = { 'idempotency-key': randomUUID() };
  for (;;) {
    const answer = await publisher.post(form({ topic: 'urn:a', data }), headers);
    await textOf(answer);
    if (answer.statusCode === 200) return;
    expect([502, 503, 504]).toContain(answer.statusCode);
  }
}

/** All that a reader has got once it has come back. */
async function allOf(reader: Reader, edge: Edge): Promise<string[]> {
  const [seen, headers] = [reader.data(), { 'last-event-id': reader.lastEventId }];
  await using again = await read('HTTP/2', edge, 'match=urn:a', { headers });
  const missed = await again.take(1 + NUMBERS.length - seen.length);
  return [...seen, ...missed];
}
