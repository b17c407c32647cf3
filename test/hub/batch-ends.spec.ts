import { describe, expect, it } from '@jest/globals';
import { askAdmin } from '../support/admin.js';
import { BatchClient } from '../support/batch-client.js';
import { describeEngines } from '../support/engines.js';
import { type Herald, startHerald } from '../support/herald.js';
import {
  ADMIN_KEY,
  heldUpdates,
  HUB_ENVIRONMENT,
  Publisher,
  publisherToken,
  startHub,
  subscribe,
  TLS_ENVIRONMENT,
} from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import { type Transport, TRANSPORTS } from '../support/transports.js';

const NDJSON = 'application/x-ndjson';

/** Makes the server's time-outs short. */
const HASTY = new URL('../support/hasty-server.js', import.meta.url).href;

/** Bytes that are more than a hub and the kernel between hold of a batch that goes nowhere. */
const PLENTY = 32 * 1024 ** 2;

function environment(transport: Transport, env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return { ...(transport !== 'http1' && TLS_ENVIRONMENT), ...env };
}

function start(transport: Transport, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub(environment(transport, env));
}

async function headersOf(...token: Parameters<typeof publisherToken>): Promise<Record<string, string>> {
  return { 'content-type': NDJSON, authorization: `Bearer ${await publisherToken(...token)}` };
}

describe.each(TRANSPORTS)('a batch over %s ends', (transport) => {
  it.concurrent('with `idle` where no line comes', async () => {
    await using herald = await start(transport, { HERALD_BATCH_IDLE: '100ms' });
    await using batch = await BatchClient.begin(transport, herald);
    batch.write({ topic: 'urn:t', id: 'urn:1' });
    await batch.ended();
    expect([batch.answers, batch.isComplete]).toEqual([[{ id: 'urn:1' }, { end: 'idle' }], true]);
  });

  it.concurrent('with `expired` where the token does', async () => {
    await using herald = await start(transport);
    await using batch = await BatchClient.begin(transport, herald, { headers: await headersOf({ expires: '3s' }) });
    batch.write({ topic: 'urn:t', id: 'urn:1' });
    await batch.ended();
    expect([batch.answers, batch.isComplete]).toEqual([[{ id: 'urn:1' }, { end: 'expired' }], true]);
  });

  it.concurrent('with `revoked` where the token is', async () => {
    await using herald = await start(transport, { HERALD_ADMIN_KEY: ADMIN_KEY });
    const headers = await headersOf({ claims: { jti: 'one' } });
    await using batch = await BatchClient.begin(transport, herald, { headers });
    batch.write({ topic: 'urn:t', id: 'urn:1' });
    await batch.answerTo(0);
    expect(await askAdmin(herald, 'POST', 'revocations', { body: { jti: 'one' } })).toMatchObject({ status: 200 });
    await batch.ended();
    expect([batch.answers, batch.isComplete]).toEqual([[{ id: 'urn:1' }, { end: 'revoked' }], true]);
  });

  it.concurrent('with `overloaded` where all of them hold too much, and others go on', async () => {
    await using herald = await start(transport, { HERALD_MAX_BODIES: '1mb', HERALD_MAX_BODY: '900kb' });
    const endless = `{"topic":"urn:t","data":"${'x'.repeat(600 * 1024)}`;
    await using first = await BatchClient.begin(transport, herald);
    await using second = await BatchClient.begin(transport, herald);
    await Promise.all([first.head(), second.head()]);
    for (const batch of [first, second]) batch.writeText(endless);
    // Either may be the one that is too much.
    const ended = await Promise.race([first.ended(), second.ended()]);
    expect([ended.answers, ended.isComplete]).toEqual([[{ end: 'overloaded' }], true]);
    const other = ended === first ? second : first;
    other.finish('"}');
    await other.ended();
    expect([other.ids.length, other.end]).toEqual([1, undefined]);
    // The room of both has been given back.
    await using third = await BatchClient.begin(transport, herald);
    await third.head();
    third.finish(`${endless}"}\n`);
    await third.ended();
    expect([third.ids.length, third.end]).toEqual([1, undefined]);
  });

  it.concurrent('and gives its room back where its client leaves', async () => {
    await using herald = await start(transport, { HERALD_MAX_BODIES: '1mb', HERALD_MAX_BODY: '900kb' });
    const half = `{"topic":"urn:t","data":"${'x'.repeat(600 * 1024)}`;
    // Several times what there is room for.
    for (let number = 0; number < 4;) {
      await using batch = await BatchClient.begin(transport, herald);
      await batch.head();
      batch.write({ topic: 'urn:t' });
      batch.writeText(half);
      batch.writeText('"}\n');
      await Promise.race([batch.answerTo(1), batch.ended()]);
      batch.writeText(half);
      await batch.flushed();
      // The hub hears of the end a moment later: until then the next one may be too much.
      if (batch.end === undefined) number += 1;
      else expect(batch.end).toBe('overloaded');
      if (!batch.isOver) await batch.leave();
    }
  });

  it.concurrent('only by its client, whatever time-outs the server has for requests', async () => {
    await using herald = await startHerald({
      env: environment(transport, HUB_ENVIRONMENT),
      nodeArguments: ['--import', HASTY],
    });
    await using batch = await BatchClient.begin(transport, herald);
    batch.write({ topic: 'urn:t', id: 'urn:1' });
    await batch.answerTo(0);
    // A request that began later, and never has a head, is cut by such a time-out.
    await using late = await RawClient.connect(herald);
    late.socket.write('GET / HTTP/1.1\r\n');
    await late.over();
    batch.write({ topic: 'urn:t', id: 'urn:2' });
    batch.finish();
    await batch.ended();
    expect([batch.answers, batch.isComplete]).toEqual([[{ id: 'urn:1' }, { id: 'urn:2' }], true]);
  });

  it.concurrent('by being cut where its client takes no answers, and live readers go on', async () => {
    await using herald = await start(transport, { HERALD_WRITE_TIMEOUT: '1s', HERALD_BATCH_IDLE: '1h' });
    using publisher = await Publisher.of(herald);
    await using stream = await subscribe(herald, { query: 'match=urn:live' });
    await using batch = await BatchClient.begin(transport, herald, { isStalled: true });
    await batch.head();
    const refused = Buffer.from('x\n'.repeat(8 * 1024));
    let published = 0;
    while (!batch.isOver && batch.given < PLENTY) {
      if (batch.given - batch.taken < 256 * 1024) batch.writeText(refused);
      await publisher.publishInTime({ topic: 'urn:live', data: String(published) });
      published += 1;
      await stream.take(published);
    }
    expect([batch.isOver, batch.isComplete]).toEqual([true, false]);
    expect(batch.taken).toBeLessThan(PLENTY);
  });

  it.concurrent('and a client reads why, also where it sends all before it reads anything', async () => {
    await using herald = await start(transport, { HERALD_MAX_BODIES: '1mb', HERALD_MAX_BODY: '2mb' });
    await using batch = await BatchClient.begin(transport, herald, { isStalled: true });
    const part = Buffer.alloc(1024 ** 2, 'x');
    for (let sent = 0; sent < 12; sent += 1) batch.writeText(part);
    batch.finish('\n');
    await batch.finished();
    batch.resume();
    await batch.ended();
    expect([batch.answers, batch.isComplete]).toEqual([[{ end: 'overloaded' }], true]);
  });

  it.concurrent('with all answers for a client that sends ten thousand lines before it reads anything', async () => {
    await using herald = await start(transport);
    await using batch = await BatchClient.begin(transport, herald, { isStalled: true });
    const lines = Array.from({ length: 10_000 }, (_, number) => ({ topic: 'urn:t', id: `urn:half-duplex:${number}` }));
    batch.write(...lines);
    batch.finish();
    await batch.finished();
    batch.resume();
    await batch.ended();
    expect([batch.ids, batch.isComplete]).toEqual([lines.map(({ id }) => id), true]);
  });
});

describeEngines((engine, open) => {
  it.concurrent.each(TRANSPORTS)(`a batch over %s on ${engine} ends with \`drain\` at a stop`, async (transport) => {
    const place = await open();
    try {
      const env = { HERALD_JOURNAL: place.url };
      await using herald = await start(transport, env);
      await using batch = await BatchClient.begin(transport, herald);
      await batch.head();
      const lines = Array.from({ length: 5_000 }, (_, number) => ({ topic: 'urn:t', data: number, key: `k${number}` }));
      batch.write(...lines);
      await batch.answerTo(20);
      const exit = herald.kill('SIGTERM');
      await batch.ended();
      // Over HTTP/2 a process that stops waits for the body's end as well.
      batch.finish();
      expect(await exit).toEqual({ code: 0, signal: null });
      expect([batch.end, batch.isComplete]).toEqual(['drain', true]);
      const answered = batch.ids;
      expect(answered).not.toContain(undefined);
      if (engine === 'memory') return;
      await using again = await start(transport, env);
      const held = await heldUpdates(again, 'urn:t');
      expect(held.map(({ id }) => id)).toEqual(answered.slice(0, 1_000));
    } finally {
      await place.close();
    }
  });
});
