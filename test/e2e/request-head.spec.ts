import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HUB_ERRORS, type HubErrorCode } from '../../src/access/hub.errors.js';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, startHub, subscriberToken, TLS_ENVIRONMENT } from '../support/hub.js';
import { Http2Connection } from '../support/http2-client.js';
import { connectTcp, secure } from '../support/sockets.js';
import { subscribeOver, TRANSPORTS } from '../support/transports.js';

const PATH = `${HUB}/subscriptions`;

interface RawAnswer {
  readonly status: number;
  /** Whose pages may read it. */
  readonly origin: string | undefined;
  readonly body: string;
}

/** The status and the body of the answer to a request that is sent as it stands. */
async function answerTo(herald: Herald, lines: readonly string[]): Promise<RawAnswer> {
  const tcp = await connectTcp(herald.url);
  const socket = (herald.url.startsWith('https:') ? await secure(tcp, 'http/1.1') : tcp).setEncoding('utf8');
  let text = '';
  socket.on('data', (part: string) => (text += part)).on('error', () => undefined);
  socket.write([...lines, 'Connection: close', '', ''].join('\r\n'));
  await once(socket, 'close');
  const [, status, head = '', body = ''] = /^HTTP\/1\.1 (\d+) ([^]*?)\r\n\r\n([^]*)$/.exec(text) ?? [];
  return { status: Number(status), origin: /^access-control-allow-origin: (.*)$/im.exec(head)?.[1], body };
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
    ['two hosts', 'request-malformed', ['GET /health/live HTTP/1.1', 'Host: a.example', 'Host: b.example']],
    ['no host', 'request-malformed', ['GET /health/live HTTP/1.1']],
    ['HTTP/2.0 in HTTP/1.1', 'version-unsupported', ['GET /health/live HTTP/2.0', 'Host: a.example']],
    ['HTTP/0.9', 'version-unsupported', ['GET /health/live HTTP/0.9', 'Host: a.example']],
    ['a path that is not UTF-8', 'request-malformed', ['GET /%ff HTTP/1.1', 'Host: a.example']],
    ['a line that is none', 'request-malformed', ['GET /health/live HTTP/1.1', 'Host: a.example', 'no colon']],
    ['another protocol', 'request-malformed', ['SSH-2.0-OpenSSH_9.2']],
    ['an expectation', 'expectation-unknown', ['GET /health/live HTTP/1.1', 'Host: a.example', 'Expect: a miracle']],
    [
      'more lines than are read',
      'head-too-large',
      ['GET /health/live HTTP/1.1', 'Host: a', ...Array.from({ length: 2_100 }, () => 'a:b')],
    ],
  ])('with %s is refused as %s', async (_, code, lines) => {
    const answer = await answerTo(herald, lines);
    expect(answer.status).toBe(HUB_ERRORS[code as HubErrorCode].status);
    expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status, code, detail: expect.any(String) });
  });

  it('with as many lines as are read is none of them less', async () => {
    const many = Array.from({ length: 1_990 }, () => 'a:b');
    const lines = [`GET ${PATH} HTTP/1.1`, 'Host: hub.example', ...many, authorization];
    expect(await answerTo(herald, lines)).toMatchObject({ status: 403 });
  });
});

const ORIGIN = 'https://app.example';

describe.each(['http', 'https'])('a long or odd head over %s', (scheme) => {
  let herald: Herald;

  beforeAll(async () => {
    const tls = scheme === 'https' ? TLS_ENVIRONMENT : {};
    herald = await startHub({ HERALD_CORS_ORIGINS: ORIGIN, ...tls });
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
  });

  function withCookies(bytes: number): string[] {
    return ['GET /health/live HTTP/1.1', 'Host: a', `Origin: ${ORIGIN}`, `Cookie: a=${'x'.repeat(bytes)}`];
  }

  it('is read up to 64 KiB', async () => {
    expect(await answerTo(herald, withCookies(60_000))).toMatchObject({ status: 200 });
  });

  it.each([66_000, 100_000, 200_000])(
    'of %d bytes is refused, and pages of a listed origin can tell why',
    async (bytes) => {
      const { status, origin, body } = await answerTo(herald, withCookies(bytes));
      expect([status, JSON.parse(body)]).toMatchObject([431, { code: 'head-too-large' }]);
      // Of a head that is far too long only the last part is known, and this origin is in the first.
      if (bytes < 130_000) expect(origin).toBe(ORIGIN);
    },
  );

  it.each([
    ['a path that is not UTF-8', ['GET /%ff HTTP/1.1', 'Host: a']],
    ['no host', ['GET /health/live HTTP/1.1']],
    ['an expectation', ['GET /health/live HTTP/1.1', 'Host: a', 'Expect: a miracle']],
    ['a line that is none', ['GET /health/live HTTP/1.1', 'Host: a', 'no colon']],
    ['two types', ['GET /health/live HTTP/1.1', 'Host: a', 'Content-Type: a/b', 'Content-Type: c/d']],
  ])('with %s is refused, and pages of a listed origin can tell why', async (_, [target = '', ...lines]) => {
    const { status, origin, body } = await answerTo(herald, [target, `Origin: ${ORIGIN}`, ...lines]);
    expect(origin).toBe(ORIGIN);
    expect(JSON.parse(body)).toMatchObject({ status, code: expect.any(String) });
  });

  it('of which the last part names the origin is refused with it, however long it is', async () => {
    const lines = ['GET / HTTP/1.1', 'Host: a', `Cookie: a=${'x'.repeat(130_000)}`, `Origin: ${ORIGIN}`, 'X: y'];
    const { status, origin } = await answerTo(herald, lines);
    expect(status).toBe(431);
    expect([ORIGIN, undefined]).toContain(origin);
  });

  it('is refused to others without a word to their pages', async () => {
    const lines = withCookies(66_000).map((line) => line.replace(ORIGIN, 'https://evil.example'));
    expect(await answerTo(herald, lines)).toMatchObject({ status: 431, origin: undefined });
  });
});

describe.each(TRANSPORTS)('over %s', (transport) => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub(transport === 'http1' ? {} : TLS_ENVIRONMENT);
  });
  afterAll(async () => {
    await herald[Symbol.asyncDispose]();
  });

  it.each([
    ['a hundred long topics', `${HUB}?${longTopics(100)}`, {}],
    ['17 KB of cookies of others', `${HUB}?match=urn:a`, { cookie: `a=${'x'.repeat(17_000)}` }],
    ['200 cookies of others', `${HUB}?match=urn:a`, manyHeaders(200)],
  ])('a subscription may have %s', async (_, path, headers) => {
    await using reader = await subscribeOver(transport, herald, path, headers);
    await reader.until(() => reader.status !== 0);
    expect(reader.status).toBe(200);
  });

  it('and a token of 19 KB', async () => {
    const token = await subscriberToken({
      claims: { groups: Array.from({ length: 1_100 }, (_, at) => `a group ${at}`) },
    });
    expect(token.length).toBeGreaterThan(16 * 1024);
    const headers = { authorization: `Bearer ${token}` };
    await using reader = await subscribeOver(transport, herald, `${HUB}?match=urn:a`, headers);
    await reader.until(() => reader.status !== 0);
    expect(reader.status).toBe(200);
  });
});

function longTopics(count: number): string {
  const topics = Array.from({ length: count }, (_, at) => `https://example.com/${at}/`.padEnd(200, 'x'));
  return new URLSearchParams(topics.map((topic) => ['match', topic] as [string, string])).toString();
}

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, 'y']));
}

describe('with HERALD_MAX_HEAD', () => {
  it('a longer head is refused, over HTTP/2 as well, and pages of a listed origin can tell why', async () => {
    await using herald = await startHub({ HERALD_MAX_HEAD: '8kb', HERALD_CORS_ORIGINS: ORIGIN, ...TLS_ENVIRONMENT });
    await using connection = await Http2Connection.to(herald);
    for (const [bytes, status] of [
      [7_000, 200],
      [9_000, 431],
    ] as const) {
      const headers = { ':path': '/health/live', origin: ORIGIN, cookie: `a=${'x'.repeat(bytes)}` };
      const stream = connection.session.request(headers);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const [answer] = (await once(stream, 'response')) as [Record<string, string | number>];
      stream.resume();
      expect(answer[':status']).toBe(status);
      if (status === 431) expect(answer['access-control-allow-origin']).toBe(ORIGIN);
    }
  });
});

describe('heads that come bit by bit', () => {
  it('are cut, the oldest first, while they hold too much together, and others go on', async () => {
    // The heap is as small as the service runs in: an eighth of it is about eight megabytes.
    await using herald = await startHub({ NODE_OPTIONS: '--max-old-space-size=64' });
    const part = `GET / HTTP/1.1\r\nHost: a\r\nA: ${'x'.repeat(60_000)}`;
    const sockets = await Promise.all(Array.from({ length: 500 }, () => connectTcp(herald.url)));
    const closed = once(sockets[0] as Socket, 'close');
    for (const socket of sockets)
      socket
        .on('error', () => undefined)
        .resume()
        .write(part);
    await closed;
    await herald.waitForLog(/connections are cut/);
    const answer = await send(`${herald.url}/health/live`);
    expect([answer.statusCode, JSON.parse(await textOf(answer))]).toMatchObject([200, { status: 'ok' }]);
    expect(sockets.filter((socket) => !socket.destroyed).length).toBeGreaterThan(50);
    for (const socket of sockets) socket.destroy();
  });
});
