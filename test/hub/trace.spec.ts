import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../support/cli.js';
import { describeEngines, type JournalPlace } from '../support/engines.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

function traceparentOf(number: number): string {
  return `00-${String(number).padStart(32, '0')}-00f067aa0ba902b7-01`;
}

/** What each update says, with the topics and the trace that it names. */
function eventsIn(text: string): string[] {
  return text
    .split('\n\n')
    .filter((frame) => frame.includes('\ndata: ') && !frame.includes('event: herald'))
    .map((frame) => {
      const lines = frame.split('\n').filter((line) => /^(topic|traceparent|data): /.test(line));
      return lines.map((line) => line.replace(/^\w+: /, '')).join(' ');
    });
}

const hasAll =
  (count: number) =>
  ({ events }: Pick<StreamClient, 'events'>): boolean =>
    events.filter(({ event }) => event === undefined).length >= count;

const PATTERN = encodeURIComponent('urn\\::any');

function describeTrace(engine: string, open: () => Promise<JournalPlace>): void {
  describe.each(TRANSPORTS)(`with=trace of ${engine}, over %s`, (transport: Transport) => {
    let place: JournalPlace;
    let herald: Herald;
    let publisher: Publisher;
    beforeAll(async () => {
      place = await open();
      // Most is read from the journal, and not from what is at hand.
      const env = { HERALD_JOURNAL: place.url, HERALD_RECENT_BYTES: '4kb' };
      herald = await startHub({ ...env, ...(transport === 'http1' ? {} : TLS_ENVIRONMENT) });
      publisher = await Publisher.of(herald);
    });
    afterAll(async () => {
      publisher[Symbol.dispose]();
      await herald[Symbol.asyncDispose]();
      await place.close();
    });

    it('names the trace of each update that has one, live and from the log, and changes nothing else', async () => {
      const on = async (query: string): Promise<StreamClient> => {
        const stream = await subscribeOver(transport, herald, `${HUB}?${query}`);
        return stream.until(({ hasBegun }) => hasBegun);
      };
      const topic = `urn:${transport}`;
      const match = `match=${topic}`;
      const queries = ['', '&with=trace', '&with=topics', '&with=topics&with=trace'].flatMap((wishes) => [
        match + wishes,
        `match_urlpattern=${PATTERN}${wishes}`,
      ]);
      const live = await Promise.all(queries.map((query) => on(query)));
      const numbers = Array.from({ length: 40 }, (_, index) => index + 1);
      for (const number of numbers) {
        const headers = number % 2 === 0 ? { traceparent: traceparentOf(number) } : {};
        await publisher.publish({ topic, data: `${number} ${'x'.repeat(200)}` }, headers);
      }
      const late = await Promise.all(queries.map((query) => on(`${query}&last_event_id=earliest`)));
      await Promise.all([...live, ...late].map((stream) => stream.until(hasAll(numbers.length))));

      const expected = (query: string): string[] =>
        numbers.map((number) => {
          const named = query.includes('with=topics') ? `${topic} ` : '';
          const traced = query.includes('with=trace') && number % 2 === 0 ? `${traceparentOf(number)} ` : '';
          return `${named}${traced}${number} ${'x'.repeat(200)}`;
        });
      queries.forEach((query, index) => {
        expect([query, eventsIn(live[index]?.text ?? '')]).toEqual([query, expected(query)]);
        expect([query, eventsIn(late[index]?.text ?? '')]).toEqual([query, expected(query)]);
      });
      for (const stream of [...live, ...late]) await stream[Symbol.asyncDispose]();
    }, 60_000);

    it('names it with begin=latest, last and max_rate', async () => {
      const topic = `urn:${transport}:newest`;
      await publisher.publish({ topic, data: '1' }, { traceparent: traceparentOf(1) });
      const on = (wishes: string): Promise<StreamClient> =>
        subscribeOver(transport, herald, `${HUB}?match=${topic}&with=trace${wishes}`);
      const streams = await Promise.all(
        ['&begin=latest', '&last=1', '&max_rate=20&begin=latest'].map((one) => on(one)),
      );
      await Promise.all(streams.map((stream) => stream.until(hasAll(1))));
      await publisher.publish({ topic, data: '2' }, { traceparent: traceparentOf(2) });
      await Promise.all(streams.map((stream) => stream.until(hasAll(2))));
      for (const { text } of streams) {
        expect(eventsIn(text)).toEqual([`${traceparentOf(1)} 1`, `${traceparentOf(2)} 2`]);
      }
      for (const stream of streams) await stream[Symbol.asyncDispose]();
    });
  });
}

describeEngines(describeTrace);

describe('the files of a journal', () => {
  it('keep the traces of updates when they are exported and imported', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'herald-trace-'));
    const [first, second] = ['first', 'second'].map((name) => join(directory, name)) as [string, string];
    const held = async ({ url }: Herald): Promise<unknown> => {
      const answer = await fetch(`${url}${HUB}/history?match=urn:a&order=asc`);
      return ((await answer.json()) as { data: string; traceparent?: string }[]).map(({ data, traceparent }) => [
        data,
        traceparent,
      ]);
    };
    {
      await using herald = await startHub({ HERALD_JOURNAL: `lmdb:${first}` });
      using publisher = await Publisher.of(herald);
      const idempotent = { 'idempotency-key': 'k' };
      await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: traceparentOf(1), ...idempotent });
      await publisher.publish({ topic: 'urn:a', data: '2' });
      await herald.kill();
    }
    const exported = await runCli(['journal', 'export', first]);
    const file = join(directory, 'export');
    await writeFile(file, exported.output);
    expect(await runCli(['journal', 'import', second, file])).toMatchObject({ status: 0 });
    await using herald = await startHub({ HERALD_JOURNAL: `lmdb:${second}` });
    using publisher = await Publisher.of(herald);
    // The key is that of the first update, whatever trace it comes with.
    await publisher.publish({ topic: 'urn:a', data: '1' }, { traceparent: traceparentOf(3), 'idempotency-key': 'k' });
    expect(await held(herald)).toEqual([
      ['1', traceparentOf(1)],
      ['2', undefined],
    ]);
    await herald.kill();
    await rm(directory, { recursive: true });
  });
});
