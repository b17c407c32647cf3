import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, startHub, subscriberToken } from '../support/hub.js';

const PATH = `${HUB}/subscriptions`;

/** The status and the body of the answer to a request that is sent as it stands. */
async function answerTo(herald: Herald, lines: readonly string[]): Promise<{ status: number; body: string }> {
  const socket = connect(herald.port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part)).on('error', () => undefined);
  socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
  await once(socket, 'close');
  const [, status, body = ''] = /^HTTP\/1\.1 (\d+) [^]*?\r\n\r\n([^]*)$/.exec(text) ?? [];
  return { status: Number(status), body };
}

describe('the head of a request', () => {
  let herald: Herald;
  let authorization: string;

  beforeAll(async () => {
    herald = await startHub({ HERALD_SUBSCRIPTIONS: 'true' });
    const topics = [{ match: 'https://shop.example/*', match_type: 'urlpattern' }];
    authorization = `Authorization: Bearer ${await subscriberToken({ topics })}`;
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
  });

  it.each([
    ['origin', PATH],
    ['absolute', `https://shop.example${PATH}`],
    ['absolute, in capitals', `HTTPS://SHOP.EXAMPLE${PATH}`],
    ['absolute, with plain HTTP', `http://shop.example${PATH}`],
    ["the hub's own host, absolute", `https://hub.example${PATH}`],
  ])('with a target in the form %s lists subscribers to nobody who is not granted it', async (_, target) => {
    const { status, body } = await answerTo(herald, [`GET ${target} HTTP/1.1`, 'Host: hub.example', authorization]);
    expect({ status, code: (JSON.parse(body) as { code: string }).code }).toEqual({
      status: 403,
      code: 'insufficient-scope',
    });
  });

  it.each([
    ['a path', 'http://hub.example/health/live', 200],
    ['no path', 'http://hub.example', 200],
    ['a query alone', 'http://hub.example?x=1', 200],
    ['a user', 'http://ann@hub.example/health/live', 400],
    ['another scheme', 'ftp://hub.example/health/live', 400],
    ['a fragment', 'http://hub.example/health/live#x', 400],
  ])('may have an absolute target with %s', async (_, target, status) => {
    expect(await answerTo(herald, [`GET ${target} HTTP/1.1`, 'Host: other.example'])).toMatchObject({ status });
  });

  it.each([
    ['two hosts', 400, ['GET /health/live HTTP/1.1', 'Host: a.example', 'Host: b.example']],
    ['HTTP/2.0 in HTTP/1.1', 505, ['GET /health/live HTTP/2.0', 'Host: a.example']],
    ['HTTP/0.9', 505, ['GET /health/live HTTP/0.9', 'Host: a.example']],
    [
      'more lines than are read',
      431,
      ['GET /health/live HTTP/1.1', 'Host: a', ...Array.from({ length: 2_100 }, () => 'a:b')],
    ],
  ])('with %s is refused', async (_, status, lines) => {
    const answer = await answerTo(herald, lines);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ status, detail: expect.any(String) });
  });

  it('with as many lines as are read is none of them less', async () => {
    const many = Array.from({ length: 1_990 }, () => 'a:b');
    const lines = [`GET ${PATH} HTTP/1.1`, 'Host: hub.example', ...many, authorization];
    expect(await answerTo(herald, lines)).toMatchObject({ status: 403 });
  });
});
