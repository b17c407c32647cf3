import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Herald } from '../support/herald.js';
import { HUB_ENVIRONMENT } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

/** What builds report of themselves that can't read comings and goings where they lie now. */
const REPORT = JSON.stringify({
  host: 'old.example',
  version: '0.1.0',
  startedAt: '2026-11-01T00:00:00.000Z',
  connections: 1,
});

/** An older process as the others see it: it reports itself. `await using` ends it. */
class OlderProcess implements AsyncDisposable {
  private readonly timer: NodeJS.Timeout;

  private constructor(private readonly redis: Redis) {
    this.timer = setInterval(() => void this.report(), 500);
  }

  static async start(url: string): Promise<OlderProcess> {
    const older = new OlderProcess(new Redis(url));
    await older.report();
    return older;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.timer);
    await this.redis.quit();
  }

  private async report(): Promise<void> {
    await this.redis.hset('{herald}:processes', 'older', `${Date.now()}\n${REPORT}`);
  }
}

describe('a process beside an older one on the same Redis', () => {
  describeWith(redisServer, 'Redis', (program) => {
    let redis: RedisServer;
    beforeAll(async () => {
      redis = await RedisServer.start(program, { configuration: ['appendfsync no'] });
    });
    afterAll(() => redis[Symbol.asyncDispose]());

    const environment = (subscriptions: boolean): Record<string, string> => ({
      ...HUB_ENVIRONMENT,
      HERALD_JOURNAL: redis.url,
      HERALD_SUBSCRIPTIONS: String(subscriptions),
    });

    it('does not start while it would tell who is subscribed, and says why and what to do', async () => {
      await using _older = await OlderProcess.start(redis.url);
      await using herald = Herald.spawn({ env: environment(true) });
      expect(await herald.exit()).toEqual({ code: 78, signal: null });
      expect(herald.logs()).toContain('0.1.0 on old.example');
      expect(herald.logs()).toContain('end that one first, or set HERALD_SUBSCRIPTIONS=false');
    }, 40_000);

    it('starts where it tells of nobody', async () => {
      await using _older = await OlderProcess.start(redis.url);
      await using herald = await Herald.start({ env: environment(false) });
      expect(herald.logs()).not.toContain('older build');
    }, 40_000);

    it('starts as soon as the older one is gone', async () => {
      {
        await using _older = await OlderProcess.start(redis.url);
      }
      await using herald = await Herald.start({ env: environment(true) });
      expect(herald.logs()).not.toContain('older build');
    }, 40_000);

    it('says so where an older one is started later', async () => {
      await using herald = await Herald.start({ env: environment(true) });
      await using _older = await OlderProcess.start(redis.url);
      const [text] = await herald.waitForLog(/An older build of Herald \(0\.1\.0 on old\.example/);
      expect(text).toBeDefined();
    }, 40_000);
  });
});
