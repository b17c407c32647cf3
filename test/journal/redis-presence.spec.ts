import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isPresence } from '../../src/storage/journal/journal.js';
import { NO_REMOVAL, RedisLog } from '../../src/storage/journal/redis/redis-log.js';
import { LOG_SCRIPTS } from '../../src/storage/journal/redis/redis-script.js';
import { connectRedis } from '../../src/storage/redis/redis-connection.js';
import { TcpProxy } from '../faults/support/tcp-proxy.js';
import { describeWith, redisServer } from '../support/programs.js';
import { PLENTY, update } from './open-redis.js';
import { record, SharedLogs, Told } from './shared-logs.js';

/** What was told where nothing was lost: every update once, and everything in its order. */
function expectAll(told: Told, updates: readonly string[]): void {
  expect(told.updates).toEqual(updates);
  expect(told.positions).toEqual([...new Set(told.positions)].toSorted((one, other) => one - other));
  expect(told.resets).toEqual([]);
}

describeWith(redisServer, 'Redis with comings and goings', (program) => {
  let logs: SharedLogs;

  beforeAll(async () => {
    logs = await SharedLogs.start(program);
  });
  beforeEach(async () => {
    await logs.begin();
  });
  afterAll(() => logs[Symbol.asyncDispose]());

  it('tells everybody every update, once and in order, where presence is trimmed before it arrives', async () => {
    const few = { presenceRetention: { ...PLENTY, events: 3 } };
    const [one, other] = [await logs.open(few), await logs.open(few)];
    const tolds = [new Told(one), new Told(other)];
    const ids = Array.from({ length: 600 }, (_, index) => `${index}`);
    await Promise.all(
      ids.flatMap((id) => [one.append(update(id)), one.appendPresence(record(2)), other.append(update(`other ${id}`))]),
    );
    for (const told of tolds) {
      await told.until(1_200, 2_400);
      expectAll(told, tolds[0]?.updates ?? []);
      expect(told.updates.filter((id) => !id.startsWith('other'))).toEqual(ids);
      // Else nothing has been shown.
      expect(told.entries.length).toBeLessThan(1_800);
    }
    expect([one.oldest, one.oldestPresence > 2_000, other.oldest]).toEqual([1, true, 1]);
  });

  it('loses nothing of what came while a process was held up', async () => {
    await using proxy = await TcpProxy.start(logs.redis.port);
    const few = { presenceRetention: { ...PLENTY, events: 5 } };
    const [one, slow] = [await logs.open(few), await logs.open({ ...few, url: `redis://127.0.0.1:${proxy.port}` })];
    const told = new Told(slow);
    const ids = Array.from({ length: 100 }, (_, index) => `${index}`);
    await one.append(update('first'));
    await told.until(1, 1);
    proxy.stall();
    for (const id of ids)
      await Promise.all([one.appendPresence(record(3)), one.append(update(id)), one.appendPresence(record())]);
    proxy.heal();
    await told.until(101, 501);
    expectAll(told, ['first', ...ids]);
    expect(told.entries.length).toBeLessThan(300);
    await slow.close();
  });

  it('gives what is held where updates in between are trimmed, and says so by the oldest', async () => {
    await using proxy = await TcpProxy.start(logs.redis.port);
    const few = { retention: { ...PLENTY, events: 2 } };
    const [one, slow] = [await logs.open(few), await logs.open({ ...few, url: `redis://127.0.0.1:${proxy.port}` })];
    const calls = { late: [] as number[][], slow: [] as number[][] };
    slow.tail(0, (entries) => calls.slow.push(entries.map(({ position }) => position)));
    proxy.stall();
    for (const kind of 'ppuppuuupp') await (kind === 'u' ? one.append(update(kind)) : one.appendPresence(record()));
    one.tail(0, (entries) => calls.late.push(entries.map(({ position }) => position)));
    proxy.heal();
    while (calls.slow.flat().at(-1) !== 10 || calls.late.flat().at(-1) !== 10) await delay(5);
    expect(calls.slow.flat()).toEqual([1, 2, 4, 5, 7, 8, 9, 10]);
    expect(calls.late.flat()).toEqual([1, 2, 4, 5, 7, 8, 9, 10]);
    expect([slow.oldest, slow.oldestPresence]).toEqual([7, 1]);
    await slow.close();
  });

  it.each([
    ['updates', 'u'],
    ['presence', 'p'],
  ])('keeps the order where an answer ends in the middle of the %s', async (_, cut) => {
    const one = await logs.open();
    const order = `${cut.repeat(18)}upupupuppu${cut.repeat(9)}pu`.split('');
    await Promise.all(
      order.map((kind, index) => (kind === 'u' ? one.append(update(`${index}`)) : one.appendPresence(record(2)))),
    );
    const { entries } = await one.read(0, 100);
    expect(entries.map((entry) => (isPresence(entry) ? 'p' : 'u'))).toEqual(order);
    const target = { url: logs.redis.url, sentinels: [], sentinelName: '', isCluster: false };
    const raw = new RedisLog(logs.prefix, { updates: PLENTY, presence: PLENTY });
    const connection = await connectRedis(target, raw.key, LOG_SCRIPTS);
    const read: number[] = [];
    for (let isCut = true; isCut;) {
      const answer = await raw.wait(connection, read.at(-1) ?? 0, 16, 100, NO_REMOVAL);
      read.push(...answer.rows.map(({ position }) => position));
      ({ isCut } = answer);
    }
    expect(read).toEqual(entries.map(({ position }) => position));
    connection.client.disconnect();
  });

  it('tells who begins at the start everything, while more is appended', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const order = Array.from({ length: 1_500 }, (_, index) => `${index}`);
    await Promise.all(order.map((id) => one.append(update(id))));
    while (other.head < 1_500) await delay(5);
    const told = new Told(other);
    while (told.updates.length < order.length) {
      const id = `${order.length}`;
      order.push(id);
      await Promise.all([one.append(update(id)), one.appendPresence(record(2))]);
    }
    await told.until(order.length, 0);
    expectAll(told, order);
  });

  it('leaves nothing in Redis that is not bounded by what it keeps', async () => {
    const one = await logs.open({ presenceRetention: { ...PLENTY, events: 5 } });
    for (let count = 0; count < 50; count += 1) await one.appendPresence(record(2), { idempotencyKey: `k${count}` });
    const sizes = [
      logs.redis.command('XLEN', logs.key('presence')),
      logs.redis.command('HLEN', logs.key('presence-keys')),
    ];
    expect(await Promise.all(sizes)).toEqual([5, 5]);
    expect(await logs.redis.command('HGET', logs.key('meta'), 'presence-bytes')).toBe(String(5 * (200 + 45 + 12)));
  });

  it('tells two processes the same, whoever appends what and however little presence is kept', async () => {
    const step = fc.record({
      by: fc.nat(1),
      // None for an update.
      events: fc.nat(3),
      isAlone: fc.boolean(),
    });
    const steps = fc.array(step, { minLength: 1, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 30 }), async (all, events) => {
        await logs.begin();
        const few = { presenceRetention: { ...PLENTY, events } };
        const journals = [await logs.open(few), await logs.open(few)] as const;
        const tolds = journals.map((journal) => new Told(journal));
        const stored = await Promise.all(
          all.map(async ({ by, events: many, isAlone }, index) => {
            // Some come while others are under way, and some later.
            if (isAlone) await delay(index % 7);
            const journal = journals[by === 0 ? 0 : 1];
            return many === 0 ? journal.append(update(`${index}`)) : journal.appendPresence(record(many));
          }),
        );
        const inOrder = stored
          .flatMap((one) => (one.outcome === 'stored' ? [one] : []))
          .toSorted((one, other) => one.position - other.position);
        const ids = inOrder.filter(({ id }) => !id.startsWith('urn:')).map(({ id }) => id);
        const places = new Set(inOrder.map(({ position }) => position));
        for (const told of tolds) {
          await told.until(ids.length, inOrder.at(-1)?.position ?? 0);
          expectAll(told, ids);
          expect(told.positions.filter((position) => !places.has(position))).toEqual([]);
        }
        const { entries, oldest } = await journals[0].read(0, 1_000);
        expect([oldest, entries.filter((entry) => isPresence(entry)).length <= events]).toEqual([1, true]);
      }),
      { numRuns: 15 },
    );
  });
});
