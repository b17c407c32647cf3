import { expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, HUB_ENVIRONMENT, publisherToken, Publisher, RESOURCE, startHub } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

/** What the log has on the configuration of Redis, with its level. */
function adviceIn(herald: Herald): unknown[] {
  return herald
    .logLines()
    .filter(({ msg }) => /^Redis (writes no|evicts|would evict|does not tell)/.test(String(msg)))
    .map(({ level, msg }) => [level, msg]);
}

const WARN = 40;
const INFO = 30;

describeWith(redisServer, 'the start with a Redis that may lose updates', (program) => {
  it.each<[string, string[], [number, unknown][]]>([
    ['nothing where all is as it should be', ['maxmemory 100mb', 'maxmemory-policy noeviction'], []],
    [
      'eviction, and a missing append-only file',
      ['maxmemory 100mb', 'maxmemory-policy allkeys-lru', 'appendonly no'],
      [
        [WARN, expect.stringMatching(/evicts .*\(allkeys-lru\): set "maxmemory-policy noeviction"/)],
        [WARN, expect.stringContaining('set "appendonly yes"')],
      ],
    ],
    [
      'eviction that a limit would begin',
      ['maxmemory-policy volatile-ttl'],
      [[INFO, expect.stringContaining('(volatile-ttl)')]],
    ],
    [
      'the same where INFO is not allowed',
      ['user default on nopass ~* &* +@all -info', 'maxmemory 100mb', 'maxmemory-policy allkeys-random'],
      [[WARN, expect.stringContaining('(allkeys-random)')]],
    ],
    [
      'that it does not tell, where neither is',
      ['user default on nopass ~* &* +@all -info -config'],
      [[INFO, expect.stringContaining('does not tell')]],
    ],
  ])('tells of %s', async (_, configuration, expected) => {
    await using redis = await RedisServer.start(program, { configuration });
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'a', data: 'x' });
    expect(adviceIn(herald)).toEqual(expected);
  });
});

it('tells which audience was expected: the client where it is configured, and the log once, with no token', async () => {
  await using herald = await startHub();
  const token = await publisherToken({ claims: { aud: 'https://elsewhere.example/' } });
  const publish = async (at: Herald): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await send(at.url + HUB, { method: 'POST', headers }, form({ topic: 'a' }));
    expect(response.statusCode).toBe(401);
    return textOf(response);
  };
  for (let times = 0; times < 3; times += 1) {
    expect(await publish(herald)).toContain(`its audience does not name this hub, which is ${RESOURCE}.`);
  }
  const told = herald.logLines().filter(({ msg }) => /their audience is not this hub/.test(String(msg)));
  expect(told).toEqual([expect.objectContaining({ level: WARN, expected: RESOURCE, issuer: 'herald', refused: 1 })]);
  expect(herald.logs()).not.toContain('elsewhere.example');

  const { HERALD_RESOURCE: _without, ...env } = HUB_ENVIRONMENT;
  await using other = await startHub({ ...env, HERALD_RESOURCE: '' });
  expect(other.logLines().filter(({ level }) => level === WARN)).toHaveLength(1);
  expect(await publish(other)).toContain('because HERALD_RESOURCE is not set');
});
