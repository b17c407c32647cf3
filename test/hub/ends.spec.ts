import { describe, expect, it } from '@jest/globals';
import { framesOf, isWhole, SIGN_OF_LIFE } from '../fuzz/http2-frames.js';
import { askAdmin, listConnections, untilConnections } from '../support/admin.js';
import { Crowd } from '../support/crowd.js';
import { CURSOR, send, textOf } from '../support/event-stream.js';
import { type Herald, startHerald } from '../support/herald.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import {
  ADMIN_KEY,
  HUB,
  HUB_ENVIRONMENT,
  Publisher,
  startHub,
  subscriberToken,
  TLS_ENVIRONMENT,
} from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import { connectTcp, secure } from '../support/sockets.js';
import type { HeaderFields, StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

const PATH = `${HUB}?match=urn:t`;

function start(transport: Transport, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub({ HERALD_ADMIN_KEY: ADMIN_KEY, ...(transport !== 'http1' && TLS_ENVIRONMENT), ...env });
}

/** The hub's own notices to a reader. */
function noticesOf({ events }: StreamClient): object[] {
  return events.filter(({ event }) => event === 'herald').map(({ data }) => JSON.parse(data) as object);
}

/** The ids of these notices. */
function noticeIdsOf({ events }: StreamClient): (string | undefined)[] {
  return events.filter(({ event }) => event === 'herald').map(({ id }) => id);
}

/** That the reader was told all that it should be, and that its answer and its connection came to their proper end. */
async function expectEnd(
  reader: StreamClient,
  ...notices: readonly { readonly type: string; readonly reason?: string }[]
): Promise<void> {
  await reader.until(({ ended }) => ended);
  expect(noticesOf(reader)).toEqual(notices);
  // Whoever was admitted can come back with any of them.
  const ids = notices.map(({ type }) => (type === 'overloaded' ? undefined : expect.stringMatching(CURSOR)));
  expect(noticeIdsOf(reader)).toEqual(ids);
  expect(reader.status).toBe(200);
  expect(reader.isComplete).toBe(true);
  if (!(reader instanceof RawClient)) return;
  // The socket serves no further request: the client is told so beforehand, and then sees it closed and not broken.
  expect(reader.text).toMatch(/\r\nconnection: close\r\n/i);
  expect(reader.socket.readableEnded).toBe(true);
}

/** That the process has come through it, and stops as it should. */
async function expectWell(herald: Herald): Promise<void> {
  const answer = await send(`${herald.url}/health/live`);
  expect(answer.statusCode).toBe(200);
  await textOf(answer);
  expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
}

async function expectGone(herald: Herald): Promise<void> {
  await untilConnections(herald, ({ length }) => length === 0);
  expect(await listConnections(herald)).toEqual([]);
}

describe.each(TRANSPORTS)('over %s, the end of a stream', (transport) => {
  async function come(herald: Herald, headers: HeaderFields = {}): Promise<StreamClient> {
    const reader = await subscribeOver(transport, herald, PATH, headers);
    return reader.until(({ hasBegun }) => hasBegun);
  }

  it.concurrent('comes at SIGTERM, also for one that was told of a gap at its beginning', async () => {
    await using herald = await start(transport);
    using publisher = await Publisher.of(herald);
    await using reader = await come(herald, { 'last-event-id': 'nope' });
    await reader.until(({ events }) => events.length === 2);
    await publisher.publish({ topic: 'urn:t', data: 'x' });
    await reader.until(({ events }) => events.some(({ data }) => data === 'x'));
    expect(await herald.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    await expectEnd(reader, { type: 'gap', reason: 'not-held' }, { type: 'caught-up' }, { type: 'drain' });
  });

  it.concurrent('comes with the end of its token', async () => {
    await using herald = await start(transport);
    const token = await subscriberToken({ expires: new Date(Date.now() + 3_000) });
    await using reader = await come(herald, { authorization: `Bearer ${token}` });
    await expectEnd(reader, { type: 'expired' });
    await expectWell(herald);
  });

  it.concurrent('comes with the revocation of its token', async () => {
    await using herald = await start(transport);
    const token = await subscriberToken({ claims: { jti: 'one' } });
    await using reader = await come(herald, { authorization: `Bearer ${token}` });
    const { body } = await askAdmin(herald, 'POST', 'revocations', { body: { jti: 'one' } });
    expect(body).toEqual({ disconnected: 1 });
    await expectEnd(reader, { type: 'revoked' });
    await expectWell(herald);
  });

  it.concurrent('comes when an administrator dismisses it', async () => {
    await using herald = await start(transport);
    await using reader = await come(herald);
    const [listed] = await listConnections(herald);
    const { body } = await askAdmin(herald, 'DELETE', `connections?id=${listed?.id}`);
    expect(body).toEqual({ disconnected: 1 });
    await expectEnd(reader, { type: 'dismissed' });
    await expectWell(herald);
  });

  it.concurrent('comes at once where there are too many', async () => {
    await using herald = await start(transport, { HERALD_MAX_CONNECTIONS: '1' });
    await using first = await come(herald);
    await using second = await come(herald);
    await expectEnd(second, { type: 'overloaded' });
    expect(second.cursors).toEqual([]);
    expect(first.ended).toBe(false);
    await expectWell(herald);
  });

  it.concurrent('comes at the maximum age, with no word but where the reader is', async () => {
    await using herald = await start(transport, { HERALD_MAX_AGE: '500ms' });
    await using reader = await come(herald);
    await expectEnd(reader);
    expect(reader.cursors).toEqual([expect.stringMatching(CURSOR), expect.stringMatching(CURSOR)]);
    await expectWell(herald);
  });
});

describe.each([
  ['a stream of the 0.x dialect', `${HUB}?topic=urn:t`, undefined],
  ['a stream of the time', '/events', { type: 'drain' }],
])('%s', (_name, path, notice) => {
  it.concurrent('has no cursor, from its beginning to its end', async () => {
    await using herald = await startHub({ HERALD_LEGACY: 'true' });
    await using reader = await subscribeOver('http1', herald, path, { 'last-event-id': 'nope' });
    await reader.until(({ hasBegun }) => hasBegun);
    await herald.kill('SIGTERM');
    await reader.until(({ ended }) => ended);
    expect(noticesOf(reader).at(-1)).toEqual(notice);
    expect(reader.text).not.toContain('herald-cursor:');
  });
});

describe('a stream of HTTP/2', () => {
  const SLOW = new URL('../support/slow-trailers.js', import.meta.url).href;

  it('comes to its end with the process, also when its client sends something in the same turn', async () => {
    const env = { ...HUB_ENVIRONMENT, ...TLS_ENVIRONMENT };
    await using herald = await startHerald({ env, nodeArguments: ['--import', SLOW] });
    const socket = await secure(await connectTcp(herald.url), 'h2');
    const headers = [['host', new URL(herald.url).host]] as const;
    socket.write(framesOf({ method: 'GET', target: PATH, headers, body: Buffer.alloc(0), isForged: false }, []));
    const received: Buffer[] = [];
    for await (const bytes of socket as AsyncIterable<Buffer>) {
      received.push(bytes);
      if (bytes.includes('{"type":"drain"}')) socket.write(SIGN_OF_LIFE);
      else if (bytes.includes('retry:')) herald.child.kill('SIGTERM');
    }
    expect(Buffer.concat(received).toString('latin1')).toContain('{"type":"drain"}');
    expect(isWhole(Buffer.concat(received))).toBe(true);
    expect(await herald.exit()).toEqual({ code: 0, signal: null });
  });
});

describe('streams that were told to end while their clients do not read', () => {
  const LIMITS = { HERALD_MAX_AGE: '1s', HERALD_WRITE_TIMEOUT: '2s', HERALD_MAX_BODY: '8mb' };

  it('are gone after the write time-out, where a window of HTTP/2 was never open', async () => {
    await using herald = await start('http2', LIMITS);
    await using connection = await Http2Connection.to(herald, { initialWindowSize: 0 });
    await using crowd = new Crowd<Http2Client>();
    const readers = await crowd.join(20, () => Http2Client.subscribe(herald, PATH, {}, { connection }));
    await Promise.all(readers.map((reader) => reader.until(({ status }) => status === 200)));
    await expectGone(herald);
  });

  it.each(TRANSPORTS)('are gone after the write time-out, where what lies between is full: %s', async (transport) => {
    await using herald = await start(transport, { ...LIMITS, HERALD_MAX_AGE: '3s' });
    using publisher = await Publisher.of(herald);
    await using crowd = new Crowd<StreamClient>();
    const readers = await crowd.join(20, () => subscribeOver(transport, herald, PATH));
    await Promise.all(readers.map((reader) => reader.until(({ hasBegun }) => hasBegun)));
    for (const reader of readers) reader.stall();
    for (let count = 0; count < 8; count += 1) await publisher.publish({ topic: 'urn:t', data: 'x'.repeat(1_000_000) });
    await expectGone(herald);
  });
});
