import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { checkHistory } from './support/check.js';
import { Fleet } from './support/fleet.js';
import { KEEPS_ALL } from './support/keeps-all.js';
import type { Random } from './support/random.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { TcpProxy } from './support/tcp-proxy.js';
import { Workload } from './support/workload.js';

/** What can be done to connections. Each lasts so many milliseconds at most. */
const HARMS = {
  cut: { lasts: 500, begin: (proxy: TcpProxy) => proxy.cut() },
  delayed: { lasts: 4_000, begin: (proxy: TcpProxy, random: Random) => proxy.slow(random.between(5, 200)) },
  stalled: { lasts: 4_000, begin: (proxy: TcpProxy) => proxy.stall() },
  'stalled and cut': {
    lasts: 4_000,
    begin: (proxy: TcpProxy) => proxy.stall(),
    end: (proxy: TcpProxy) => proxy.cut(),
  },
} as const;

/** Connections on which side. */
type Side = 'Herald and Redis' | 'readers and Herald';

/** A place where harm is done, and the kinds of harm. */
const TARGETS = (['Herald and Redis', 'readers and Herald'] as const).flatMap((side) =>
  (Object.keys(HARMS) as (keyof typeof HARMS)[]).map((harm) => ({ side, harm })),
);

describeWith(redisServer, 'connections that are cut, delayed and stalled', (program) => {
  it(
    'lose nothing, double nothing and keep the order, be they to Redis or to readers and publishers',
    async () => {
      const random = chance('connections harmed');
      await using redis = await RedisServer.start(program);
      await using back = await TcpProxy.start(redis.port);
      await using otherBack = await TcpProxy.start(redis.port);
      const backs = [back, otherBack];
      await using fleet = await Fleet.start(
        backs.map(({ port }, index) => ({
          HERALD_JOURNAL: `redis://127.0.0.1:${port}`,
          ...KEEPS_ALL,
          ...(index > 0 && TLS_ENVIRONMENT),
        })),
      );
      const [one, other] = fleet.heralds;
      await using front = await TcpProxy.start(one?.port ?? 0);
      await using otherFront = await TcpProxy.start(other?.port ?? 0);
      const fronts = [front, otherFront];
      const proxies: Readonly<Record<Side, readonly TcpProxy[]>> = {
        'Herald and Redis': backs,
        'readers and Herald': fronts,
      };
      await using workload = new Workload({
        random,
        // The second one speaks TLS, of which the proxy sees the bytes.
        urls: () => [`http://127.0.0.1:${front.port}`, `https://127.0.0.1:${otherFront.port}`],
      });
      workload.addReaders(6, { stays: 3_000, drops: 0.002 });
      await workload.addPublishers(4);
      const { history } = workload;
      let harmed = 0;
      // Each kind on each side is done at least once, in an order that chance makes.
      const left = [...TARGETS];
      await harass(TARGETS.length, async () => {
        await delay(random.between(20, 500));
        if (left.length === 0) left.push(...TARGETS);
        const [target] = left.splice(random.between(0, left.length - 1), 1);
        if (!target) return;
        const proxy = random.pick(proxies[target.side]);
        const harm = HARMS[target.harm];
        harm.begin(proxy, random);
        await delay(random.between(0, harm.lasts));
        if ('end' in harm) harm.end(proxy);
        proxy.heal();
        harmed += 1;
      });
      const log = await workload.finish();
      say('connections harmed', `${harmed} times, ${history.acknowledged} acknowledged`);
      expect(checkHistory(history, { log })).toEqual([]);
    },
    TIMEOUT,
  );
});
