import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BROKEN_CONNECTIONS, EMPTY_CONNECTION, SIGN_OF_LIFE } from '../fuzz/http2-frames.js';
import type { Herald } from '../support/herald.js';
import { Http2Client, Http2Connection } from '../support/http2-client.js';
import { HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { connectTcp, secure } from '../support/sockets.js';

/** Milliseconds. */
const WRITE_TIMEOUT = 200;

describe('an HTTP/2 connection', () => {
  let herald: Herald;

  beforeEach(async () => {
    herald = await startHub({ ...TLS_ENVIRONMENT, HERALD_WRITE_TIMEOUT: `${WRITE_TIMEOUT}ms`, HERALD_HEARTBEAT: '0' });
  });

  afterEach(() => herald[Symbol.asyncDispose]());

  // Node itself leaves these open for good: version 20 all of them, later ones those after GOAWAY.
  it.each(Object.entries(BROKEN_CONNECTIONS))('is closed after %s', async (_name, bytes) => {
    expect(await isClosedAfter(bytes)).toBe(true);
  });

  it('is closed when its client answers nothing, be it without a single stream', async () => {
    expect(await isClosedAfter(EMPTY_CONNECTION)).toBe(true);
  });

  /** Whether the service closes a connection on which nothing but these bytes comes. */
  async function isClosedAfter(bytes: Buffer): Promise<boolean> {
    const socket = await secure(await connectTcp(herald.url), 'h2');
    socket.write(bytes);
    await once(socket.resume(), 'close');
    return socket.destroyed;
  }

  it('stays while something comes from its client, which may be late with its answer', async () => {
    const socket = await secure(await connectTcp(herald.url), 'h2');
    socket.resume().write(EMPTY_CONNECTION);
    // Longer than the time-out by far, and never a PING answered.
    for (const end = performance.now() + 5 * WRITE_TIMEOUT; performance.now() < end;) {
      socket.write(SIGN_OF_LIFE);
      await delay(WRITE_TIMEOUT / 10);
    }
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  it('stays, with its quiet streams, while its client answers', async () => {
    await using connection = await Http2Connection.to(herald);
    await using reader = await Http2Client.subscribe(herald, `${HUB}?match=urn:t`, {}, { connection });
    await reader.until(({ hasBegun }) => hasBegun);
    for (let pings = 0; pings < 10; pings += 1) await once(connection.session, 'ping');
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:t', data: 'still here' });
    await reader.until(({ events }) => events.some(({ data }) => data === 'still here'));
    expect(connection.isOpen).toBe(true);
  });
});
