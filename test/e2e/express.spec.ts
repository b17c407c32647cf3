import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { HubService } from '../../src/herald/index.js';
import { EventStream, send, textOf } from '../support/event-stream.js';
import { failures, nextConnection, seen, startTeam, type Variant, VARIANTS } from '../support/express-team.js';
import type { Herald } from '../support/herald.js';
import { form, HUB, noticesOf } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import { Upload, type UploadAnswer } from '../support/upload.js';

/*
 * The hub as a module of an application on Nest's Express adapter, which parses the bodies of its own routes as ever.
 */

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';
type Fields = Readonly<Record<string, string>>;

const ANN: Fields = { cookie: 'session=ann' };

/** More than body parsers take by default, and less than the hub does. */
const LARGE = 'x'.repeat(300 * 1024);

const TOO_LARGE = 'x'.repeat(1024 ** 2 + 1);

function codeOf({ status, body }: Pick<UploadAnswer, 'status' | 'body'>): unknown {
  return { status, code: (JSON.parse(body) as { code?: unknown }).code };
}

describe.each(Object.keys(VARIANTS) as Variant[])('on Express, %s,', (variant) => {
  let app: NestExpressApplication;
  let url: string;

  beforeAll(async () => {
    const hub = { subscriptions: { enabled: true, grace: 0 }, bodies: { timeout: 400 } };
    app = await startTeam(variant, { hub });
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  function post(type: string, body: string, path = HUB, headers: Fields = {}): Promise<IncomingMessage> {
    return send(url + path, { method: 'POST', headers: { 'content-type': type, ...ANN, ...headers } }, body);
  }

  async function publish(topic: string, data: string): Promise<string> {
    const answer = await post(FORM, form({ topic, data }));
    const id = await textOf(answer);
    expect({ status: answer.statusCode, id }).toEqual({ status: 200, id: expect.stringMatching(/^urn:uuid:/) });
    return id;
  }

  async function read(query: string, headers: Fields = {}): Promise<EventStream> {
    const answer = await send(`${url}${HUB}?${query}`, { headers: { ...ANN, ...headers } });
    expect(answer).toMatchObject({ statusCode: 200 });
    return new EventStream(answer);
  }

  function upload(headers: Readonly<Record<string, string>>, path = HUB): Upload {
    return Upload.begin('http1', { url } as Herald, { path, headers: { 'content-type': FORM, ...headers } });
  }

  it('publishes forms and JSON, and delivers them', async () => {
    await using reader = await read('match=urn:live');
    const first = await publish('urn:live', '1');
    const second = await post(JSON_TYPE, JSON.stringify({ topic: 'urn:live', data: '2' }));
    expect(second).toMatchObject({ statusCode: 200, headers: { 'content-type': 'text/plain; charset=utf-8' } });
    const events = await reader.take(2);
    expect(events).toMatchObject([
      { id: first, data: '1' },
      { id: await textOf(second), data: '2' },
    ]);
    expect(reader.response.headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' });
    expect('content-security-policy' in reader.response.headers).toBe(variant === 'behind helmet and compression');
  });

  it('publishes batches line by line', async () => {
    await using reader = await read('match=urn:batch');
    const lines = ['1', '2', '3'].map((data) => JSON.stringify({ topic: 'urn:batch', data }));
    const answer = await post('application/x-ndjson', lines.join('\n'), `${HUB}/batch`, { 'accept-encoding': 'gzip' });
    const ids = (await textOf(answer)).split('\n').filter(Boolean);
    expect({ status: answer.statusCode, lines: ids.length }).toEqual({ status: 200, lines: 3 });
    expect((await reader.take(3)).map(({ data }) => data)).toEqual(['1', '2', '3']);
  });

  it('resumes after the last id', async () => {
    const first = await publish('urn:resume', '1');
    await publish('urn:resume', '2');
    await using reader = await read('match=urn:resume', { 'last-event-id': first });
    await reader.take(2);
    await publish('urn:resume', '3');
    expect((await reader.take(3)).map(({ data }) => data)).toEqual(['2', '{"type":"caught-up"}', '3']);
  });

  it('answers QUERY with a stream, and HEAD with its head', async () => {
    const headers = { 'content-type': FORM, ...ANN };
    const answer = await send(url + HUB, { method: 'QUERY', headers }, 'match=urn:query');
    expect(answer).toMatchObject({ statusCode: 200 });
    await using reader = new EventStream(answer);
    await publish('urn:query', 'asked');
    expect(await reader.take(1)).toMatchObject([{ data: 'asked' }]);
    const head = await send(`${url}${HUB}?match=urn:query`, { method: 'HEAD', headers: ANN });
    expect(head).toMatchObject({ statusCode: 200, headers: { 'herald-process': expect.any(String) } });
    expect(await textOf(head)).toBe('');
  });

  it('answers for its history, for subscriptions and for what a token needs', async () => {
    await publish('urn:past', 'gone by');
    const past = await send(`${url}${HUB}/history?match=urn:past`, { headers: ANN });
    expect(past).toMatchObject({ statusCode: 200, headers: { 'content-type': 'application/json; charset=utf-8' } });
    expect(JSON.parse(await textOf(past))).toMatchObject([{ data: 'gone by', topics: ['urn:past'] }]);
    const headers = { 'content-type': FORM, ...ANN };
    const asked = await send(`${url}${HUB}/history`, { method: 'QUERY', headers }, 'match=urn:past');
    expect(JSON.parse(await textOf(asked))).toMatchObject([{ data: 'gone by' }]);
    await using _ = await read('match=urn:present');
    const list = await send(`${url}${HUB}/subscriptions`, { headers: ANN });
    expect(list).toMatchObject({ statusCode: 200, headers: { etag: expect.any(String), link: expect.any(String) } });
    expect(await textOf(list)).toContain('urn:present');
    const unchanged = { ...ANN, 'if-none-match': String(list.headers.etag) };
    expect((await send(`${url}${HUB}/subscriptions`, { headers: unchanged })).statusCode).toBe(304);
    const metadata = await send(`${url}/.well-known/oauth-protected-resource${HUB}`);
    expect(JSON.parse(await textOf(metadata))).toMatchObject({ resource: 'https://team.example/.well-known/mercure' });
  });

  it.each(
    [HUB, `${HUB}/batch`, HUB.toUpperCase()].flatMap((path): [string, Fields][] => [
      [path, { 'content-length': '1000' }],
      [path, { 'transfer-encoding': 'chunked' }],
    ]),
  )('refuses strangers at %s before their body has come (%j)', async (path, framing) => {
    await using stranger = upload(framing, path);
    await stranger.write('topic=');
    const answer = await stranger.answer;
    expect(codeOf(answer)).toEqual({ status: 401, code: 'unauthorized' });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'www-authenticate': expect.stringContaining('resource_metadata='),
    });
  });

  it('takes as much as the hub does, not as the parsers do, and not more', async () => {
    const large = await post(JSON_TYPE, JSON.stringify({ topic: 'urn:large', data: LARGE }));
    expect(large.statusCode).toBe(200);
    const refused = await post(FORM, form({ topic: 'urn:large', data: TOO_LARGE }));
    expect(codeOf({ status: refused.statusCode ?? 0, body: await textOf(refused) })).toEqual({
      status: 413,
      code: 'body-too-large',
    });
    await using unannounced = upload(ANN);
    void unannounced.write(TOO_LARGE);
    expect(codeOf(await unannounced.answer)).toEqual({ status: 413, code: 'body-too-large' });
  });

  it('gives a body its time, and refuses other types and what is no form', async () => {
    await using slow = upload(ANN);
    await slow.write('topic=urn:slow');
    expect(codeOf(await slow.answer)).toEqual({ status: 408, code: 'body-too-slow' });
    const other = await post('text/plain', 'hello');
    expect(codeOf({ status: other.statusCode ?? 0, body: await textOf(other) })).toEqual({
      status: 415,
      code: 'media-type-unsupported',
    });
    const empty = await post(FORM, 'data=x');
    expect(codeOf({ status: empty.statusCode ?? 0, body: await textOf(empty) })).toEqual({
      status: 400,
      code: 'topic-missing',
    });
  });

  it('leaves the routes of the application as they are, with bodies that are parsed', async () => {
    const made = await post(JSON_TYPE, '{"title":"Dune"}', '/orders');
    expect([made.statusCode, JSON.parse(await textOf(made))]).toEqual([201, { title: 'Dune' }]);
    const wrong = await post(JSON_TYPE, '{"title":1}', '/orders');
    expect([wrong.statusCode, await textOf(wrong)]).toEqual([400, expect.stringContaining('title must be a string')]);
    await using reader = await read('match=urn:told');
    const told = await post(JSON_TYPE, '{"topic":"urn:told","text":"by hand"}', '/orders/told');
    expect(told.statusCode).toBe(201);
    expect(await reader.take(1)).toMatchObject([{ data: 'by hand' }]);
    const bob = { cookie: 'session=bob' };
    expect((await post(JSON_TYPE, '{"topic":"urn:told","text":""}', '/orders/told', bob)).statusCode).toBe(403);
    await using clock = new EventStream(await send(`${url}/orders/clock`, { headers: ANN }));
    expect(await clock.take(1)).toMatchObject([{ data: 'hello ann' }]);
    expect(clock.retries).toHaveLength(1);
  });

  it('answers what is stored as stored, although an interceptor fails after it', async () => {
    await using reader = await read('match=urn:kept');
    const fail = { 'x-fail': 'late' };
    const one = await post(FORM, form({ topic: 'urn:kept', data: '1' }), HUB, fail);
    expect([one.statusCode, await textOf(one)]).toEqual([200, expect.stringMatching(/^urn:uuid:/)]);
    const line = '{"topic":"urn:kept","data":"2"}';
    const many = await post('application/x-ndjson', line, `${HUB}/batch`, fail);
    expect([many.statusCode, await textOf(many)]).toEqual([200, expect.stringContaining('"id"')]);
    await reader.take(2);
  });

  it('answers a batch itself, although an interceptor has lost patience meanwhile', async () => {
    const line = '{"topic":"urn:slow","data":"x"}\n';
    const failed = once(failures, 'failed');
    const headers = { ...ANN, 'content-type': 'application/x-ndjson', 'x-fail': 'early' };
    await using batch = upload({ ...headers, 'content-length': String(2 * line.length) }, `${HUB}/batch`);
    await batch.write(line);
    await failed;
    await batch.write(line);
    batch.end();
    const { status, body } = await batch.answer;
    expect([status, body.split('\n').filter((answer) => answer.startsWith('{"id"')).length]).toEqual([200, 2]);
  });

  it('knows the address that a trusted proxy tells, the name of a request, and its target as it came', async () => {
    const headers = { ...ANN, 'x-forwarded-for': '203.0.113.9', 'x-request-id': 'named-1' };
    await using _ = await read('match=urn:a%2Fb&x=?', headers);
    expect(seen.at(-1)).toEqual({
      id: 'named-1',
      ip: '203.0.113.9',
      method: 'GET',
      url: `${HUB}?match=urn:a%2Fb&x=?`,
    });
    await using _other = await read('match=urn:other');
    expect(seen.at(-1)?.id).toMatch(/^[\w-]{10,}$/);
  });
});

describe.each(Object.keys(VARIANTS) as Variant[])('a stream on Express, %s,', (variant) => {
  it('is cut where its reader reads nothing, and others miss nothing', async () => {
    await using stage = await Stage.of(variant, 300);
    const { app, url } = stage;
    await using quick = new EventStream(await send(`${url}${HUB}?match=urn:t`, { headers: ANN }));
    const connection = nextConnection(app);
    await using slow = await RawClient.subscribe({ url }, `${HUB}?match=urn:t`, ANN);
    const socket = await connection;
    await slow.until(({ hasBegun }) => hasBegun);
    slow.stall();
    const cut = once(socket, 'close');
    const hub = app.get(HubService);
    for (let count = 0; count < 200; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- in their order
      await hub.publish({ topics: ['urn:t'], data: `${count} ${LARGE}`.slice(0, 100_000) });
    }
    await cut;
    const events = await quick.take(200);
    expect(events.map(({ data }) => Number.parseInt(data, 10))).toEqual(
      Array.from({ length: 200 }, (_, index) => index),
    );
  });

  it('ends cleanly with the application, which does not wait for it', async () => {
    const app = await startTeam(variant);
    await using reader = new EventStream(await send(`${await app.getUrl()}${HUB}?match=urn:t`, { headers: ANN }));
    await reader.until(({ retries }) => retries.length > 0);
    await app.close();
    expect(await reader.ended).toBe(true);
    expect(noticesOf(reader)).toEqual([{ type: 'drain' }]);
  });
});

/** An application of its own for one test. */
class Stage implements AsyncDisposable {
  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
  ) {}

  static async of(variant: Variant, writeTimeout: number): Promise<Stage> {
    const app = await startTeam(variant, { streams: { writeTimeout } });
    return new Stage(app, await app.getUrl());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app.close();
  }
}
