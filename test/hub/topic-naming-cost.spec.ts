import { describe, expect, it } from '@jest/globals';
import { cpuSeconds } from '../bench/measure.js';
import { untilConnections } from '../support/admin.js';
import type { EventStream } from '../support/event-stream.js';
import { ADMIN_KEY, HUB, Publisher, startHub, subscribe } from '../support/hub.js';
import { MARK, Sink } from '../support/sink.js';

const READERS = 400;
const DATA = `${'x'.repeat(100_000)}${MARK}`;

/** Measured together: enough for the kernel's clock of 10 ms. */
const PUBLICATIONS = 8;
const ROUNDS = 3;

/** Readers who ask in turn for one and for two of an update's topics, and each for one more that is its own. */
async function come(sink: Sink, topic: string, parameters = ''): Promise<void> {
  for (let index = 0; index < READERS; index += 1) {
    const second = index % 2 === 0 ? `&match=${topic}:second` : '';
    await sink.subscribe(`${HUB}?match=${topic}${second}&match=urn:own:${index}${parameters}`);
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function topicLines({ text }: EventStream): string[] {
  return text.split('\n').filter((line) => line.startsWith('topic: '));
}

describe('naming the topics', () => {
  it('costs little more than not to, also where readers asked for different ones of an update', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    using publisher = await Publisher.of(herald);
    await using silent = new Sink(herald);
    await using naming = new Sink(herald);
    await come(silent, 'urn:silent');
    await come(naming, 'urn:naming', '&with=topics');
    await untilConnections(herald, ({ length }) => length === 2 * READERS);

    /** CPU seconds of the server for some publications, each of which goes to everybody before the next. */
    async function costOf(topic: string, sink: Sink): Promise<number> {
      const before = cpuSeconds([herald.pid]);
      for (let count = 0; count < PUBLICATIONS; count += 1) {
        await publisher.publish({ topic: [topic, `${topic}:second`], data: DATA });
        await sink.take(READERS);
      }
      return cpuSeconds([herald.pid]) - before;
    }

    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const cost = await costOf('urn:silent', silent);
      ratios.push((await costOf('urn:naming', naming)) / cost);
    }
    expect(median(ratios)).toBeLessThan(3);
  });

  it('tells each reader its own of them, whoever is served beside it', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const queries = ['match=urn:a', 'match=urn:a&match=urn:b', 'match=urn:a&match=urn:c', 'match=urn:b&match=urn:a'];
    const named = ['a', 'a b', 'a', 'a b'].map((names) => names.split(' ').map((name) => `topic: urn:${name}`));
    const readers = await Promise.all(queries.map((query) => subscribe(herald, { query: `${query}&with=topics` })));
    for (const data of ['1', '2']) await publisher.publish({ topic: ['urn:a', 'urn:b'], data });
    await Promise.all(readers.map((reader) => reader.take(2)));
    expect(readers.map(topicLines)).toEqual(named.map((lines) => lines.concat(lines)));
    for (const reader of readers) {
      expect(reader.events.map(({ data }) => data)).toEqual(['1', '2']);
      await reader[Symbol.asyncDispose]();
    }
  });
});
