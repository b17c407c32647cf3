import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import type { Journal } from '../../src/storage/journal/journal.js';
import type { TopicLookup } from '../../src/storage/journal/topics/topic-lookup.js';
import { TcpProxy } from '../faults/support/tcp-proxy.js';
import { CapturedLog } from '../support/captured-log.js';
import { describeWith, redisServer } from '../support/programs.js';
import { lookUp, Mirror, scan } from './mirror.js';
import { PLENTY, update } from './open-redis.js';
import { record, SharedLogs } from './shared-logs.js';

const TOPICS = ['https://example.com/a', 'https://example.com/b', 'c'];

async function indexOf(journal: Journal): Promise<TopicLookup> {
  for (;;) {
    const { topics } = journal;
    if (topics) return topics;
    await delay(1);
  }
}

/** Resolves once a process finds by topic, and remembers, what a scan gives. */
async function untilSame(journal: Journal, mirror: Mirror): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = await scan(journal, TOPICS).catch(() => undefined);
    const { topics, head } = journal;
    const fromIndex = topics && found && lookUp(topics, TOPICS);
    const isOver = performance.now() > deadline;
    if (found && fromIndex && topics.from <= found.oldest) {
      const remembered = mirror.from(found.oldest);
      const isSame = JSON.stringify([fromIndex, remembered]) === JSON.stringify([found.byTopic, found.ids]);
      if (isSame) return;
      if (isOver) expect([fromIndex, remembered, head]).toEqual([found.byTopic, found.ids, head]);
    } else if (isOver) throw new Error('there is no index');
    await delay(2);
  }
}

describeWith(redisServer, 'updates in Redis by topic', (program) => {
  let logs: SharedLogs;

  beforeAll(async () => {
    logs = await SharedLogs.start(program);
  });
  beforeEach(async () => {
    Logger.overrideLogger(new CapturedLog());
    await logs.begin();
  });
  afterAll(() => logs[Symbol.asyncDispose]());

  async function fill(journal: Journal, count: number, size = 10): Promise<void> {
    const topicOf = (index: number): string => TOPICS[index % TOPICS.length] ?? '';
    await Promise.all(
      Array.from({ length: count }, async (_, index) =>
        journal.append({ ...update(`${index}`, 'x'.repeat(size)), topics: [topicOf(index)] }),
      ),
    );
  }

  it('are found by all who share the log, and before anybody is told of them', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const found: (readonly number[])[] = [];
    // Several may come at once.
    other.tail(0, (entries) => {
      for (const { position } of entries) {
        found.push(other.topics?.positionsBefore('https://example.com/t', position + 1, 1) ?? []);
      }
    });
    for (const id of ['1', '2', '3']) await one.append(update(id));
    while (found.length < 3) await delay(5);
    expect(found).toEqual([[1], [2], [3]]);
  });

  it('are listed in the background by a process that starts, also while Redis goes away', async () => {
    await fill(await logs.open(), 3_000);
    await using proxy = await TcpProxy.start(logs.redis.port);
    const late = await logs.open({ url: `redis://127.0.0.1:${proxy.port}` });
    expect(late.topics).toBeUndefined();
    await delay(5);
    proxy.cut();
    await fill(await logs.open(), 300);
    expect(late.topics).toBeUndefined();
    const { byTopic } = await scan(await logs.open(), TOPICS);
    while (late.head < 3_300) await delay(5);
    const index = await indexOf(late);
    expect([index.from, lookUp(index, TOPICS)]).toEqual([1, byTopic]);
    // What is known is found although Redis is away, and can't be read.
    proxy.stall();
    expect(late.topics?.positionsBefore('c', 10, 2)).toEqual([9, 6]);
    await expect(late.readAt([9, 6])).rejects.toThrow(/can't be read/);
    await late.close();
  });

  it('take no more memory than they may: the oldest are not found', async () => {
    const bytes = 40_000;
    const [one, other] = [await logs.open({ indexBytes: bytes }), await logs.open()];
    await fill(other, 2_000);
    while (one.head < 2_000) await delay(5);
    const late = await logs.open({ indexBytes: bytes });
    for (const journal of [one, late]) {
      const index = await indexOf(journal);
      expect(index.from).toBeGreaterThan(500);
      expect(index.from).toBeLessThan(1_500);
      expect(lookUp(index, TOPICS)).toEqual((await scan(journal, TOPICS, index.from)).byTopic);
    }
  });

  it('are not found any more once they are trimmed, all at once or one by one', async () => {
    const few = { retention: { ...PLENTY, events: 100 } };
    const [one, other] = [await logs.open(few), await logs.open(few)];
    await fill(one, 150);
    while (other.head < 150) await delay(5);
    await untilSame(other, new Mirror(other));
    const fewer = await logs.open({ retention: { ...PLENTY, events: 1 } });
    await fewer.append({ ...update('last'), topics: ['c'] });
    while (other.head < 151) await delay(5);
    await other.read(0, 1);
    expect(lookUp(await indexOf(other), TOPICS)).toEqual([[], [], [151]]);
    expect(other.topics?.topics({ by: 'text', prefix: '', limit: 10 }).topics).toHaveLength(1);
  });

  it('are found where they are after a loss, and nowhere else', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const mirrors = [new Mirror(one), new Mirror(other)];
    const untilAllSame = async (): Promise<void> => {
      for (const [index, journal] of [one, other].entries())
        if (mirrors[index]) await untilSame(journal, mirrors[index]);
    };
    await fill(one, 10);
    const failOver = await logs.replica();
    await fill(other, 20);
    await untilAllSame();
    await failOver();
    await fill(one, 5);
    await untilAllSame();
    expect(mirrors.map(({ resets }) => resets)).toEqual([[10], [10]]);
    expect(one.topics?.positionsAfter('c', 0, 100)).toEqual([3, 6, 9, 13]);
    await logs.redis.command('FLUSHALL');
    await fill(other, 4);
    await untilAllSame();
    expect(mirrors.map(({ resets }) => resets)).toEqual([
      [10, 0],
      [10, 0],
    ]);
    expect(other.topics?.positionsAfter('c', 0, 100)).toEqual([3]);
  });

  it('are found again where a failover has brought removed ones back', async () => {
    const [one, other] = [await logs.open(), await logs.open()];
    const mirrors = [new Mirror(one), new Mirror(other)];
    await fill(one, 6);
    const failOver = await logs.replica();
    await one.remove([3, 6]);
    expect(lookUp(await indexOf(other), ['c'])).toEqual([[]]);
    await failOver();
    for (const [index, journal] of [one, other].entries()) {
      const mirror = mirrors[index];
      while (!mirror?.removals.includes(undefined)) await delay(5);
      await untilSame(journal, mirror);
      expect([mirror.resets, lookUp(await indexOf(journal), ['c'])]).toEqual([[], [[3, 6]]]);
    }
    await other.remove([3, 6]);
    expect(mirrors.map((mirror) => mirror.from(0))).toEqual([
      ['0', '1', '3', '4'],
      ['0', '1', '3', '4'],
    ]);
  });

  it('are what a scan gives, whatever was appended, removed, trimmed and lost', async () => {
    const by = fc.nat(1);
    const deed = fc.oneof(
      { weight: 12, arbitrary: fc.record({ by, topics: fc.subarray(TOPICS, { minLength: 1 }) }) },
      { weight: 3, arbitrary: fc.record({ by, events: fc.integer({ min: 1, max: 3 }) }) },
      // Counted from the head backwards.
      { weight: 5, arbitrary: fc.record({ by, removed: fc.array(fc.nat(6), { maxLength: 3 }) }) },
      { weight: 2, arbitrary: fc.constantFrom('lag', 'failover', 'failover', 'flush', 'wait', 'start') },
    );
    const all = fc.record({
      deeds: fc.array(deed, { maxLength: 40 }),
      events: fc.integer({ min: 2, max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(all, async ({ deeds, events }) => {
        await logs.begin();
        const few = { retention: { ...PLENTY, events }, presenceRetention: { ...PLENTY, events: 3 } };
        const journals = [await logs.open(few), await logs.open(few)];
        const mirrors = journals.map((journal) => new Mirror(journal));
        let failOver = (): Promise<void> => Promise.resolve();
        for (const [index, one] of deeds.entries()) {
          if (one === 'lag') failOver = await logs.replica();
          else if (one === 'failover') await failOver();
          else if (one === 'flush') await logs.redis.command('FLUSHALL');
          else if (one === 'wait') await delay(20);
          else if (one === 'start') {
            const journal = await logs.open(few);
            journals.push(journal);
            mirrors.push(new Mirror(journal));
          } else {
            const journal = journals[one.by];
            if (!journal) continue;
            if ('topics' in one) await journal.append({ ...update(`${index}`), topics: one.topics });
            else if ('events' in one) await journal.appendPresence(record(one.events));
            else {
              // Refused where the log has lost entries of which this process does not know yet.
              const { head } = journal;
              await journal.remove(one.removed.map((back) => head - back)).catch(() => undefined);
            }
          }
        }
        for (const [index, journal] of journals.entries()) {
          const mirror = mirrors[index];
          if (mirror) await untilSame(journal, mirror);
        }
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});
