import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { fill, MEBIBYTE, MemoryPeak, type Shape, topicOf } from '../support/brim.js';
import { Crowd } from '../support/crowd.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import { heldUpdates, HUB, HUB_ENVIRONMENT } from '../support/hub.js';
import { type Herald, startHerald } from '../support/herald.js';
import { RawClient } from '../support/raw-client.js';

/** Whether all of the table is tried, which takes some ten minutes, or only some of what is kept in memory. */
const IS_WHOLE = process.env['HERALD_SIZING'] === 'all';

const DOCUMENT = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const SMALL_GROUP = fileURLToPath(new URL('../support/small-group.js', import.meta.url));

/** Megabytes of `--max-old-space-size`, and the journal, of each column of the table. */
const COLUMNS = [
  { heap: 128, engine: 'memory' },
  { heap: 1_024, engine: 'memory' },
  { heap: 128, engine: 'LMDB' },
  { heap: 128, engine: 'Redis' },
] as const;

/** More than one of the limits of these engines, in bytes of what is published and in updates. */
const ENOUGH = { bytes: 270 * MEBIBYTE, updates: 110_000 };

interface Row extends Shape {
  /** The most memory in megabytes, in the order of the columns. */
  readonly most: readonly number[];
}

/** The rows of the table of sizes. */
function rows(): Row[] {
  const [, table = ''] = DOCUMENT.split('## Sizing\n');
  return [...table.matchAll(/^\| ([\d,]+) +\| ([\d,]+) +\|((?: +\d+ MB +\|)+)$/gm)].map(
    ([, bytes = '', topic = '', figures = '']) => ({
      bytes: numberOf(bytes),
      topic: numberOf(topic),
      most: [...figures.matchAll(/\d+/g)].map(Number),
    }),
  );
}

function numberOf(text: string): number {
  return Number(text.replaceAll(',', ''));
}

/** The rows that are tried: in a short run those that hold the most of one thing. */
function tried(): Row[] {
  return rows().filter(({ bytes, topic }) => IS_WHOLE || (bytes === 1_024 ? topic > 10 : topic === 10));
}

function start(heap: number, env: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<Herald> {
  return startHerald({ env: { ...HUB_ENVIRONMENT, ...env }, nodeArguments: [`--max-old-space-size=${heap}`, ...more] });
}

/** A journal of its own, which `await using` lets go of. */
async function opened(open: () => Promise<JournalPlace>): Promise<AsyncDisposable & { readonly url: string }> {
  const place = await open();
  return { url: place.url, [Symbol.asyncDispose]: () => place.close() };
}

/** So many updates as fill `bytes` of retention in memory and push others out of it. */
function beyond(bytes: number, shape: Shape): number {
  return Math.ceil((1.4 * bytes) / (shape.bytes + 2 * shape.topic + 900)) + 10;
}

describe('the table of sizes in docs/operations.md', () => {
  it('has every size of updates with every length of topics', () => {
    expect(rows().map(({ bytes, topic }) => [bytes, topic])).toEqual(
      [100, 1_024, 102_400].flatMap((bytes) => [10, 4_000].map((topic) => [bytes, topic])),
    );
    expect(rows().filter(({ most }) => most.length !== COLUMNS.length)).toEqual([]);
  });
});

describeEngines((engine, open) => {
  const columns = COLUMNS.filter((column, index) => column.engine === engine && (IS_WHOLE || index === 0));
  if (columns.length === 0) return;

  describe.each(columns)('$engine with a heap of $heap MB', (column) => {
    const { heap } = column;
    it.each(tried())(
      'takes no more than the table says, filled to the brim with $bytes bytes on topics of $topic characters',
      async (row) => {
        await using place = await opened(open);
        const isInMemory = engine === 'memory';
        const events = isInMemory ? '10000000' : '100000';
        await using herald = await start(heap, { HERALD_JOURNAL: place.url, HERALD_RETAIN_EVENTS: events });
        using peak = new MemoryPeak(herald);
        const others = Math.min(ENOUGH.updates, Math.ceil(ENOUGH.bytes / (row.bytes + row.topic)));
        await fill(herald, row, isInMemory ? beyond(Math.min(256, heap / 2) * MEBIBYTE, row) : others);
        expect(peak.megabytes).toBeLessThan(row.most[COLUMNS.indexOf(column)] ?? 0);
        // It is full: the first of them has been trimmed.
        expect(await heldUpdates(herald, topicOf(0, row))).toEqual([]);
      },
      600_000,
    );
  });
});

describe('a control group of 400 MB', () => {
  it('is enough for the defaults, filled to the brim at full speed beside a hundred readers', async () => {
    // Node gives the heap half of what the group may take.
    const env = { GROUP_BYTES: String(400 * MEBIBYTE), HERALD_RETAIN_EVENTS: '10000000' };
    await using herald = await start(200, env, ['--import', SMALL_GROUP]);
    await using readers = new Crowd<RawClient>();
    await readers.join(100, () => RawClient.subscribe(herald, `${HUB}?match=urn:seen`));
    using peak = new MemoryPeak(herald);
    const shape = { bytes: 1_024, topic: 10 };
    await fill(herald, shape, beyond(75 * MEBIBYTE, shape));
    expect(peak.megabytes).toBeLessThan(400);
    expect(await heldUpdates(herald, topicOf(0, shape))).toEqual([]);
    expect(herald.child.exitCode).toBe(null);
  }, 120_000);

  it('is told to who asks for more than it has room for', async () => {
    const env = { GROUP_BYTES: String(400 * MEBIBYTE), HERALD_RETAIN_BYTES: '300mb' };
    await using herald = await start(1_024, env, ['--import', SMALL_GROUP]);
    expect(herald.logs()).toMatch(/HERALD_RETAIN_BYTES asks for 300 MB, and memory has room for 75 MB/);
  });
});
