import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { OutstandingBytes } from '../registry/outstanding-bytes.js';
import { ResponseConnection } from './response-connection.js';
import { SocketConnection } from './socket-connection.js';
import { canTakeOver, takeOver } from './take-over.js';

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';

describe('taking a connection over', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  /** What a client gets for what it sends, until the server closes the connection. */
  async function exchange(
    sent: string,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<string> {
    // Answers a turn later, when the request has been read to its end, as it has been behind any guard.
    server = createServer((...pair) => setImmediate(answer, ...pair)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (part: string) => (text += part));
    socket.write(sent);
    await once(socket, 'close');
    return text;
  }

  function open(request: IncomingMessage, response: ServerResponse): SocketConnection | ResponseConnection {
    const first = 'retry: 1\n';
    const connection = takeOver(request, response, { headers: {}, first, outstanding: new OutstandingBytes() });
    return connection as SocketConnection | ResponseConnection;
  }

  it.each([
    ['in the chunks that we make', SocketConnection, () => undefined],
    // Without this listener, the socket looks as if Node served HTTP in another way than the one that is undone here.
    [
      'through the response',
      ResponseConnection,
      (socket: IncomingMessage['socket']) => socket.removeAllListeners('data'),
    ],
  ])('streams %s, ends, and serves no other request', async (_, kind, change) => {
    let requests = 0;
    const text = await exchange(REQUEST, (request, response) => {
      requests += 1;
      change(request.socket);
      const connection = open(request, response);
      expect(connection).toBeInstanceOf(kind);
      connection.write(Buffer.from(connection.format === 'chunked' ? '3\r\n:a\n\r\n' : ':a\n'));
      connection.end('max-age');
    });
    expect(text).toMatch(/^HTTP\/1.1 200 OK\r\n(?:.*\r\n)*connection: close\r\n/i);
    expect(text.split('\r\n\r\n').slice(1).join('\r\n\r\n')).toBe('9\r\nretry: 1\n\r\n3\r\n:a\n\r\n0\r\n\r\n');
    expect(requests).toBe(1);
  });

  it('has the headers of each request, however many, and however often they change', async () => {
    const names = Array.from({ length: 200 }, (_, number) => `x-header-${number}`);
    for (const value of ['one', 'one', 'two', 'th\r\nree']) {
      const headers = {
        ...Object.fromEntries(names.map((name) => [name, value])),
        'set-cookie': ['a=1', `b=${value}`],
      };
      const text = await exchange(REQUEST, (request, response) => {
        const first = 'retry: 1\n';
        takeOver(request, response, { headers, first, outstanding: new OutstandingBytes() }).end('max-age');
      });
      const clean = value.replaceAll(/[\r\n]/g, '');
      const expected = [...names.map((name) => `${name}: ${clean}`), 'set-cookie: a=1', `set-cookie: b=${clean}`];
      const lines = (text.split('\r\n\r\n')[0] ?? '').split('\r\n');
      expect(lines.filter((line) => /^(?:x-|set-)/.test(line) && !line.startsWith('x-accel'))).toEqual(expected);
      server?.close();
    }
  });

  it('is possible for the first of pipelined requests alone, also when the others have been read by then', async () => {
    const possible: boolean[] = [];
    let first: [IncomingMessage, ServerResponse] | undefined;
    const text = await exchange(REQUEST.repeat(3), (request, response) => {
      possible.push(canTakeOver(request, response));
      first ??= [request, response];
      if (possible.length === 3) open(...first).end('max-age');
    });
    expect(possible).toEqual([true, false, false]);
    expect(text.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(text).toMatch(/retry: 1\n\r\n0\r\n\r\n$/);
  });
});
