import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { CapturedLog } from '../support/captured-log.js';
import { describeWith, redisServer } from '../support/programs.js';
import { PLENTY, update } from './open-redis.js';
import { record, SharedLogs, Told } from './shared-logs.js';

/** The script with which the build of that commit appends: it knows nothing of presence, and counts what is held. */
const OLD_APPEND = new URL('../upgrade/append-dbda041.lua', import.meta.url);

/** Puts something of another program's in the place of the row with this id. */
const SPOIL = `
local rows = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for _, row in ipairs(rows) do
  redis.call('XADD', KEYS[1], row[1], unpack(row[2][6] == ARGV[1] and { 'not', 'ours' } or row[2]))
end
`;

describeWith(redisServer, 'Redis with comings and goings, some of them lost', (program) => {
  let logs: SharedLogs;
  let captured: CapturedLog;

  beforeAll(async () => {
    logs = await SharedLogs.start(program);
  });
  beforeEach(async () => {
    await logs.begin();
    captured = new CapturedLog();
    Logger.overrideLogger(captured);
  });
  afterAll(() => logs[Symbol.asyncDispose]());

  /** Appends as a process of the old build that keeps so many updates. */
  async function appendByOldBuild(events: number, id: string): Promise<void> {
    const script = await readFile(OLD_APPEND, 'utf8');
    const keys = ['meta', 'log', 'ids', 'keys', 'writer:old'].map((name) => logs.key(name));
    const number = Math.round(performance.now() * 1_000);
    const draft = [id, JSON.stringify(update(id)), '', ''];
    await logs.redis.command(
      'EVAL',
      script,
      5,
      ...keys,
      'epoch',
      '',
      events,
      2 ** 30,
      86_400_000,
      number,
      number,
      ...draft,
    );
  }

  it('goes to the head of the log although nothing is held there any more', async () => {
    const none = { presenceRetention: { ...PLENTY, events: 0 } };
    const [one, other] = [await logs.open(none), await logs.open(none)];
    const told = new Told(other);
    await one.append(update('a'));
    const back = await logs.replica();
    await one.append(update('b'));
    await one.appendPresence(record(4));
    expect(await one.read(0, 10)).toMatchObject({ upTo: 6, oldest: 1, oldestPresence: 7 });
    await told.until(2, 6);
    await one.append(update('c'));
    await told.until(3, 7);
    expect([told.updates, told.resets]).toEqual([['a', 'b', 'c'], []]);
    expect(told.positions).toEqual([1, 2, 7]);
    // What has their places is trimmed at once, and the loss is noticed all the same.
    await back();
    await one.appendPresence(record(20));
    while (told.resets.length === 0) await delay(5);
    expect(told.resets).toEqual([1]);
  });

  it('goes back to what is left when updates and presence are lost together', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const tolds = [new Told(one), new Told(other)];
    const lost = record(3);
    await one.append(update('a'));
    await one.appendPresence(record(2));
    await one.append(update('b'));
    const back = await logs.replica();
    await one.appendPresence(lost);
    await one.append(update('c'));
    await one.appendPresence(record());
    for (const told of tolds) await told.until(3, 9);
    await back();
    await one.appendPresence(record(2));
    await other.append(update('d'));
    for (const told of tolds) {
      while (told.resets.length === 0 || told.updates.at(-1) !== 'd') await delay(5);
      expect(told.resets).toEqual([4]);
      expect(told.positions).toEqual([1, 3, 4, 7, 8, 9, 6, 7]);
    }
    expect((await one.read(0, 10)).entries.map(({ position }) => position)).toEqual([1, 3, 4, 6, 7]);
    expect(captured.errors).toMatchObject([
      { position: 4, lost: 5 },
      { position: 4, lost: 5 },
    ]);
  });

  it('notices that a record was lost whose places another one has', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const told = new Told(other);
    await one.append(update('a'));
    const back = await logs.replica();
    await one.appendPresence(record(3));
    await told.until(1, 4);
    await back();
    await one.appendPresence(record(3));
    while (told.entries.length < 3) await delay(5);
    expect([told.resets, told.positions]).toEqual([[1], [1, 4, 4]]);
  });

  it('does not take what lies where it has a hole for something that it has followed', async () => {
    const none = { presenceRetention: { ...PLENTY, events: 0 } };
    const [one, other] = [await logs.open(none), await logs.open(none)];
    const told = new Told(other);
    await one.append(update('a'));
    const back = await logs.replica();
    await one.appendPresence(record(5));
    await one.append(update('b'));
    await told.until(2, 7);
    await back();
    await Promise.all(['c', 'd', 'e', 'f', 'g', 'h'].map((id) => one.append(update(id))));
    await told.until(8, 7);
    expect([told.resets, told.updates]).toEqual([[1], ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']]);
  });

  it('notices that updates were lost although what has their places is trimmed again', async () => {
    const few = { presenceRetention: { ...PLENTY, events: 1 } };
    const [one, other] = [await logs.open(few), await logs.open(few)];
    const told = new Told(other);
    await one.append(update('a'));
    const back = await logs.replica();
    await one.append(update('b'));
    await one.append(update('c'));
    await told.until(3, 3);
    await back();
    await Promise.all(Array.from({ length: 100 }, () => one.appendPresence(record())));
    while (told.resets.length === 0 || told.entries.length < 4) await delay(5);
    expect([told.resets, told.positions]).toEqual([[1], [1, 2, 3, 101]]);
  });

  it('counts what is held, as older builds do beside it, until presence is used', async () => {
    const one = await logs.open();
    const told = new Told(one);
    await one.append(update('a'));
    for (const [index, id] of ['b', 'c', 'd'].entries()) {
      await appendByOldBuild(2, id);
      await told.until(index + 2, index + 2);
    }
    const fields = ['epoch', 'head', 'nonce', 'bytes', 'last', 'time'];
    expect(await logs.redis.command('HKEYS', logs.key('meta'))).toEqual(fields);
    expect(await one.read(0, 10)).toMatchObject({ entries: [{ position: 3 }, { position: 4 }], oldest: 3 });

    const logged = jest.spyOn(captured, 'log');
    await one.appendPresence(record(3));
    await one.appendPresence(record(), { idempotencyKey: 'again' });
    await (await logs.open()).appendPresence(record(), { idempotencyKey: 'again' });
    expect(logged.mock.calls.flat().filter((text) => String(text).includes('docs/operations.md'))).toHaveLength(1);
    expect(await one.read(0, 10)).toMatchObject({ oldest: 3, oldestPresence: 1, upTo: 8 });
    expect(await logs.redis.command('HGET', logs.key('meta'), 'oldest')).toBe('3');
    // The old build tells nobody what it trims: from here on, what comes before the oldest row counts as trimmed.
    await appendByOldBuild(2, 'e');
    await told.until(5, 9);
    await appendByOldBuild(2, 'f');
    await told.until(6, 10);
    expect(await one.read(0, 10)).toMatchObject({
      entries: [{ position: 7 }, { position: 8 }, { position: 9 }, { position: 10 }],
      oldest: 9,
      oldestPresence: 1,
    });
    expect([told.updates, told.resets]).toEqual([['a', 'b', 'c', 'd', 'e', 'f'], []]);
    expect(one.lastId).toBe('f');
  });

  it('counts as trimmed what another program has removed', async () => {
    const one = await logs.open();
    await one.append(update('a'));
    await one.appendPresence(record(2));
    await one.append(update('b'));
    await logs.redis.command('XTRIM', logs.key('log'), 'MAXLEN', 1);
    expect(await one.read(0, 10)).toMatchObject({ oldest: 4, oldestPresence: 1 });
    await logs.redis.command('XTRIM', logs.key('log'), 'MAXLEN', 0);
    await logs.redis.command('XTRIM', logs.key('presence'), 'MAXLEN', 0);
    expect(await one.read(0, 10)).toMatchObject({ entries: [], upTo: 4, oldest: 5, oldestPresence: 5 });
    await one.append(update('c'));
    expect(await one.read(0, 10)).toMatchObject({ entries: [{ position: 5 }], oldest: 5, oldestPresence: 5 });
  });

  it('begins presence anew in a log that an older build has begun anew', async () => {
    const one = await logs.open();
    for (let count = 0; count < 5; count += 1) await one.appendPresence(record(3), { idempotencyKey: `${count}` });
    await logs.redis.command('DEL', ...['meta', 'log', 'ids', 'keys'].map((name) => logs.key(name)));
    await appendByOldBuild(10, 'a');
    await logs.open();
    expect(await logs.redis.command('EXISTS', logs.key('presence'))).toBe(0);
    expect(await (await logs.open()).read(0, 10)).toMatchObject({ entries: [{ position: 1 }], upTo: 1 });
    expect(await one.appendPresence(record(2), { idempotencyKey: '0' })).toMatchObject({ position: 3 });
    expect(await (await logs.open()).read(0, 10)).toMatchObject({
      entries: [{ position: 1 }, { position: 3 }],
      upTo: 3,
    });
  });

  it('gives the place of a record that another program has changed, and goes on after it', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const [first, spoilt, last] = [record(2), record(3), record(2)];
    for (const come of [first, spoilt, last]) await one.appendPresence(come);
    await logs.redis.command('EVAL', SPOIL, 1, logs.key('presence'), spoilt.id);
    const told = new Told(await logs.open());
    expect((await other.read(0, 10)).entries).toMatchObject([{ record: first }, { position: 5 }, { record: last }]);
    await one.append(update('a'));
    await told.until(1, 8);
    expect([told.positions, told.resets]).toEqual([[2, 5, 7, 8], []]);
    expect(captured.errors.map(({ position }) => position)).toContain(5);
  });
});
