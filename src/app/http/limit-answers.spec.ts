import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { Readable } from 'node:stream';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { limitAnswers } from './limit-answers.js';

const CERTIFICATES = new URL('../../../test/support/certificates/', import.meta.url);

/** More than the kernel holds for a connection. */
const LONG = Buffer.alloc(64 * 1024 ** 2);

/** A server with a long answer. `over` resolves once the server is through with one, be it that it was given up. */
async function start(
  tls: boolean,
  inPieces = false,
  { patience = 200, most = 2 * LONG.length, method = 'GET' } = {},
): Promise<{ app: FastifyInstance; port: number; over: Promise<unknown> }> {
  const options = {
    http2: true,
    https: {
      allowHTTP1: true,
      cert: readFileSync(new URL('first.crt', CERTIFICATES)),
      key: readFileSync(new URL('first.key', CERTIFICATES)),
    },
  } as const;
  const app = (tls ? fastify(options) : fastify({ forceCloseConnections: true })) as unknown as FastifyInstance;
  limitAnswers(app, patience, most);
  const over = new Promise((resolve) => {
    const handler = (_request: FastifyRequest, reply: FastifyReply): void => {
      reply.raw.once('close', () => resolve(undefined));
      void reply.header('etag', '"1"').send(inPieces ? Readable.from(pieces()) : LONG);
    };
    app.route({ method, url: '/', handler });
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return { app, port: (app.server.address() as AddressInfo).port, over };
}

function* pieces(): Generator<Buffer> {
  const size = 64 * 1024;
  for (let at = 0; at < LONG.length; at += size) yield LONG.subarray(at, at + size);
}

function begin(socket: Socket): Socket {
  socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return socket;
}

const CLIENTS = [
  ['HTTP/1.1', false, (port: number) => Promise.resolve(begin(connect(port, '127.0.0.1')))],
  ['HTTP/1.1 over TLS', true, (port: number) => openTls(port)],
] as const;

async function openTls(port: number): Promise<Socket> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  await once(socket, 'secureConnect');
  return begin(socket);
}

/** Resolves with how many bytes have come in all once nothing more does. */
async function rest(stream: Readable): Promise<number> {
  let taken = 0;
  stream.on('data', ({ length }: Buffer) => (taken += length)).resume();
  if (!stream.closed) await once(stream, 'close');
  return taken;
}

describe.each(CLIENTS)('a long answer over %s', (_, tls, open) => {
  it('is refused while others hold all the room that there is, and given once they are over', async () => {
    const { app, port, over } = await start(tls, false, { patience: 60_000, most: LONG.length });
    const holder = await open(port);
    await once(holder, 'data');
    holder.pause();
    const refused = await open(port);
    const [head] = (await once(refused, 'data')) as [Buffer];
    expect(head.toString()).toMatch(/^HTTP\/1.1 503 .*retry-after: 5\r\n.*"code":"overloaded"/is);
    expect(head.toString()).not.toMatch(/etag/i);
    holder.destroy();
    await over;
    const taker = await open(port);
    expect(String(((await once(taker, 'data')) as [Buffer])[0])).toMatch(/^HTTP\/1.1 200 .*etag/is);
    for (const socket of [refused, taker]) socket.destroy();
    await app.close();
  });

  it('is given up where the client takes nothing of it', async () => {
    const { app, port, over } = await start(tls);
    const socket = await open(port);
    socket.pause();
    await over;
    expect(await rest(socket)).toBeLessThan(LONG.length);
    await app.close();
  });

  it('comes whole where the client takes it bit by bit, however long that takes', async () => {
    const { app, port, over } = await start(tls, true);
    const socket = await open(port);
    let taken = 0;
    socket.on('data', ({ length }: Buffer) => {
      taken += length;
      if (taken % (4 * 1024 ** 2) >= length) return;
      socket.pause();
      setTimeout(() => socket.resume(), 30);
    });
    await over;
    while (taken < LONG.length) await once(socket, 'data');
    // More than the answer itself: its head and its chunks.
    expect(taken).toBeGreaterThan(LONG.length);
    socket.destroy();
    await app.close();
  });
});

describe('a long answer over HTTP/2', () => {
  it('is given up where the client takes nothing of it, whatever else the connection is used for', async () => {
    const { app, port, over } = await start(true);
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on('error', () => undefined);
    // The server answers each, and so sends something more often than it is patient.
    const pings = setInterval(() => session.destroyed || session.ping(() => undefined), 50);
    const stream = session.request({ ':path': '/' }).on('error', () => undefined);
    stream.pause();
    await over;
    clearInterval(pings);
    expect(await rest(stream)).toBeLessThan(LONG.length);
    session.destroy();
    await app.close();
  });

  it.each([constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR])(
    'is over once its client has left with %s',
    async (code) => {
      const { app, port, over } = await start(true);
      const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
      const stream = session.on('error', () => undefined).request({ ':path': '/' });
      await once(
        stream.on('error', () => undefined),
        'response',
      );
      stream.close(code);
      await over;
      expect(session.destroyed).toBe(false);
      session.destroy();
      await app.close();
    },
  );

  it('comes whole, and says how long it is', async () => {
    const { app, port } = await start(true);
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    const stream = session.on('error', () => undefined).request({ ':path': '/' });
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(head['content-length']).toBe(String(LONG.length));
    expect(await rest(stream)).toBe(LONG.length);
    session.destroy();
    await app.close();
  });
});

it('an answer to QUERY is bounded as well', async () => {
  const { app, port, over } = await start(false, false, { method: 'QUERY' });
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write('QUERY / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx');
  socket.pause();
  await over;
  expect(await rest(socket)).toBeLessThan(LONG.length);
  await app.close();
});
