import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { TLS_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';
import { checkHistory } from './support/check.js';
import { Fleet } from './support/fleet.js';
import { KEEPS_ALL } from './support/keeps-all.js';
import { chance, harass, say, TIMEOUT } from './support/run-options.js';
import { Workload } from './support/workload.js';

/** Readers that come and go as they please, and move between the instances. */
const MOVING = { stays: 1_500, drops: 0.002 };

describe('one process with an LMDB journal that is killed again and again', () => {
  it(
    'loses nothing, doubles nothing and keeps the order',
    async () => {
      const random = chance('LMDB killed');
      const path = await mkdtemp(join(tmpdir(), 'herald-faults-'));
      try {
        await using fleet = await Fleet.start([
          { HERALD_JOURNAL: `lmdb:${path}`, ...KEEPS_ALL, ...random.pick([{}, TLS_ENVIRONMENT]) },
        ]);
        await using workload = new Workload({ random, urls: fleet.urls });
        workload.addReaders(4, { drops: 0.002 });
        await workload.addPublishers(12, { givesUp: 0.2 });
        const { history } = workload;
        const kills = await harass(6, async () => {
          await workload.acknowledges(random.between(1, 400));
          await fleet.kill(0);
          await fleet.revive(0);
        });
        await workload.acknowledges(50);
        const log = await workload.finish();
        say('LMDB killed', `${kills} times, ${history.acknowledged} acknowledged, ${history.unanswered} unanswered`);
        expect(checkHistory(history, { log })).toEqual([]);
      } finally {
        await rm(path, { recursive: true });
      }
    },
    TIMEOUT,
  );
});

describeWith(redisServer, 'three processes on one Redis, of which one or the other is killed', (program) => {
  it(
    'lose nothing, double nothing and keep the order, for readers that move between them',
    async () => {
      const random = chance('processes killed');
      await using redis = await RedisServer.start(program);
      const env = { HERALD_JOURNAL: redis.url, ...KEEPS_ALL };
      await using fleet = await Fleet.start([env, { ...env, ...TLS_ENVIRONMENT }, { ...env, ...TLS_ENVIRONMENT }]);
      await using workload = new Workload({ random, urls: fleet.urls });
      workload.addReaders(6, MOVING);
      await workload.addPublishers(4);
      const { history } = workload;
      const kills = await harass(3, async () => {
        await delay(random.between(50, 600));
        const victim = random.between(0, fleet.size - 1);
        await fleet.kill(victim);
        await delay(random.between(0, 300));
        await fleet.revive(victim);
      });
      const log = await workload.finish();
      say('processes killed', `${kills} times, ${history.acknowledged} acknowledged`);
      expect(checkHistory(history, { log })).toEqual([]);
    },
    TIMEOUT,
  );
});
