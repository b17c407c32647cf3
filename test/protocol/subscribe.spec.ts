import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BEGINNING, EventStream, openStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, noticesOf, publisherToken, startHub, subscribe, subscriberToken } from '../support/hub.js';
import {
  ask,
  bearer,
  dataOf,
  dataOfUntilEnd,
  endOf,
  FORM,
  PATIENCE,
  publish,
  publishEnd,
  withEnd,
} from './exchange.js';

const CERTIFICATES = fileURLToPath(new URL('../support/certificates/', import.meta.url));

const ORIGIN = 'https://app.example';
const STREAM_TYPE = 'text/event-stream; charset=utf-8';

describe('subscribing', () => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startHub({ HERALD_CORS_ORIGINS: ORIGIN });
    token = await publisherToken();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** Which of these topics' updates a subscription gets. */
  async function delivered(matchers: string, topics: readonly string[]): Promise<string[]> {
    await using stream = await subscribe(herald, { query: withEnd(matchers) });
    for (const topic of topics) expect((await publish(herald, { topic, data: topic }, token)).status).toBe(200);
    await publishEnd(herald, token);
    return await dataOfUntilEnd(stream);
  }

  function query(queryString: string, body: string, headers: Record<string, string> = FORM): Promise<EventStream> {
    const path = queryString === '' ? HUB : `${HUB}?${queryString}`;
    return send(herald.url, { method: 'QUERY', path, headers }, body).then((response) => new EventStream(response));
  }

  it('R2: an update is delivered once to who matches any of its topics, the first or another', async () => {
    await using stream = await subscribe(herald, { query: withEnd('match=urn:r2:a&match=urn:r2:b') });
    await publish(herald, { topic: ['urn:r2:a', 'urn:r2:x'], data: 'canonical' }, token);
    await publish(herald, { topic: ['urn:r2:x', 'urn:r2:b'], data: 'alternate' }, token);
    await publish(herald, { topic: ['urn:r2:a', 'urn:r2:b'], data: 'both' }, token);
    await publish(herald, { topic: ['urn:r2:x'], data: 'neither' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['canonical', 'alternate', 'both']);
  });

  it('R4: whether readers need a token is the hub’s own policy', async () => {
    expect((await ask(herald, { query: 'match=urn:a' })).status).toBe(200);
    await using closed = await startHub({ HERALD_ANONYMOUS: 'false' });
    expect((await ask(closed, { query: 'match=urn:a' })).status).toBe(401);
  });

  it('R5: GET and QUERY both subscribe, and HEAD only tells what GET would', async () => {
    for (const method of ['GET', 'QUERY']) {
      const body = method === 'QUERY' ? 'match=urn:r5' : '';
      const answer = await ask(herald, { method, query: method === 'GET' ? 'match=urn:r5' : '', headers: FORM, body });
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': STREAM_TYPE } });
    }
    // It is over at once: nothing stays subscribed that nobody reads.
    const head = await ask(herald, { method: 'HEAD', query: 'match=urn:r5' });
    expect(head).toMatchObject({ status: 200, text: '', headers: { 'content-type': STREAM_TYPE } });
  });

  it('R5: another method is answered with 405 and those that there are', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const { status, headers } = await ask(herald, { method });
      expect(status).toBe(405);
      expect(headers.allow?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST', 'QUERY']);
    }
  });

  it('R6: the body of a QUERY is a form by the rules of the query', async () => {
    await using stream = await query('', withEnd('match_urlpattern=https://example.com/%3Aid&match=a+b%2Bc;d'));
    await publish(herald, { topic: 'https://example.com/1', data: 'pattern' }, token);
    await publish(herald, { topic: 'a b+c;d', data: 'exact' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['pattern', 'exact']);
    expect(await ask(herald, { method: 'QUERY', headers: FORM, body: 'matchfoo=a' })).toMatchObject({
      status: 400,
      code: 'matcher-unknown',
    });
  });

  it.each<[string, number, Record<string, string>]>([
    ['another type', 415, { 'content-type': 'application/json' }],
    ['no type', 400, {}],
    ['something that is no type', 415, { 'content-type': 'form' }],
  ])('R6: a body with %s is refused with %d', async (_, status, headers) => {
    expect((await ask(herald, { method: 'QUERY', headers, body: 'match=urn:a' })).status).toBe(status);
  });

  it('R7: query and body are taken together, each matcher once', async () => {
    await using stream = await query('match=urn:r7:a&match=urn:r7:both', withEnd('match=urn:r7:b&match=urn:r7:both'));
    for (const data of ['a', 'b', 'both', 'other']) await publish(herald, { topic: `urn:r7:${data}`, data }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['a', 'b', 'both']);
  });

  it('R7: the cursor of the query comes before the one of the body, and the header before both', async () => {
    for (const id of ['1', '2', '3', '4']) {
      await publish(herald, { topic: 'urn:r7', data: id, id: `urn:r7:${id}` }, token);
    }
    await using byQuery = await query('match=urn:r7&last_event_id=urn:r7:2', 'last_event_id=urn:r7:1');
    await using byBody = await query('match=urn:r7', 'last_event_id=urn:r7:1');
    const headers = { ...FORM, 'last-event-id': 'urn:r7:3' };
    await using byHeader = await query('match=urn:r7&last_event_id=urn:r7:2', 'last_event_id=urn:r7:1', headers);
    for (const stream of [byQuery, byBody, byHeader]) await stream.until((seen) => dataOf(seen).includes('4'));
    expect([dataOf(byQuery), dataOf(byBody), dataOf(byHeader)]).toEqual([['3', '4'], ['2', '3', '4'], ['4']]);
  });

  it('R8: a subscription works over HTTP/2', async () => {
    await using secure = await startHub({
      HERALD_TLS_CERT_FILE: `${CERTIFICATES}first.crt`,
      HERALD_TLS_KEY_FILE: `${CERTIFICATES}first.key`,
    });
    const session = connectHttp2(secure.url, { ca: readFileSync(`${CERTIFICATES}first.crt`), servername: 'localhost' });
    const signal = AbortSignal.timeout(PATIENCE);
    try {
      const reading = session.request({ ':path': `${HUB}?match=urn:r8` }).setEncoding('utf8');
      let text = '';
      reading.on('data', (piece: string) => (text += piece));
      await once(reading, 'data', { signal });
      const posting = session.request({ ':method': 'POST', ':path': HUB, ...FORM, ...bearer(token) });
      posting.end('topic=urn:r8&data=over+HTTP/2&id=urn:r8:1');
      while (!text.endsWith('data: over HTTP/2\n\n')) await once(reading, 'data', { signal });
      expect(text.replace(BEGINNING, '')).toBe('id: urn:r8:1\ndata: over HTTP/2\n\n');
    } finally {
      session.destroy();
    }
  });

  it('R10: a matcher grants nothing: private updates need a token', async () => {
    const reader = await subscriberToken({ topics: [{ match: 'urn:r10:mine' }] });
    await using stream = await subscribe(herald, {
      query: withEnd('match=urn:r10:mine&match=urn:r10:yours&match=*'),
      headers: bearer(reader),
    });
    await publish(herald, { topic: 'urn:r10:yours', data: 'yours', private: 'on' }, token);
    await publish(herald, { topic: 'urn:r10:mine', data: 'mine', private: 'on' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['mine']);
  });

  it.each([
    ['plus is a space', 'match=a+b', 'a b'],
    ['a percent-encoded plus is one', 'match=a%2Bb', 'a+b'],
    ['a semicolon separates nothing', 'match=a;match=b', 'a;match=b'],
    ['a stray percent sign stays', 'match=100%', '100%'],
    ['a percent sign before no digits stays', 'match=%zz', '%zz'],
    ['percent-encoded UTF-8 is decoded once', 'match=caf%C3%A9%2541', 'café%41'],
    ['an equals sign after the first is part of the value', 'match=a=b', 'a=b'],
    ['empty pairs are nothing', '&&match=urn:r11&', 'urn:r11'],
    ['names are decoded too', 'm%61tch=urn:r11', 'urn:r11'],
  ])('R11: %s', async (_, parameters, topic) => {
    const response = await send(herald.url, { path: `${HUB}?${withEnd(parameters)}` });
    await using stream = new EventStream(response);
    expect(response.statusCode).toBe(200);
    await publish(herald, { topic, data: 'hit' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['hit']);
  });

  it.each([
    'Match',
    'MATCH',
    'matchfoo',
    'match_',
    'match_regexp',
    'Match_exact',
    'match_URLPattern',
    'mAtChes',
    'match[]',
  ])('R12: the name %s is refused', async (name) => {
    const answer = await ask(herald, { query: `match=urn:a&${encodeURIComponent(name)}=urn:b` });
    expect(answer).toMatchObject({ status: 400, code: 'matcher-unknown' });
  });

  it('R12: other names are ignored, but for the one of the other dialect', async () => {
    expect((await ask(herald, { query: 'match=urn:a&mat=x&topics=y&rematch=z' })).status).toBe(200);
    // Whoever still speaks 0.x to this hub is told so, and not subscribed to nothing.
    expect(await ask(herald, { query: 'topic=urn:a' })).toMatchObject({ status: 400, code: 'matcher-unknown' });
    expect(await ask(herald, { query: '' })).toMatchObject({ status: 400, code: 'matcher-missing' });
  });

  it.each([
    ['a C0 control', 'match=a%00b', 'matcher-invalid'],
    ['DEL', 'match=a%7Fb', 'matcher-invalid'],
    ['a C1 control', 'match=a%C2%85b', 'matcher-invalid'],
    ['a zero-width character', 'match=a%E2%80%8Bb', 'matcher-invalid'],
    ['an override of the writing direction', 'match_exact=a%E2%80%AEb', 'matcher-invalid'],
    ['the same in a pattern', 'match_urlpattern=https://example.com/%E2%80%AE', 'matcher-invalid'],
    ['what is not UTF-8', 'match=%FF', 'encoding-invalid'],
    ['a surrogate in UTF-8', 'match=%ED%A0%80', 'encoding-invalid'],
    ['a malformed pattern', 'match_urlpattern=https://example.com/(', 'matcher-invalid'],
    ['a pattern with one name twice', 'match_urlpattern=https://example.com/:a/:a', 'matcher-invalid'],
  ])('R13: %s is refused', async (_, parameters, code) => {
    expect(await ask(herald, { query: parameters })).toMatchObject({ status: 400, code });
  });

  it('R14: every update whose topic satisfies a matcher is delivered, in order', async () => {
    const topics = Array.from({ length: 50 }, (_, index) => `https://example.com/r14/${index}`);
    const others = ['https://example.com/r14', 'https://example.com/r14/a/b', 'urn:r14:other'];
    const parameters = 'match_urlpattern=https://example.com/r14/:id&match=urn:r14';
    expect(await delivered(parameters, [...topics, ...others, 'urn:r14'])).toEqual([...topics, 'urn:r14']);
  });

  it('R15: a hundred patterns are taken, the same one counts once, and one more is refused', async () => {
    const hundred = Array.from({ length: 100 }, (_, index) => `match_urlpattern=/r15/${index}/*`).join('&');
    expect((await ask(herald, { query: hundred })).status).toBe(200);
    expect((await ask(herald, { query: `${hundred}&match_urlpattern=/r15/7/*` })).status).toBe(200);
    expect(await ask(herald, { query: `${hundred}&match_urlpattern=/r15/more` })).toMatchObject({
      status: 400,
      code: 'matchers-too-many',
    });
    expect((await ask(herald, { query: `match=${'x'.repeat(4096)}` })).status).toBe(200);
    expect(await ask(herald, { query: `match=${'x'.repeat(4097)}` })).toMatchObject({
      status: 400,
      code: 'matcher-too-long',
    });
  });

  it.each(['HERALD_MAX_CONNECTIONS', 'HERALD_MAX_CONNECTIONS_PER_ADDRESS'])(
    'R16: above %s a stream ends at once, and says why',
    async (variable) => {
      await using limited = await startHub({ [variable]: '1' });
      await using first = await subscribe(limited, { query: 'match=urn:a' });
      // Any other status than 200 would stop a native EventSource for good.
      await using second = await subscribe(limited, { query: 'match=urn:a' });
      expect(await endOf(second)).toBe(true);
      expect(noticesOf(second)).toEqual([{ type: 'overloaded' }]);
      expect(second.retries.length).toBeGreaterThan(0);
      expect(first.response.complete).toBe(false);
    },
  );

  describe('from a page of another origin', () => {
    it('R18: an origin on the list may read, with credentials, also what is in the headers', async () => {
      const { headers } = await ask(herald, { query: 'match=urn:a&last_event_id=', headers: { origin: ORIGIN } });
      expect(headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(headers['access-control-allow-credentials']).toBe('true');
      expect(headers.vary).toMatch(/origin/i);
      const exposed = headers['access-control-expose-headers']?.toLowerCase().split(/, ?/);
      expect(exposed).toEqual(expect.arrayContaining(['mercure-last-event-id', 'www-authenticate']));
    });

    it('R18: a refusal can be read as well', async () => {
      const { status, headers } = await ask(herald, { query: 'matchfoo=a', headers: { origin: ORIGIN } });
      expect(status).toBe(400);
      expect(headers['access-control-allow-origin']).toBe(ORIGIN);
    });

    it.each(['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])(
      'R18: %s is not on the list, and gets nothing',
      async (origin) => {
        const { headers } = await ask(herald, { query: 'match=urn:a', headers: { origin } });
        expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).not.toContain(
          'access-control-allow-origin',
        );
      },
    );

    it.each([
      ['QUERY', 'content-type,last-event-id'],
      ['POST', 'authorization,content-type'],
    ])('R18: the preflight of a %s is answered', async (method, names) => {
      const headers = {
        origin: ORIGIN,
        'access-control-request-method': method,
        'access-control-request-headers': names,
      };
      const answer = await ask(herald, { method: 'OPTIONS', headers });
      expect(answer.status).toBe(204);
      expect(answer.headers['access-control-allow-methods']).toContain(method);
      const allowed = String(answer.headers['access-control-allow-headers']).toLowerCase().split(/, ?/);
      expect(allowed).toEqual(expect.arrayContaining(names.split(',')));
    });
  });

  it('R19: a stream is text/event-stream in UTF-8, unbuffered, with comments while it is quiet', async () => {
    await using quiet = await startHub({ HERALD_HEARTBEAT: '50ms' });
    await using stream = await subscribe(quiet, { query: 'match=urn:r19' });
    expect(stream.response.headers['content-type']).toBe(STREAM_TYPE);
    expect(stream.response.headers['x-accel-buffering']).toBe('no');
    expect(stream.response.headers['cache-control']).toMatch(/no-store.*no-transform/);
    await stream.until(({ comments }) => comments.length >= 2);
    expect(stream.events).toEqual([]);
    expect(stream.text.replace(BEGINNING, '')).toMatch(/^(?::\n)+$/);
  });

  it.each([
    ['text/html', 406],
    ['application/json, text/plain;q=0.5', 406],
    ['*/*, text/event-stream;q=0', 406],
    ['text/event-stream', 200],
    ['text/*', 200],
    ['text/html, */*;q=0.1', 200],
    ['nonsense', 200],
  ])('R19: to who accepts %s the answer is %d', async (accept, status) => {
    expect((await ask(herald, { query: 'match=urn:a', headers: { accept } })).status).toBe(status);
  });

  it('R20: every field of an event arrives, data byte for byte', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r20' });
    const data = ' {"a": "é😀",\n\n  "b": [1]}\n';
    await publish(herald, { topic: 'urn:r20', data, id: 'urn:r20:1', type: 'change', retry: '1234' }, token);
    expect(await stream.take(1)).toMatchObject([{ data, id: 'urn:r20:1', event: 'change' }]);
    expect(stream.retries.at(-1)).toBe(1234);
  });

  it('R20: an event without data is still one', async () => {
    await using stream = await openStream(`${herald.url}${HUB}?match=urn:r20`);
    await publish(herald, { topic: 'urn:r20', id: 'urn:r20:2' }, token);
    expect(await stream.take(1)).toMatchObject([{ data: '', id: 'urn:r20:2' }]);
  });
});
