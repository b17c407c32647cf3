import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Application, grant } from '../support/application.js';
import { openStream, send } from '../support/event-stream.js';
import { Herald, startHerald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscribe, TLS_ENVIRONMENT } from '../support/hub.js';
import { Http2Connection } from '../support/http2-client.js';
import { RawClient } from '../support/raw-client.js';
import { type Transport, TRANSPORTS } from '../support/transports.js';

const WITHOUT_PINO = fileURLToPath(new URL('../support/without-pino.js', import.meta.url));

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;

/** An id that Herald has made. */
const MADE = /^[\w-]{12}-[\da-z]+$/;

const PAGE = 'https://app.example';

/** The lines about answered requests. */
function requestsOf(herald: Herald): Record<string, unknown>[] {
  return herald.logLines().filter(({ msg }) => msg === 'request');
}

/** The head of the answer to a request for a stream, whose client leaves then. */
async function headOf(transport: Transport, herald: Herald, headers: Record<string, string>): Promise<string> {
  const path = `${HUB}?match=a`;
  if (transport !== 'http2') {
    await using client = await RawClient.subscribe(herald, path, headers);
    await client.until(() => client.hasBegun);
    return client.text;
  }
  await using connection = await Http2Connection.to(herald);
  const stream = connection.session.request({ ':path': path, ...headers });
  const [fields] = (await once(stream, 'response')) as [Record<string, string>];
  return ['', ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`), ''].join('\r\n');
}

describe('the first line', () => {
  it('says what starts', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '77' });
    expect(herald.logLines()[0]).toMatchObject({
      level: 30,
      msg: expect.stringMatching(/^Herald \d+\.\d+\.\d+ starts$/),
      settings: { journal: { kind: 'memory' }, issuers: ['herald'], limits: { streams: 77 } },
    });
  });
});

describe('the log of requests', () => {
  /** Publishes, is refused, and asks for health, with this setting. Answers with what was logged. */
  async function logged(setting: string): Promise<unknown[]> {
    await using herald = await startHub({ HERALD_REQUEST_LOG: setting });
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'a', data: 'x' });
    for (const path of ['/nothing', `${HUB}?match=(`, '/health/ready']) {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      (await send(herald.url + path)).resume();
    }
    await herald.kill();
    return requestsOf(herald).map(({ status, path }) => `${String(path)} ${String(status)}`);
  }

  it('has all of them, those that were refused, or none', async () => {
    expect(await logged('all')).toEqual([`${HUB} 200`, '/nothing 404']);
    expect(await logged('errors')).toEqual(['/nothing 404']);
    expect(await logged('off')).toEqual([]);
  });
});

describe('the id of a request', () => {
  it('is made where the request has none, and is never the same, at whatever process', async () => {
    await using one = await startHerald();
    await using two = await startHerald();
    const ids = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const answer = await send(`${(index % 2 === 0 ? one : two).url}/nothing`);
        return String(answer.resume().headers['x-request-id']);
      }),
    );
    for (const id of ids) expect(id).toMatch(MADE);
    expect(new Set(ids).size).toBe(40);
    await Promise.all([one.kill(), two.kill()]);
    const logged = [...requestsOf(one), ...requestsOf(two)].map(({ requestId }) => requestId);
    expect(new Set(logged)).toEqual(new Set(ids));
  });

  it.each(['x'.repeat(129), 'a b', '{"level":60}', '<script>'])('is not taken where it is not sane: %s', async (id) => {
    await using herald = await startHerald();
    const answer = await send(`${herald.url}/nothing`, { headers: { 'x-request-id': id } });
    expect(answer.resume().headers['x-request-id']).toMatch(MADE);
    await herald.kill();
    expect(herald.logs()).not.toContain(id);
  });

  it('is that of the request, with its trace, in its answer and in the log', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const headers = { 'x-request-id': 'my-request', traceparent: TRACEPARENT };
    const answer = await publisher.post('topic=a&data=x', headers);
    expect(answer.resume().headers).toMatchObject(headers);
    const broken = await publisher.post('topic=a&data=x', { traceparent: '00-nothing' });
    expect(broken.resume().headers).not.toHaveProperty('traceparent');
    await herald.kill();
    const [line, other] = requestsOf(herald);
    expect(line).toMatchObject({ requestId: 'my-request', traceId: TRACE, status: 200 });
    expect(other).not.toHaveProperty('traceId');
  });

  it.each(TRANSPORTS)('is in the head of a stream and in its lines, over %s', async (transport: Transport) => {
    const env = transport === 'http1' ? {} : TLS_ENVIRONMENT;
    await using herald = await startHub({ LOG_LEVEL: 'debug', ...env });
    const headers = { 'x-request-id': transport, traceparent: TRACEPARENT };
    for (const [name, value] of Object.entries(headers)) {
      expect(await headOf(transport, herald, headers)).toContain(`\r\n${name}: ${value}\r\n`);
    }
    await herald.waitForLog(/stream closed/);
    for (const msg of ['stream opened', 'stream closed']) {
      expect(herald.logLines()).toContainEqual(expect.objectContaining({ msg, requestId: transport, traceId: TRACE }));
    }
  });

  it('is in the head of a stream of an @Sse() handler, and in its lines', async () => {
    await using herald = await startHerald({ env: { LOG_LEVEL: 'debug' } });
    const headers = { 'x-request-id': 'mine', traceparent: TRACEPARENT };
    await using stream = await openStream(`${herald.url}/events`, { headers });
    await herald.waitForLog(/stream opened/);
    expect(stream.response.headers).toMatchObject(headers);
    const opened = herald.logLines().find(({ msg }) => msg === 'stream opened');
    expect(opened).toMatchObject({ requestId: 'mine', traceId: TRACE });
  });

  it.each([
    ['a path that is not percent-encoded', 'GET /%zz HTTP/1.1\r\nhost: a\r\n', 400],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n', 400],
    ['an expectation that nobody meets', 'GET / HTTP/1.1\r\nhost: a\r\nexpect: much\r\n', 417],
    ['a head that can not be read', 'GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n', 400],
  ])('is in the refusal of %s, which pages may read', async (_, head, status) => {
    await using herald = await startHub({ HERALD_CORS_ORIGINS: PAGE });
    await using client = await RawClient.connect(herald);
    client.socket.write(`${head}origin: ${PAGE}\r\nconnection: close\r\n\r\n`);
    await client.until(() => client.ended);
    const { text: answer } = client;
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(/\r\nx-request-id: [\w-]{12}-[\da-z]+\r\n/);
    expect(answer).toMatch(/\r\naccess-control-expose-headers: [^\r]*X-Request-Id/i);
  });

  it('is told to the application that is asked on its account', async () => {
    await using application = await Application.start((_, response) => grant(response, { subscribe: ['a'] }));
    await using herald = await startHub({ HERALD_AUTHORIZE_URL: application.url });
    const names = { 'x-request-id': 'mine', traceparent: TRACEPARENT };
    await using one = await subscribe(herald, { query: 'match=a', headers: { cookie: 'session=1', ...names } });
    await using two = await subscribe(herald, { query: 'match=a', headers: { cookie: 'session=2' } });
    expect([one.response.statusCode, two.response.statusCode]).toEqual([200, 200]);
    const [first, second] = application.asked.map(({ headers }) => headers);
    expect(first).toMatchObject(names);
    expect(second).toMatchObject({ 'x-request-id': two.response.headers['x-request-id'] });
    expect(second).not.toHaveProperty('traceparent');
  });
});

describe('what comes many times', () => {
  it('is one line at first', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1' });
    await using stream = await subscribe(herald, { query: 'match=a' });
    const refused = await Promise.all(Array.from({ length: 5 }, () => subscribe(herald, { query: 'match=a' })));
    expect(stream.response.statusCode).toBe(200);
    await Promise.all(refused.map((one) => one[Symbol.asyncDispose]()));
    await herald.kill();
    expect(herald.logLines().filter(({ msg }) => msg === 'stream refused: too many')).toHaveLength(1);
    expect(herald.logLines()).toContainEqual(
      expect.objectContaining({
        level: 30,
        msg: 'streams of the last minute',
        opened: 1,
        ended: { drain: 1 },
        refused: { overloaded: 5 },
        open: 0,
      }),
    );
  });
});

describe('a failure before there is a log', () => {
  it('is a line of it all the same', async () => {
    await using herald = Herald.spawn({ nodeArguments: ['--import', WITHOUT_PINO] });
    expect(await herald.exit()).toEqual({ code: 1, signal: null });
    expect(herald.errorOutput()).toBe('');
    expect(herald.logLines()).toEqual([
      expect.objectContaining({
        level: 60,
        msg: "Herald can't start",
        err: expect.objectContaining({ message: expect.stringContaining('missing on purpose') }),
      }),
    ]);
  });
});
