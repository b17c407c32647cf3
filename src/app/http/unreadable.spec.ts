import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Origins } from '../../shared/http/origins.js';
import { type LogLine, RepeatedLines } from '../../shared/log/repeated-lines.js';
import { sharedRefusal } from './cors.js';
import { answerUnreadable } from './unreadable.js';

const ORIGIN = 'https://app.example';

describe('what the parser refuses', () => {
  let server: Server;
  const logged: LogLine[] = [];

  beforeEach(async () => {
    server = createServer({ headersTimeout: 100, connectionsCheckingInterval: 20 }, (_request, response) => {
      response.end();
    });
    logged.length = 0;
    const unread = new RepeatedLines((line) => void logged.push(line));
    server.on('clientError', answerUnreadable(sharedRefusal(new Origins([ORIGIN])), unread));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    await once(server, 'close');
  });

  async function answerTo(text: string): Promise<string> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('latin1');
    let answer = '';
    socket.on('data', (part: string) => (answer += part)).write(text);
    await once(socket, 'close');
    return answer;
  }

  it('is too slow where the head does not come in time', async () => {
    const answer = await answerTo('GET / HTTP/1.1\r\nhost: a\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(answer).toContain('"code":"head-too-slow"');
  });

  it('can be read by pages of the origin that it names, if that is listed', async () => {
    const broken = (origin: string): string => `GET / HTTP/1.1\r\nhost: a\r\nOrigin: ${origin}\r\nno colon\r\n\r\n`;
    const answer = await answerTo(broken(ORIGIN));
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('"code":"request-malformed"');
    expect(answer).toContain(`\r\naccess-control-allow-origin: ${ORIGIN}\r\n`);
    expect(await answerTo(broken('https://evil.example'))).not.toMatch(/access-control|evil/);
  });

  it('is logged once for any number, with the id that its answer names', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => answerTo('no request\r\n\r\n')));
    const ids = answers.map((answer) => /\r\nx-request-id: ([\w-]+)\r\n/.exec(answer)?.[1]);
    expect(new Set(ids).size).toBe(5);
    const [line, ...others] = logged;
    expect(line).toMatchObject({ code: 'request-malformed', status: 400, address: '127.0.0.1' });
    expect([ids.includes(String(line?.['requestId'])), others]).toEqual([true, []]);
  });
});
