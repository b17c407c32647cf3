import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type EventStream, openStream, textOf } from '../support/event-stream.js';
import { Herald } from '../support/herald.js';
import { form, HUB, noticesOf, Publisher, startHub, subscribe, updatesOf } from '../support/hub.js';
import { describeWith, redisServer } from '../support/programs.js';
import { RedisServer } from '../support/redis.js';

const TOPIC = 'urn:t';

function idsOf(stream: EventStream): (string | undefined)[] {
  return updatesOf(stream).map(({ id }) => id);
}

async function publish(herald: Herald, ...ids: string[]): Promise<void> {
  using publisher = await Publisher.of(herald);
  for (const id of ids) await publisher.publish({ topic: TOPIC, id });
}

async function statusOf(url: string): Promise<number | undefined> {
  await using stream = await openStream(url);
  await stream.ended;
  return stream.response.statusCode;
}

/** Looks again until `condition` holds. Redis and Herald find each other again in their own time. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

describeWith(redisServer, 'processes that share a Redis', (program) => {
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await RedisServer.start(program);
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  function start(): Promise<Herald> {
    return startHub({ HERALD_JOURNAL: redis.url });
  }

  it('deliver each other’s updates, in the same order at every one', async () => {
    await using one = await start();
    await using two = await start();
    await using three = await start();
    const heralds = [one, two, three];
    const streams = await Promise.all(heralds.map((herald) => subscribe(herald, { query: `match=${TOPIC}` })));
    const ids = heralds.map((_, index) => Array.from({ length: 200 }, (__, number) => `${index}-${number}`));
    await Promise.all(heralds.map((herald, index) => publish(herald, ...(ids[index] ?? []))));
    await publish(one, 'last');
    for (const stream of streams) await stream.until((seen) => idsOf(seen).includes('last'));
    const [first, ...others] = streams.map(idsOf);
    for (const order of others) expect(order).toEqual(first);
    expect(first?.toSorted()).toEqual([...ids.flat(), 'last'].toSorted());
    for (const own of ids) expect(first?.filter((id) => own.includes(id ?? ''))).toEqual(own);
    for (const stream of streams) await stream[Symbol.asyncDispose]();
  });

  it('let a reader resume at any of them', async () => {
    await using one = await start();
    await publish(one, 'a', 'b', 'c', 'd');
    await using two = await start();
    await using stream = await subscribe(two, { query: `match=${TOPIC}`, headers: { 'last-event-id': 'b' } });
    await publish(one, 'e');
    await stream.until((seen) => idsOf(seen).includes('e') && noticesOf(seen).length > 0);
    expect(idsOf(stream)).toEqual(['c', 'd', 'e']);
    expect(noticesOf(stream)).toEqual([{ type: 'caught-up' }]);
  });

  it('take each other’s cursors', async () => {
    await using one = await start();
    await using two = await start();
    await publish(one, 'a');
    await using quiet = await subscribe(one, { query: `match=${TOPIC}` });
    await quiet.until(({ cursors }) => cursors.length > 0);
    await quiet[Symbol.asyncDispose]();
    await publish(one, 'b');
    const headers = { 'last-event-id': quiet.lastEventId };
    await using stream = await subscribe(two, { query: `match=${TOPIC}`, headers });
    await stream.until((seen) => noticesOf(seen).length > 0);
    expect([idsOf(stream), noticesOf(stream)]).toEqual([['b'], [{ type: 'caught-up' }]]);
  });

  it('store nothing twice when a publisher tries again at another one', async () => {
    await using one = await start();
    await using two = await start();
    using here = await Publisher.of(one);
    using there = await Publisher.of(two);
    const key = { 'idempotency-key': '"k"' };
    const id = await here.publish({ topic: TOPIC, data: 'x' }, key);
    expect(await there.publish({ topic: TOPIC, data: 'x' }, key)).toBe(id);
    const conflict = await there.post(form({ topic: TOPIC, data: 'y' }), key);
    expect([conflict.statusCode, JSON.parse(await textOf(conflict))]).toMatchObject([
      422,
      { code: 'idempotency-key-conflict' },
    ]);
  });

  it('tell a reader from the earliest of no gap, however much has been trimmed by others', async () => {
    const env = { HERALD_JOURNAL: redis.url, HERALD_RETAIN_EVENTS: '3' };
    await using one = await startHub(env);
    await using two = await startHub(env);
    await publish(one, 'a', 'b', 'c', 'd', 'e');
    await using stream = await subscribe(two, { query: `match=${TOPIC}&last_event_id=earliest` });
    await stream.until((seen) => noticesOf(seen).length > 0);
    expect([idsOf(stream), noticesOf(stream)]).toEqual([['c', 'd', 'e'], [{ type: 'caught-up' }]]);
  });

  it('keep their readers while Redis is away, refuse publications, and go on by themselves', async () => {
    await using one = await start();
    await using two = await start();
    await using stream = await subscribe(two, { query: `match=${TOPIC}` });
    await publish(one, 'a');
    await redis.stop();
    using publisher = await Publisher.of(one);
    const refused = await publisher.post(form({ topic: TOPIC }));
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '5']);
    expect(JSON.parse(await textOf(refused))).toMatchObject({ code: 'journal-unavailable' });
    await until(async () => (await statusOf(`${one.url}/health/ready`)) === 503);
    expect(await statusOf(`${one.url}/health/live`)).toBe(200);

    // A native EventSource would give up on anything but a 200.
    const resume = { headers: { 'last-event-id': 'a' } };
    await using sentAway = await openStream(`${two.url}${HUB}?match=${TOPIC}`, resume);
    await sentAway.ended;
    expect([sentAway.response.statusCode, noticesOf(sentAway)]).toEqual([200, [{ type: 'unavailable' }]]);
    // Nobody knows where it is, and its own last id is to stay.
    expect(sentAway.text).not.toContain('herald-cursor:');
    await using fresh = await subscribe(two, { query: `match=${TOPIC}` });

    await redis.start();
    await until(async () => (await statusOf(`${one.url}/health/ready`)) === 200);
    await publish(one, 'b', 'c');
    await stream.until((seen) => idsOf(seen).includes('c'));
    await fresh.until((seen) => idsOf(seen).includes('c'));
    expect([idsOf(stream), noticesOf(stream)]).toEqual([['a', 'b', 'c'], []]);
    expect(idsOf(fresh)).toEqual(['b', 'c']);
  });

  it('publish on after a short break, without the publisher noticing', async () => {
    await using one = await start();
    await using stream = await subscribe(one, { query: `match=${TOPIC}` });
    await publish(one, 'a');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal').catch(() => undefined);
    await publish(one, 'b');
    await stream.until((seen) => idsOf(seen).includes('b'));
    expect([idsOf(stream), noticesOf(stream)]).toEqual([['a', 'b'], []]);
  });

  it('do not start without Redis, and say so in one line that gives no password away', async () => {
    const { port } = new URL(redis.url);
    await redis.stop();
    await using herald = Herald.spawn({ env: { HERALD_JOURNAL: `redis://user:hush@127.0.0.1:${port}` } });
    expect(await herald.exit()).toEqual({ code: 1, signal: null });
    expect(herald.fatalMessages()).toEqual([expect.stringMatching(/without its journal.*ECONN/)]);
    expect(herald.logs()).not.toContain('hush');
  });
});

describeWith(redisServer, 'when Redis has lost its newest entries', (program) => {
  let redis: RedisServer;

  beforeEach(async () => {
    // What is saved by hand is there after a restart, and nothing else.
    redis = await RedisServer.start(program, { configuration: ['appendonly no'] });
  });
  afterEach(() => redis[Symbol.asyncDispose]());

  async function restart(): Promise<void> {
    await redis.stop();
    await redis.start();
  }

  it('readers who saw some of them are told, others are not, and all go on with what comes', async () => {
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    await publish(herald, 'a', 'b');
    await redis.command('SAVE');
    await using stream = await subscribe(herald, { query: `match=${TOPIC}&last_event_id=earliest` });
    await using other = await subscribe(herald, { query: 'match=urn:other' });
    await publish(herald, 'c', 'd');
    await stream.until((seen) => idsOf(seen).includes('d'));
    await restart();
    await stream.until((seen) => noticesOf(seen).length > 1);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: [TOPIC, 'urn:other'], id: 'e' });
    await stream.until((seen) => idsOf(seen).includes('e'));
    await other.until((seen) => idsOf(seen).includes('e'));
    expect(idsOf(stream)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(noticesOf(stream)).toEqual([{ type: 'caught-up' }, { type: 'reset' }]);
    expect([idsOf(other), noticesOf(other)]).toEqual([['e'], []]);
    expect(herald.logLines()).toContainEqual(
      expect.objectContaining({ msg: 'Redis has lost its newest entries', lost: 2, position: 2, resets: 1 }),
    );
  });

  it('a process finds out from where, though others have gone on in the meantime', async () => {
    await using frozen = await startHub({ HERALD_JOURNAL: redis.url });
    await publish(frozen, 'a', 'b', 'c');
    await redis.command('SAVE');
    await using stream = await subscribe(frozen, { query: `match=${TOPIC}&last_event_id=earliest` });
    await publish(frozen, 'd', 'e');
    await stream.until((seen) => idsOf(seen).includes('e'));
    frozen.child.kill('SIGSTOP');
    await restart();
    await using other = await startHub({ HERALD_JOURNAL: redis.url });
    await publish(other, 'f', 'g', 'h', 'i');
    frozen.child.kill('SIGCONT');
    await stream.until((seen) => idsOf(seen).includes('i'));
    expect(idsOf(stream)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']);
    expect(noticesOf(stream).map(({ type }) => type)).toEqual(expect.arrayContaining(['caught-up', 'reset']));
    expect(stream.events.findIndex(({ data }) => data === '{"type":"reset"}')).toBeLessThan(
      stream.events.findIndex(({ id }) => id === 'f'),
    );
  });

  it('a log that has been emptied is another one, of which readers get everything', async () => {
    await using herald = await startHub({ HERALD_JOURNAL: redis.url });
    await using stream = await subscribe(herald, { query: `match=${TOPIC}` });
    await publish(herald, 'a', 'b');
    await stream.until((seen) => idsOf(seen).includes('b'));
    await redis.command('FLUSHALL');
    await publish(herald, 'c', 'd', 'e');
    await stream.until((seen) => idsOf(seen).includes('e'));
    expect(idsOf(stream)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(noticesOf(stream)).toEqual([{ type: 'reset' }]);
  });
});
