import { once } from 'node:events';
import { request } from 'node:http';
import { connect, constants } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { isGone } from './is-gone.js';

/** A server that never answers, and gives the requests that it gets. */
async function start(http2: boolean): Promise<{ app: FastifyInstance; port: number; came: Promise<FastifyRequest> }> {
  const app = (http2
    ? fastify({ http2: true })
    : fastify({ forceCloseConnections: true })) as unknown as FastifyInstance;
  const came = new Promise<FastifyRequest>((resolve) => {
    app.get('/', (asked) => {
      resolve(asked);
      return new Promise(() => undefined);
    });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, port: (app.server.address() as AddressInfo).port, came };
}

async function untilGone(asked: FastifyRequest): Promise<void> {
  while (!isGone(asked)) await new Promise(setImmediate);
}

describe('a client', () => {
  it('is gone with its connection', async () => {
    const { app, port, came } = await start(false);
    const client = request({ port, host: '127.0.0.1' }).on('error', () => undefined);
    client.end();
    const asked = await came;
    expect(isGone(asked)).toBe(false);
    client.destroy();
    await untilGone(asked);
    await app.close();
  });

  it.each([
    ['cancelled', constants.NGHTTP2_CANCEL],
    ['reset without an error', constants.NGHTTP2_NO_ERROR],
  ])('is gone with its stream over HTTP/2 once that is %s, although the connection stays', async (_, code) => {
    const { app, port, came } = await start(true);
    const session = connect(`http://127.0.0.1:${port}`);
    const client = session.request({ ':path': '/' }).on('error', () => undefined);
    const asked = await came;
    expect(isGone(asked)).toBe(false);
    client.close(code);
    await untilGone(asked);
    expect(session.closed).toBe(false);
    session.close();
    await once(session, 'close');
    await app.close();
  });
});
