import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { askAdmin, untilConnections } from '../support/admin.js';
import { BatchClient } from '../support/batch-client.js';
import { describeEngines } from '../support/engines.js';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { startHerald } from '../support/herald.js';
import { ADMIN_KEY, form, HUB, HUB_ENVIRONMENT, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { INTERNAL, internalUrlOf } from '../support/metrics.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

const TROUBLEMAKER = fileURLToPath(new URL('../support/troublemaker.js', import.meta.url));

const PATH = `${HUB}?match=urn:t`;
const READERS = 4;

const CLEAN = { code: 0, signal: null };

/** For a drain that a test would never see the end of. */
const ENDLESS = { HERALD_DRAIN_WINDOW: '1h' };

const settings = (transport: Transport): Readonly<Record<string, string>> => ({
  ...INTERNAL,
  HERALD_ADMIN_KEY: ADMIN_KEY,
  ...(transport !== 'http1' && TLS_ENVIRONMENT),
});

async function come(herald: Herald, transport: Transport, count: number, path = PATH): Promise<StreamClient[]> {
  const readers: StreamClient[] = [];
  // One after the other, so that it is known in which order they are let go.
  for (let left = count; left > 0; left -= 1) {
    const reader = await subscribeOver(transport, herald, path);
    await reader.until(({ hasBegun }) => hasBegun);
    readers.push(reader);
  }
  return readers;
}

async function readinessAt(url: string): Promise<{ status: number | undefined; message: unknown }> {
  const response = await send(`${url}/health/ready`);
  const { details } = JSON.parse(await textOf(response)) as { details: { process: { message?: string } } };
  return { status: response.statusCode, message: details.process.message };
}

/** What a reader was told, in order: the data of updates, and the types of notices. */
function toldTo({ events }: StreamClient): string[] {
  return events.map(({ event, data }) =>
    event === 'herald' ? (JSON.parse(data) as { readonly type: string }).type : data,
  );
}

describeEngines((engine, open) => {
  describe.each(TRANSPORTS)(`SIGTERM, with the journal in ${engine}, over %s`, (transport) => {
    it('lets go of one reader after the other, and delivers to the others meanwhile', async () => {
      const place = await open();
      try {
        await using herald = await startHub({
          ...settings(transport),
          HERALD_JOURNAL: place.url,
          HERALD_DRAIN_WINDOW: '2s',
        });
        const readers = await come(herald, transport, READERS);
        using publisher = await Publisher.of(herald);
        // So that there are connections to publish on, when no more are accepted.
        await Promise.all(Array.from({ length: READERS }, () => publisher.publish({ topic: 'urn:other' })));
        const ending = herald.kill('SIGTERM');
        for (const [index, reader] of readers.slice(0, -1).entries()) {
          await reader.until(({ ended }) => ended);
          const answer = await publisher.post(form({ topic: 'urn:t', data: `after ${index}` }));
          expect(answer.statusCode).toBe(200);
          expect(answer.headers.connection).toBe('close');
          await textOf(answer);
        }
        await Promise.all(readers.map((reader) => reader.until(({ ended }) => ended)));
        const updates = ['after 0', 'after 1', 'after 2'];
        expect(readers.map(toldTo)).toEqual(readers.map((_, index) => [...updates.slice(0, index), 'drain']));
        expect(readers.map(({ isComplete }) => isComplete)).toEqual(readers.map(() => true));
        expect(await ending).toEqual(CLEAN);
      } finally {
        await place.close();
      }
    });
  });
});

describe.each(TRANSPORTS)('SIGTERM over %s', (transport) => {
  it('says that the process is not ready before it lets go, and serves everybody until then', async () => {
    await using herald = await startHub({ ...settings(transport), HERALD_DRAIN_DELAY: '1500ms' });
    const internal = await internalUrlOf(herald);
    const [reader] = (await come(herald, transport, 1)) as [StreamClient];
    using publisher = await Publisher.of(herald);
    const ending = herald.kill('SIGTERM');
    await herald.waitForLog(/"the process lets go of its streams"/);
    expect(await readinessAt(internal)).toEqual({ status: 503, message: 'stopping' });
    await publisher.publish({ topic: 'urn:t', data: 'still' });
    await reader.until(({ events }) => events.length > 0);
    const [late] = (await come(herald, transport, 1)) as [StreamClient];
    for (const one of [reader, late]) await one.until(({ ended }) => ended);
    expect([toldTo(reader), toldTo(late)]).toEqual([['still', 'drain'], ['drain']]);
    expect(await ending).toEqual(CLEAN);
  });

  it('takes no time without readers, with one, and with one that takes nothing', async () => {
    for (const count of [0, 1]) {
      await using herald = await startHub({ ...settings(transport), ...ENDLESS });
      const readers = await come(herald, transport, count);
      for (const reader of readers) reader.stall();
      expect(await herald.kill('SIGTERM')).toEqual(CLEAN);
      for (const reader of readers) await reader[Symbol.asyncDispose]();
    }
  });

  it('ends a batch as it lets go, and answers what came before', async () => {
    await using herald = await startHub({ ...settings(transport), ...ENDLESS });
    await using batch = await BatchClient.begin(transport, herald);
    batch.write({ topic: 'urn:t', data: '1' });
    await batch.answerTo(0);
    const ending = herald.kill('SIGTERM');
    await batch.answerTo(1);
    expect(batch.answers).toEqual([{ id: expect.any(String) }, { end: 'drain' }]);
    batch.finish();
    await batch.ended();
    expect(await ending).toEqual(CLEAN);
  });

  it('ends at once with the second signal', async () => {
    await using herald = await startHub({ ...settings(transport), ...ENDLESS });
    const [first, second] = (await come(herald, transport, 2)) as [StreamClient, StreamClient];
    const ending = herald.kill('SIGTERM');
    await first.until(({ ended }) => ended);
    // Two signals within a moment count as one.
    await new Promise((resolve) => setTimeout(resolve, 150));
    herald.child.kill('SIGTERM');
    await second.until(({ ended }) => ended);
    expect(await ending).toEqual({ code: 143, signal: null });
    expect(second.isComplete).toBe(false);
  });

  it('waits for nobody when something has failed, also while it lets go', async () => {
    await using herald = await startHerald({
      env: { ...HUB_ENVIRONMENT, ...settings(transport), ...ENDLESS },
      nodeArguments: ['--import', TROUBLEMAKER],
    });
    const readers = await come(herald, transport, 2);
    const ending = herald.kill('SIGTERM');
    await readers[0]?.until(({ ended }) => ended);
    herald.child.send('throw');
    await readers[1]?.until(({ ended }) => ended);
    expect(readers.map(toldTo)).toEqual([['drain'], ['drain']]);
    expect(await ending).toEqual({ code: 1, signal: null });
  });

  it('gets its readers back where an administrator takes it back', async () => {
    await using herald = await startHub({ ...settings(transport), ...ENDLESS });
    const internal = await internalUrlOf(herald);
    const [first, second] = (await come(herald, transport, 2)) as [StreamClient, StreamClient];
    expect(await askAdmin(herald, 'POST', 'drain')).toEqual({
      status: 200,
      body: { state: 'letting-go', connections: 2 },
    });
    await first.until(({ ended }) => ended);
    expect(await readinessAt(internal)).toEqual({ status: 503, message: 'draining' });
    const [refused] = (await come(herald, transport, 1)) as [StreamClient];
    await refused.until(({ ended }) => ended);
    expect([toldTo(first), toldTo(refused)]).toEqual([['drain'], ['drain']]);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'goes on' });
    await second.until(({ events }) => events.length > 0);
    expect(await askAdmin(herald, 'DELETE', 'drain')).toEqual({
      status: 200,
      body: { state: 'serving', connections: 1 },
    });
    expect((await readinessAt(internal)).status).toBe(200);
    const [back] = (await come(herald, transport, 1)) as [StreamClient];
    await publisher.publish({ topic: 'urn:t', data: 'again' });
    await back.until(({ events }) => events.length > 0);
    await second.until(({ events }) => events.length > 1);
    expect([toldTo(second), toldTo(back)]).toEqual([['goes on', 'again'], ['again']]);
  });

  it('is nothing that an administrator can take back', async () => {
    await using herald = await startHub({ ...settings(transport), ...ENDLESS });
    const readers = await come(herald, transport, 2);
    void herald.kill('SIGTERM');
    await readers[0]?.until(({ ended }) => ended);
    const answer = await askAdmin({ url: await internalUrlOf(herald) }, 'DELETE', 'drain');
    expect(answer).toMatchObject({ status: 409, body: { code: 'drain-under-way' } });
  });

  it('has a share of the readers go elsewhere, when an administrator asks for that', async () => {
    await using herald = await startHub({ ...settings(transport), HERALD_DRAIN_WINDOW: '500ms' });
    const readers = await come(herald, transport, 5);
    expect(await askAdmin(herald, 'POST', 'rebalance?share=0.4')).toEqual({ status: 200, body: { lettingGo: 2 } });
    await untilConnections(herald, ({ length }) => length === 3);
    // Taken evenly: the first, and one from the middle.
    const gone = [readers[0], readers[2]] as [StreamClient, StreamClient];
    for (const reader of gone) await reader.until(({ ended }) => ended);
    expect(readers.map(toldTo)).toEqual(readers.map((one) => (gone.includes(one) ? ['drain'] : [])));
    for (const share of ['0', '1.1', 'much', '']) {
      const { status, body } = await askAdmin(herald, 'POST', `rebalance?share=${share}`);
      expect([share, status, body['code']]).toEqual([share, 400, 'criteria-invalid']);
    }
    await using strange = await startHub(settings(transport));
    const response = await send(`${strange.url}/admin/drain`, { method: 'POST' });
    await textOf(response);
    expect(response.statusCode).toBe(401);
  });
});
