import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Body, Bodies } from './bodies.js';

const LIMIT = 1_000;

describe.each(['at once', 'a little later'])('the body of a request that guards have let pass %s', (when) => {
  const bodies = new Bodies({ timeout: 5_000 });
  let server: Server;
  let socket: Socket;

  /** Listens for requests whose bodies are read once guards have let them pass, of which many are asynchronous. */
  async function listen(take: (body: Body) => void): Promise<void> {
    const read = async (request: IncomingMessage): Promise<void> => {
      if (when !== 'at once') await Promise.resolve();
      take(await bodies.read(request, LIMIT));
    };
    server = createServer((request, response) => {
      void read(request).then(() => response.end('read'));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
  }

  function head(length: number): string {
    return `POST / HTTP/1.1\r\nhost: hub\r\ncontent-length: ${length}\r\n\r\n`;
  }

  afterEach(async () => {
    socket.destroy();
    server.close();
    await once(server, 'close');
  });

  it('is taken as it is where it came with the head, and the connection goes on', async () => {
    const got: Body[] = [];
    await listen((body) => got.push(body));
    for (const text of ['one', 'three']) {
      socket.write(head(text.length) + text);
      // oxlint-disable-next-line no-await-in-loop -- one request after the other on one connection
      expect(String(await once(socket, 'data'))).toContain('read');
    }
    expect(got.map(({ bytes }) => bytes.toString())).toEqual(['one', 'three']);
    // What is read as a stream counts until it is released; what takes this short way does not.
    expect(got.map(({ release }) => release)).toEqual([undefined, undefined]);
  });

  it('is waited for where a part of it is still to come', async () => {
    const got: Body[] = [];
    await listen((body) => got.push(body));
    socket.write(`${head(6)}one`);
    await once(server, 'request');
    socket.write('two');
    expect(String(await once(socket, 'data'))).toContain('read');
    expect(got[0]?.bytes.toString()).toBe('onetwo');
    expect(bodies.bytes).toBe(6);
    got[0]?.release?.();
    expect(bodies.bytes).toBe(0);
  });

  it('is not held up by the next request that came with it', async () => {
    const got: Body[] = [];
    await listen((body) => got.push(body));
    socket.write(`${head(3)}one${head(5)}three`);
    let answers = '';
    while (answers.split('read').length < 3) {
      // oxlint-disable-next-line no-await-in-loop -- they come one after the other
      answers += String(await once(socket, 'data'));
    }
    expect(got.map(({ bytes }) => bytes.toString())).toEqual(['one', 'three']);
  });
});
