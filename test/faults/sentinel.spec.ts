import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { Fleet } from './support/fleet.js';
import { checkHistoryWithBreaks } from './support/history.js';
import { chance, TIMEOUT } from './support/run-options.js';
import { Workload } from './support/workload.js';

/** Milliseconds between two looks at something that Redis does in its own time. */
const LOOK = 20;

describeWith(redisServer, 'a Sentinel failover', (program) => {
  let master: RedisServer;
  let replica: RedisServer;
  let sentinel: RedisServer;

  beforeEach(async () => {
    master = await RedisServer.start(program);
    replica = await RedisServer.start(program, { configuration: [`replicaof 127.0.0.1 ${master.port}`] });
    await until(async () => /slave0:.*state=online/.test(String(await master.command('INFO', 'replication'))));
    sentinel = await RedisServer.start(program, {
      isSentinel: true,
      configuration: [
        `sentinel monitor main 127.0.0.1 ${master.port} 1`,
        'sentinel down-after-milliseconds main 1000',
        'sentinel failover-timeout main 3000',
      ],
    });
    await until(async () => /slaves=1/.test(String(await sentinel.command('INFO', 'sentinel'))));
  });
  afterEach(async () => {
    for (const server of [sentinel, replica, master]) await server[Symbol.asyncDispose]();
  });

  function environment(replicas: number): Record<string, string> {
    return {
      HERALD_JOURNAL: 'redis://main',
      HERALD_REDIS_SENTINELS: `127.0.0.1:${sentinel.port}`,
      HERALD_REDIS_SENTINEL_NAME: 'main',
      HERALD_REDIS_WAIT: String(replicas),
    };
  }

  async function promoted(): Promise<void> {
    await until(async () => /role:master/.test(String(await replica.command('INFO', 'replication'))));
  }

  it(
    'loses nothing that was acknowledged, where a replica is waited for',
    async () => {
      const random = chance('failover with a replica waited for');
      await using fleet = await Fleet.start([environment(1), environment(1)]);
      const workload = await Workload.start({ random, publishAt: fleet.urls, readAt: fleet.urls });
      await delay(random.between(500, 1_500));
      await master.stop();
      await promoted();
      // Until it has a replica of its own, nothing can be acknowledged.
      await master.start();
      await until(async () => /slave0:.*state=online/.test(String(await replica.command('INFO', 'replication'))));
      await delay(random.between(500, 1_500));
      checkHistoryWithBreaks(await workload.finish());
    },
    TIMEOUT,
  );

  it(
    'without that loses what the replica did not have yet, and readers are told exactly then',
    async () => {
      await using herald = await startHub(environment(0));
      using publisher = await Publisher.of(herald);
      await using saw = await subscribe(herald, { query: 'match=urn:t&match=urn:lost' });
      await using sawNone = await subscribe(herald, { query: 'match=urn:t' });
      const publish = (id: string, topic = 'urn:t'): Promise<string> => publisher.publish({ topic, id });
      for (const id of ['a', 'b']) await publish(id);
      await until(async () => Number(await replica.command('XLEN', '{herald}:log')) === 2);
      replica.freeze();
      // What is on its way already would be read after the thaw.
      await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
      for (const id of ['c', 'd', 'e']) await publish(id, 'urn:lost');
      await saw.until((seen) => updatesOf(seen).some(({ id }) => id === 'e'));
      await master.stop();
      replica.thaw();
      await promoted();
      await saw.until((seen) => noticesOf(seen).length > 0);
      await until(async () => (await publish('f').catch(() => '')) === 'f');
      for (const stream of [saw, sawNone]) await stream.until((seen) => updatesOf(seen).some(({ id }) => id === 'f'));
      expect(updatesOf(saw).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
      expect(noticesOf(saw)).toEqual([{ type: 'reset' }]);
      expect(updatesOf(sawNone).map(({ id }) => id)).toEqual(['a', 'b', 'f']);
      expect(noticesOf(sawNone)).toEqual([]);
      expect(herald.logLines()).toContainEqual(
        expect.objectContaining({ msg: 'Redis has lost its newest entries', position: 2, lost: 3 }),
      );
    },
    TIMEOUT,
  );

  it(
    'does not acknowledge what the replica that is waited for does not confirm',
    async () => {
      await using herald = await startHub(environment(1));
      using publisher = await Publisher.of(herald);
      const key = { 'idempotency-key': 'k' };
      replica.freeze();
      const refused = await publisher.post('topic=urn:t&id=a', key);
      expect(refused.statusCode).toBe(503);
      refused.resume();
      replica.thaw();
      expect(await publisher.publish({ topic: 'urn:t', id: 'a' }, key)).toBe('a');
    },
    TIMEOUT,
  );
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition().catch(() => false))) await delay(LOOK);
}
