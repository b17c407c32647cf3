import { afterEach, beforeEach, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { Fleet } from './support/fleet.js';
import { checkHistory } from './support/history.js';
import { chance, DURATION, TIMEOUT } from './support/run-options.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { Workload } from './support/workload.js';

/** Does one kind of harm after the other until the time is up. */
async function harass(strike: () => Promise<void>): Promise<void> {
  for (const end = Date.now() + DURATION; Date.now() < end;) await strike();
}

describeWith(redisServer, 'processes that share a Redis lose nothing, double nothing and keep the order', (program) => {
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await RedisServer.start(program);
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  it(
    'while processes are killed and readers move between them',
    async () => {
      const random = chance('processes killed');
      await using fleet = await Fleet.start(Array.from({ length: 3 }, () => ({ HERALD_JOURNAL: redis.url })));
      const workload = await Workload.start({ random, publishAt: fleet.urls, readAt: fleet.urls });
      await harass(async () => {
        await delay(random.between(50, 600));
        const victim = random.between(0, fleet.size - 1);
        await fleet.kill(victim);
        await delay(random.between(0, 300));
        await fleet.revive(victim);
      });
      checkHistory(await workload.finish());
    },
    TIMEOUT,
  );

  it(
    'while Redis is stopped in its tracks, or killed and started again',
    async () => {
      const random = chance('Redis stopped');
      await using fleet = await Fleet.start(Array.from({ length: 2 }, () => ({ HERALD_JOURNAL: redis.url })));
      const workload = await Workload.start({ random, publishAt: fleet.urls, readAt: fleet.urls });
      await harass(async () => {
        await delay(random.between(100, 1_000));
        if (random.next() < 0.5) {
          redis.freeze();
          await delay(random.between(50, 4_500));
          redis.thaw();
        } else {
          await redis.stop();
          await delay(random.between(0, 1_500));
          await redis.start();
        }
      });
      checkHistory(await workload.finish());
    },
    TIMEOUT,
  );

  it(
    'while connections on both sides are cut, delayed and stalled',
    async () => {
      const random = chance('connections harmed');
      await using first = await TcpProxy.start(redis.port);
      await using second = await TcpProxy.start(redis.port);
      const proxies = [first, second];
      await using fleet = await Fleet.start(
        proxies.map(({ port }) => ({ HERALD_JOURNAL: `redis://127.0.0.1:${port}` })),
      );
      const fronts = await Promise.all(fleet.heralds.map(({ port }) => TcpProxy.start(port)));
      const all = [...proxies, ...fronts];
      const urls = (): string[] => fronts.map(({ port }) => `http://127.0.0.1:${port}`);
      const workload = await Workload.start({ random, publishAt: urls, readAt: urls });
      await harass(async () => {
        await delay(random.between(20, 500));
        const proxy = random.pick(all);
        const harm = random.between(0, 3);
        if (harm === 0) proxy.cut();
        else if (harm === 1) proxy.slow(random.between(5, 200));
        else proxy.stall();
        await delay(random.between(0, harm >= 2 ? 4_000 : 500));
        if (harm === 3) proxy.cut();
        proxy.heal();
      });
      checkHistory(await workload.finish());
      await Promise.all(fronts.map((front) => front[Symbol.asyncDispose]()));
    },
    TIMEOUT,
  );
});
