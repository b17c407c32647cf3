import { constants } from 'node:http2';
import { describe, expect, it } from '@jest/globals';
import { untilConnections } from '../support/admin.js';
import { Crowd } from '../support/crowd.js';
import type { Herald } from '../support/herald.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import { ADMIN_KEY, HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';

function start(): Promise<Herald> {
  return startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_MAX_BODY: '8mb', ...TLS_ENVIRONMENT });
}

/** Streams of one connection, once they have begun. */
async function come(
  herald: Herald,
  connection: Http2Connection,
  crowd: Crowd<Http2Client>,
  count: number,
): Promise<Http2Client[]> {
  const path = `${HUB}?match=urn:t`;
  const readers = await crowd.join(count, () => Http2Client.subscribe(herald, path, {}, { connection }));
  return Promise.all(readers.map((reader) => reader.until(({ hasBegun }) => hasBegun)));
}

/** The status of another request on the same connection; 0 where it was reset. */
async function ask(herald: Herald, connection: Http2Connection, path: string): Promise<number> {
  await using client = await Http2Client.subscribe(herald, path, {}, { connection });
  return (await client.until(({ status, ended }) => status !== 0 || ended)).status;
}

describe('streams of one HTTP/2 connection', () => {
  it('that are not read leave the connection to others', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using connection = await Http2Connection.to(herald);
    await using crowd = new Crowd<Http2Client>();
    const unread = await come(herald, connection, crowd, 20);
    for (const reader of unread) reader.stall();
    const answers: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      await publisher.publish({ topic: 'urn:t', data: 'x'.repeat(1_000_000) });
      answers.push(await ask(herald, connection, '/health/live'));
    }
    expect(answers).toEqual([200, 200, 200, 200, 200]);
    const [reader] = await come(herald, connection, crowd, 1);
    await publisher.publish({ topic: 'urn:t', data: 'now' });
    await reader?.until(({ events }) => events.some(({ data }) => data === 'now'));
    expect(unread.map(({ stream }) => stream.rstCode)).toEqual(unread.map(() => constants.NGHTTP2_NO_ERROR));
    expect(unread.filter(({ ended }) => ended)).toEqual([]);
  });

  it('are forgotten when the client resets them with NO_ERROR, while something is written to them', async () => {
    await using herald = await start();
    using publisher = await Publisher.of(herald);
    await using connection = await Http2Connection.to(herald);
    await using crowd = new Crowd<Http2Client>();
    const readers = await come(herald, connection, crowd, 100);
    const leaving = new AbortController();
    const publishing = keepPublishing(publisher, leaving.signal);
    for (const [index, reader] of readers.entries()) {
      // Ten of them leave after each update, while the next is on its way.
      await reader.until(({ events }) => events.length > index / 10);
      reader.leave(constants.NGHTTP2_NO_ERROR);
    }
    try {
      await untilConnections(herald, ({ length }) => length === 0);
    } finally {
      leaving.abort();
      await publishing;
    }
    expect(await ask(herald, connection, '/health/live')).toBe(200);
  });
});

/** Publishes one after the other until it is told to stop. */
async function keepPublishing(publisher: Publisher, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await publisher.publish({ topic: 'urn:t', data: 'x'.repeat(1_000) });
}
