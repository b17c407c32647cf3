import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { checkHistory } from './support/check.js';
import { Fleet } from './support/fleet.js';
import { KEEPS_ALL } from './support/keeps-all.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { Workload } from './support/workload.js';

describeWith(redisServer, 'a Redis that is stopped in its tracks, or killed and started again', (program) => {
  it(
    'loses nothing, doubles nothing and keeps the order',
    async () => {
      const random = chance('Redis stopped');
      await using redis = await RedisServer.start(program);
      const env = { HERALD_JOURNAL: redis.url, ...KEEPS_ALL };
      await using fleet = await Fleet.start([env, { ...env, ...TLS_ENVIRONMENT }]);
      await using workload = new Workload({ random, urls: fleet.urls });
      workload.addReaders(3);
      workload.addReaders(3, { stays: 1_500, drops: 0.002 });
      await workload.addPublishers(4);
      const { history } = workload;
      const stops = await harass(2, async () => {
        await delay(random.between(100, 1_000));
        if (random.chance(0.5)) {
          redis.freeze();
          await delay(random.between(50, 4_500));
          redis.thaw();
        } else {
          await redis.stop();
          await delay(random.between(0, 1_500));
          await redis.start();
        }
      });
      const log = await workload.finish();
      say('Redis stopped', `${stops} times, ${history.acknowledged} acknowledged`);
      expect(checkHistory(history, { log })).toEqual([]);
    },
    TIMEOUT,
  );
});
