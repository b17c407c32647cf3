import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { type Database, open as openLmdb } from 'lmdb';
import { journalCommand } from '../../src/cli/journal-command.js';
import { DamageLog } from '../../src/storage/journal/damage-log.js';
import type { Entry, Retention } from '../../src/storage/journal/journal.js';
import { LIMITS } from '../../src/storage/journal/lmdb/index/index-limits.js';
import { LmdbIndex } from '../../src/storage/journal/lmdb/index/lmdb-index.js';
import { LmdbEnvironment } from '../../src/storage/journal/lmdb/lmdb-environment.js';
import { LmdbJournal } from '../../src/storage/journal/lmdb/lmdb-journal.js';
import { LmdbStore } from '../../src/storage/journal/lmdb/lmdb-store.js';
import { NO_ADDRESSES, type TopicAddresses, type TopicLookup } from '../../src/storage/journal/topics/topic-lookup.js';
import type { Update } from '../../src/storage/journal/update.js';
import { TOOLS } from '../support/contract-tools.js';
import { CapturedLog } from '../support/captured-log.js';
import { damageFile } from '../support/damage-file.js';
import { describeTopics } from '../../src/contracts/topics.js';

const PLENTY: Retention = { events: 100_000, bytes: 2 ** 30, age: 86_400_000 };

const usual = structuredClone(LIMITS);

/** So that a few updates do what otherwise needs thousands. */
const SMALL: typeof LIMITS = {
  block: { topics: 3, count: 4, bytes: 1_000 },
  part: { records: 3, count: 10, bytes: 10_000 },
  partBeside: { records: 1, count: 10, bytes: 10_000 },
  chunk: 3,
  few: 10,
};

const directories: string[] = [];

beforeAll(() => {
  Object.assign(LIMITS, SMALL);
});
afterAll(async () => {
  Object.assign(LIMITS, usual);
  await Promise.all(directories.map((directory) => rm(directory, { recursive: true })));
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'herald-topics-'));
  directories.push(directory);
  return directory;
}

/** Keeps what is merely told, too. */
class WholeLog extends CapturedLog {
  readonly told: string[] = [];

  override log(message?: unknown): void {
    this.told.push(String(message));
  }
}

let openAgain: () => Promise<LmdbJournal>;

describeTopics(TOOLS, {
  name: 'LMDB (with much on the disk)',
  open: async (retention, now, presence, addresses) => {
    Logger.overrideLogger(new CapturedLog());
    const path = await newDirectory();
    openAgain = () => LmdbJournal.open(path, retention, now, presence, addresses);
    return openAgain();
  },
  again: async (journal) => {
    await journal.close();
    return openAgain();
  },
});

/** Another address for each topic: the one at a host of its own. */
function addressesAt(host: string): TopicAddresses {
  return { base: host, of: (topic) => `https://${host}/${topic}` };
}

function updateOf(number: number): Update {
  return {
    topics: ['all', `of-${number % 7}`, `only-${number}`],
    data: `${number}`,
    id: `id-${number}`,
    private: false,
  };
}

describe('the index of topics in the files of the LMDB journal', () => {
  let path: string;
  let journal: LmdbJournal;
  let log: WholeLog;

  beforeEach(async () => {
    Object.assign(LIMITS, SMALL);
    log = new WholeLog();
    Logger.overrideLogger(log);
    path = await newDirectory();
    journal = await open();
  });
  afterEach(() => journal.close());

  function open(retention: Partial<Retention> = {}, addresses: TopicAddresses = NO_ADDRESSES): Promise<LmdbJournal> {
    return LmdbJournal.open(path, { ...PLENTY, ...retention }, Date.now, PLENTY, addresses);
  }

  async function fill(from: number, to: number): Promise<void> {
    for (let number = from; number <= to; number += 1) await journal.append(updateOf(number));
  }

  async function lookup(): Promise<TopicLookup> {
    for (;;) {
      if (journal.topics) return journal.topics;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Expects that the index has exactly what the log holds. */
  async function check(): Promise<void> {
    const topics = await lookup();
    const held: Entry[] = [];
    for (let after = 0; after < journal.head;) {
      const { entries, upTo } = await journal.read(after, 10_000);
      held.push(...entries.flatMap((entry) => ('update' in entry && entry.update ? [entry] : [])));
      after = upTo;
    }
    const positionsOf = new Map<string, number[]>();
    for (const { position, update } of held) {
      for (const topic of new Set(update.topics)) positionsOf.set(topic, [...(positionsOf.get(topic) ?? []), position]);
    }
    for (const [topic, positions] of positionsOf) {
      expect(topics.positionsAfter(topic, 0, 10_000)).toEqual(positions);
      expect(topics.positionsBefore(topic, Infinity, 10_000)).toEqual(positions.toReversed());
    }
    // A hundred updates may have three hundred topics each.
    const listed = topics.topics({ by: 'text', prefix: '', limit: 100_000 }).topics;
    expect(new Map(listed.map(({ topic, count, newest }) => [topic, [count, newest]]))).toEqual(
      new Map([...positionsOf].map(([topic, positions]) => [topic, [positions.length, positions.at(-1)]])),
    );
    expect(topics.from).toBeLessThanOrEqual(journal.oldest);
  }

  /** Changes the closed files as another program might. */
  async function tamper(change: (topics: Database<Buffer, Buffer>) => Promise<unknown>): Promise<void> {
    await journal.close();
    const files = openLmdb<Buffer, string>({ path, noSubdir: false, encoding: 'binary', overlappingSync: false });
    await change(files.openDB<Buffer, Buffer>({ name: 'topics', encoding: 'binary', keyEncoding: 'binary' }));
    await files.close();
  }

  async function verify(): Promise<{ readonly status: number; readonly err: string }> {
    await journal.close();
    const [out, err] = [new PassThrough(), new PassThrough()];
    const status = await journalCommand(['verify', path], out, err);
    return { status, err: String(err.read() ?? '') };
  }

  it('is made in the background where there is none, with progress on the log, and goes on when it was stopped', async () => {
    await fill(1, 300);
    await tamper((topics) => topics.drop());
    journal = await open();
    expect(journal.topics).toBeUndefined();
    await fill(301, 310);
    await journal.close();
    journal = await open();
    expect(journal.topics).toBeUndefined();
    await check();
    expect(log.told.filter((line) => line.includes('is made in the background'))).toHaveLength(2);
    expect(log.told.at(-1)).toMatch(/^The index of topics is complete up to position 310/);
    expect(await verify()).toEqual({ status: 0, err: '' });
  });

  it('takes in what an earlier version has appended, and lets go of what that has trimmed', async () => {
    await fill(1, 100);
    await journal.close();
    const environment = new LmdbEnvironment(path);
    const damage = new DamageLog('');
    const updates = new LmdbStore(environment.updates, { ...PLENTY, events: 50 }, Date.now, damage);
    for (let number = 101; number <= 180; number += 1) {
      updates.stage(number, { content: updateOf(number), idempotencyKey: undefined, fingerprint: undefined });
      await environment.write({ updates: updates.change(5) });
      updates.committed();
    }
    await environment.close();
    expect(await verify()).toEqual({ status: 0, err: '' });
    journal = await open({ events: 50 });
    await check();
    expect(journal.oldest).toBe(131);
    await fill(181, 200);
    await check();
    expect(await verify()).toEqual({ status: 0, err: '' });
  });

  it('is made anew for other addresses', async () => {
    await journal.close();
    journal = await open({}, addressesAt('a'));
    await fill(1, 100);
    const byAddress = async (prefix: string): Promise<readonly string[]> => {
      const { topics } = (await lookup()).topics({ by: 'address', prefix, limit: 1_000 });
      return topics.map(({ topic }) => topic);
    };
    expect(await byAddress('https://a/only-9')).toHaveLength(11);
    await journal.close();
    journal = await open({}, addressesAt('b'));
    expect(journal.topics).toBeUndefined();
    expect(await byAddress('https://b/only-9')).toHaveLength(11);
    expect(await byAddress('https://a/')).toEqual([]);
    await check();
    expect(await verify()).toEqual({ status: 0, err: '' });
  });

  it('lets go of trimmed topics sooner or later', async () => {
    await journal.close();
    journal = await open({ events: 20 }, addressesAt('a'));
    await fill(1, 600);
    await check();
    let rows = 0;
    await tamper((topics) => Promise.resolve((rows = topics.getCount())));
    // Twice the 29 topics that are held, with an address for each, and their positions.
    expect(rows).toBeLessThan(200);
    expect(await verify()).toEqual({ status: 0, err: '' });
  });

  it('is right after a commit that was stored although it was reported as failed', async () => {
    await journal.close();
    const environment = new LmdbEnvironment(path);
    const updates = new LmdbStore(environment.updates, PLENTY, Date.now, new DamageLog(''));
    const index = new LmdbIndex(environment.topics, updates, NO_ADDRESSES);
    const found = (): readonly number[] | undefined => index.topics?.positionsAfter('all', 0, 100);
    for (let number = 1; number <= 9; number += 1) {
      const entry = updates.stage(number, {
        content: updateOf(number),
        idempotencyKey: undefined,
        fingerprint: undefined,
      });
      const topics = { edits: index.change(1), isOptional: true };
      await environment.write({ updates: updates.change(9), topics });
      updates.committed();
      index.appended([entry]);
      // As a reader finds it before the index knows that the commit is done.
      if (index.topics) {
        expect(found()).toHaveLength(number);
        expect(index.topics.topics({ by: 'text', prefix: 'all', limit: 9 }).topics).toEqual([
          { topic: 'all', count: number, newest: number },
        ]);
      }
      if (number % 3 === 0) {
        await environment.reopen();
        updates.recover();
        index.recover();
      } else index.committed(true);
      expect(found() ?? []).toHaveLength(index.topics ? number : 0);
    }
    await environment.close();
    journal = await open();
    await check();
  });

  it('has its places for what was damaged later, and finds by reading what was damaged before', async () => {
    await fill(1, 20);
    await journal.close();
    await damageFile(join(path, 'data.mdb'), '["id-3",');
    journal = await open();
    const topics = await lookup();
    const positions = topics.positionsAfter('only-3', 0, 10);
    expect(positions).toEqual([3]);
    expect((await journal.readAt(positions)).entries).toEqual([{ position: 3 }]);
    await tamper((database) => database.drop());
    journal = await open();
    expect((await lookup()).positionsAfter('only-3', 0, 10)).toEqual([]);
    expect((await lookup()).from).toBe(4);
  });

  it('has no fewer updates for those that were taken out', async () => {
    // All of them are in the tail.
    Object.assign(LIMITS, usual);
    await fill(1, 9);
    await journal.remove([4, 9]);
    await journal.close();
    journal = await open();
    expect([journal.lastId, (await lookup()).from]).toEqual(['id-8', 0]);
    await check();
    expect(await verify()).toEqual({ status: 0, err: '' });
  });

  it('is checked both ways', async () => {
    await fill(1, 40);
    await tamper(async (topics) => {
      await topics.remove(Buffer.from('\u0002only-5'));
      await topics.put(Buffer.from('\u0002nobody'), topics.get(Buffer.from('\u0002only-6')) ?? Buffer.alloc(0));
    });
    expect(await verify()).toEqual({
      status: 1,
      err:
        'Entry 5 is not found by 1 of its topics.\n' +
        'The index of topics has 1 place(s) for entries that are not there.\n',
    });
  });

  it('has room on the disk before LMDB writes to it, whatever topics updates have', async () => {
    await journal.close();
    journal = await open({ events: 100 }, addressesAt('a'));
    const file = join(path, 'data.mdb');
    const commits = fc.record({
      count: fc.integer({ min: 1, max: 30 }),
      topics: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 300 })),
      length: fc.oneof(fc.constant(0), fc.integer({ max: 4_000, min: 0 })),
      isRemoved: fc.boolean(),
    });
    Object.assign(LIMITS, { block: { topics: 50, count: 100, bytes: 1e6 }, chunk: 128 });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(commits, { minLength: 1, maxLength: 8 }), async (all) => {
        for (const { count, topics, length, isRemoved } of all) {
          const updates = Array.from({ length: count }, () => {
            number += 1;
            const names = Array.from(
              { length: topics },
              (_, index) => `${'x'.repeat(length)}${(index * number) % 5_000}`,
            );
            return { ...updateOf(number), topics: names };
          });
          await Promise.all(updates.map((one) => journal.append(one)));
          if (isRemoved) await journal.remove([journal.head, journal.head - 5]);
          // LMDB itself never makes it longer than its last page.
          expect((await stat(file)).size).toBeGreaterThan(journal.usage.fileBytes);
        }
      }),
      { numRuns: 15 },
    );
    await check();
    expect(await verify()).toEqual({ status: 0, err: '' });
  }, 120_000);
});
