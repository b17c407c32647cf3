import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BEGINNING, send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  form,
  HUB,
  noticesOf,
  Publisher,
  publisherToken,
  startHub,
  subscribe,
  subscriberToken,
  updatesOf,
} from '../support/hub.js';

const TOPIC = 'https://example.com/books/1';

describe('publishing', () => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub({ HERALD_MAX_BODY: '64kb', LOG_LEVEL: 'debug' });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald[Symbol.asyncDispose]();
  });

  /** What a subscriber of everything gets for one publication, as text, without the head of the stream. */
  async function frameOf(fields: Record<string, string | string[]>): Promise<string> {
    await using stream = await subscribe(herald, { query: 'match=*' });
    await publisher.publish({ ...fields, topic: fields['topic'] ?? TOPIC });
    await stream.take(1);
    return stream.text.replace(BEGINNING, '');
  }

  it('R37: answers 200 with the id as text', async () => {
    const response = await publisher.post(form({ topic: TOPIC, data: 'x', id: 'urn:x:1' }));
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(await textOf(response)).toBe('urn:x:1');
  });

  it('R20, R31, R64: sends every field, a line of data for each line, and an id of its own where none was given', async () => {
    const frame = await frameOf({ data: 'one\ntwo\r\nthree\rfour', id: 'urn:x:2', type: 'tick', retry: '2500' });
    expect(frame).toBe('id: urn:x:2\nevent: tick\nretry: 2500\ndata: one\ndata: two\ndata: three\ndata: four\n\n');
    expect(await frameOf({})).toMatch(/^id: urn:uuid:[\da-f-]{36}\ndata: \n\n$/);
  });

  it('R31: data can inject neither a field nor an event', async () => {
    const frame = await frameOf({ data: 'x\n\nid: evil\nevent: evil\ndata: evil\n\n', id: 'urn:x:3' });
    expect(frame).toBe(
      'id: urn:x:3\ndata: x\ndata: \ndata: id: evil\ndata: event: evil\ndata: data: evil\ndata: \ndata: \n\n',
    );
  });

  it('R2: sends an update once to who matches several of its topics', async () => {
    await using stream = await subscribe(herald, {
      query: 'match=urn:a&match=urn:b&match_urlpattern=https://example.com/:id',
    });
    await publisher.publish({ topic: ['urn:a', 'urn:b', 'https://example.com/1'], data: '1' });
    await publisher.publish({ topic: 'https://example.com/2', data: '2' });
    expect((await stream.take(2)).map(({ data }) => data)).toEqual(['1', '2']);
  });

  it('R3, R32, R61: sends a private update only to those whose token grants one of its topics', async () => {
    const tokens = { all: await subscriberToken(), other: await subscriberToken({ topics: [{ match: 'urn:other' }] }) };
    const query = 'match=*';
    await using anonymous = await subscribe(herald, { query });
    await using other = await subscribe(herald, { query, headers: { authorization: `Bearer ${tokens.other}` } });
    await using granted = await subscribe(herald, { query, headers: { authorization: `Bearer ${tokens.all}` } });
    await publisher.publish({ topic: 'urn:secret', data: 'secret', private: '' });
    await publisher.publish({ topic: ['urn:secret', 'urn:other'], data: 'both', private: 'on' });
    await publisher.publish({ topic: 'urn:public', data: 'public' });
    expect((await granted.take(3)).map(({ data }) => data)).toEqual(['secret', 'both', 'public']);
    expect((await other.take(2)).map(({ data }) => data)).toEqual(['both', 'public']);
    expect((await anonymous.take(1)).map(({ data }) => data)).toEqual(['public']);
  });

  describe('refuses', () => {
    const long = 'x'.repeat(5_000);
    it.each<[string, number, string, string | Buffer]>([
      ['R29: no topic', 400, 'topic-missing', 'data=x'],
      ['R29: an empty body', 400, 'topic-missing', ''],
      ['R1: a control character in a topic', 400, 'topic-invalid', 'topic=a%01b'],
      ['R1: a bidi character in a topic', 400, 'topic-invalid', 'topic=a%E2%80%AEb'],
      ['R29: a topic that is not UTF-8', 400, 'encoding-invalid', 'topic=%FF'],
      [
        'R29: raw bytes that are not UTF-8',
        400,
        'encoding-invalid',
        Buffer.from([0x74, 0x6f, 0x70, 0x69, 0x63, 0x3d, 0xff]),
      ],
      ['R31: data that is not UTF-8', 400, 'encoding-invalid', 'topic=urn:a&data=%C3%28'],
      ['R30: the wildcard as a topic', 400, 'topic-reserved', 'topic=*'],
      ['R30: the hub itself', 400, 'topic-reserved', 'topic=https%3A%2F%2Fhub.example%2F.well-known%2Fmercure'],
      [
        'R30: the hub on another host',
        400,
        'topic-reserved',
        'topic=https%3A%2F%2Fo.example%2F.well-known%2F%256Dercure%2Fx',
      ],
      ['R30: an empty topic', 400, 'topic-reserved', 'topic='],
      ['R30: a reserved alternate topic', 400, 'topic-reserved', 'topic=urn:a&topic=mercure'],
      ['R33: an id with a leading #', 400, 'id-invalid', 'topic=urn:a&id=%23x'],
      ['R33: the id earliest', 400, 'id-invalid', 'topic=urn:a&id=earliest'],
      ['R33: an id with a line end', 400, 'id-invalid', 'topic=urn:a&id=a%0Ab'],
      ['R34: the type mercure', 400, 'type-invalid', 'topic=urn:a&type=mercure'],
      ['R34: the type of the notices', 400, 'type-invalid', 'topic=urn:a&type=herald'],
      ['R34: a type with a line end', 400, 'type-invalid', 'topic=urn:a&type=a%0D%0Ab'],
      ['R35: a retry that is no number', 400, 'retry-invalid', 'topic=urn:a&retry=1e3'],
      ['R35: a retry that clients overflow with', 400, 'retry-invalid', 'topic=urn:a&retry=999999999999'],
      ['R38: too many topics', 413, 'topics-too-many', 'topic=urn:a&'.repeat(1_001)],
      ['R38: a topic that is too long', 413, 'topic-too-long', `topic=${long}`],
    ])('%s', async (_, status, code, body) => {
      await using stream = await subscribe(herald, { query: 'match=*' });
      const response = await publisher.post(body);
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(await textOf(response))).toMatchObject({ status, code, detail: expect.any(String) });
      // Nothing of it was stored: the next update is the first that anybody sees.
      await publisher.publish({ topic: 'urn:after', data: 'after' });
      expect((await stream.take(1))[0]?.data).toBe('after');
    });

    it('R38: a body above the limit with 413, and the connection goes on', async () => {
      const response = await publisher.post(form({ topic: TOPIC, data: 'x'.repeat(70_000) }));
      expect(response.statusCode).toBe(413);
      response.resume();
      await publisher.publish({ topic: TOPIC });
    });

    it.each(['application/xml', 'multipart/form-data; boundary=x', 'text/plain'])(
      'a body of the type %s with 415',
      async (type) => {
        const response = await publisher.post('topic=urn:a', { 'content-type': type });
        expect(response.statusCode).toBe(415);
        response.resume();
      },
    );
  });

  describe('asks for a token that allows it', () => {
    it.each<[string, () => Promise<string | undefined>, number, string]>([
      ['R46: none', () => Promise.resolve(undefined), 401, 'Bearer'],
      ['R49: something else than a token', () => Promise.resolve('Token eDp5'), 400, 'Bearer error="invalid_request"'],
      [
        "R47: a subscriber's token",
        async () => `Bearer ${await subscriberToken()}`,
        401,
        'Bearer error="invalid_token"',
      ],
      [
        'R54: an expired token',
        async () => `Bearer ${await publisherToken({ expires: '-1m' })}`,
        401,
        'Bearer error="invalid_token"',
      ],
      [
        'R47: a changed token',
        async () => `Bearer ${(await publisherToken()).slice(0, -4)}AAAA`,
        401,
        'Bearer error="invalid_token"',
      ],
      [
        'R48: a token for other topics',
        async () => `Bearer ${await publisherToken({ topics: [{ match: 'urn:b' }] })}`,
        403,
        'Bearer error="insufficient_scope"',
      ],
      [
        'R58: a token with a broken detail',
        async () => `Bearer ${await publisherToken({ topics: [{ match: 'urn:a', match_type: 'regexp' }] })}`,
        401,
        'Bearer error="invalid_token"',
      ],
    ])('%s', async (_, authorization, status, challenge) => {
      const value = await authorization();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...(value && { authorization: value }) };
      const response = await send(herald.url + HUB, { method: 'POST', headers }, form({ topic: 'urn:a', data: 'x' }));
      expect(response.statusCode).toBe(status);
      const metadata = 'https://hub.example/.well-known/oauth-protected-resource/.well-known/mercure';
      const separator = challenge === 'Bearer' ? ' ' : ', ';
      expect(response.headers['www-authenticate']).toBe(`${challenge}${separator}resource_metadata="${metadata}"`);
      expect(await textOf(response)).not.toContain('eyJ');
    });

    it('R60: which must grant every topic of the update', async () => {
      using limited = await Publisher.of(herald, {
        topics: [{ match: 'https://example.com/:id', match_type: 'urlpattern' }],
      });
      await limited.publish({ topic: ['https://example.com/a', 'https://example.com/b'] });
      const response = await limited.post(form({ topic: ['https://example.com/a', 'https://example.com/b/c'] }));
      expect(response.statusCode).toBe(403);
      response.resume();
    });

    it('and writes none of it into the log', async () => {
      const token = await publisherToken();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${token}` };
      (await send(`${herald.url}${HUB}?token=${token}`, { method: 'POST', headers }, 'topic=')).resume();
      (await send(`${herald.url}/health/live`)).resume();
      expect(herald.logs()).not.toContain(token.slice(0, 20));
    });
  });

  describe('with an Idempotency-Key', () => {
    it('stores nothing twice and answers with the first id', async () => {
      await using stream = await subscribe(herald, { query: 'match=urn:once' });
      const fields = { topic: 'urn:once', data: '1' };
      const ids = await Promise.all(
        Array.from({ length: 5 }, () => publisher.publish(fields, { 'idempotency-key': 'order-1' })),
      );
      expect(new Set(ids).size).toBe(1);
      await publisher.publish({ topic: 'urn:once', data: '2' });
      expect(updatesOf(stream).length).toBeLessThanOrEqual(2);
      expect((await stream.take(2)).map(({ data }) => data)).toEqual(['1', '2']);
    });

    it('refuses the same key with another update, and a malformed key', async () => {
      await publisher.publish({ topic: 'urn:a', data: '1' }, { 'idempotency-key': 'order-2' });
      const other = await publisher.post(form({ topic: 'urn:a', data: '2' }), { 'idempotency-key': 'order-2' });
      expect(other.statusCode).toBe(422);
      other.resume();
      const malformed = await publisher.post(form({ topic: 'urn:a' }), { 'idempotency-key': 'x'.repeat(300) });
      expect(malformed.statusCode).toBe(400);
      malformed.resume();
    });

    it("keeps one publisher's keys apart from another's", async () => {
      using alice = await Publisher.of(herald, { subject: 'alice' });
      using bob = await Publisher.of(herald, { subject: 'bob' });
      const key = { 'idempotency-key': 'order-3' };
      const ids = [await alice.publish({ topic: 'urn:a' }, key), await bob.publish({ topic: 'urn:a' }, key)];
      expect(new Set(ids).size).toBe(2);
    });
  });

  describe('a batch', () => {
    it('appends its lines in order and answers each with an id or an error', async () => {
      await using stream = await subscribe(herald, { query: 'match=urn:batch' });
      const lines = [
        { topic: 'urn:batch', data: 'a', id: 'urn:b:1' },
        { topic: 'urn:batch', data: { n: 2 } },
        { topic: '*', data: 'refused' },
        { topic: 'urn:batch', data: 'refused', id: 'herald-cursor:x' },
        { topic: 'urn:batch', data: 'd', private: true },
        { topics: ['urn:batch', 'urn:other'], data: 'e', type: 't', retry: 1_000 },
      ].map((line) => JSON.stringify(line));
      lines.splice(4, 0, '{broken');
      const response = await publisher.post(
        lines.join('\n'),
        { 'content-type': 'application/x-ndjson' },
        `${HUB}/batch`,
      );
      expect(response.statusCode).toBe(200);
      const answers = (await textOf(response)).trimEnd().split('\n');
      expect(answers.map((line) => JSON.parse(line) as object)).toEqual([
        { id: 'urn:b:1' },
        { id: expect.stringMatching(/^urn:uuid:/) },
        { error: { code: 'topic-reserved', detail: expect.any(String) } },
        { error: { code: 'id-invalid', detail: expect.any(String) } },
        { error: { code: 'batch-line-invalid', detail: expect.any(String) } },
        { id: expect.any(String) },
        { id: expect.any(String) },
      ]);
      expect((await stream.take(3)).map(({ data }) => data)).toEqual(['a', '{"n":2}', 'e']);
    });

    it('tells line by line what the token does not allow', async () => {
      using limited = await Publisher.of(herald, { topics: [{ match: 'urn:mine' }] });
      const body = '{"topic":"urn:mine"}\n{"topic":"urn:yours"}\n';
      const response = await limited.post(body, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
      const [mine, yours] = (await textOf(response)).trimEnd().split('\n');
      expect(JSON.parse(mine ?? '')).toEqual({ id: expect.any(String) });
      expect(JSON.parse(yours ?? '')).toMatchObject({ error: { code: 'insufficient-scope' } });
    });
  });

  it('tells no subscriber anything but updates', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:quiet' });
    await publisher.publish({ topic: 'urn:quiet', data: '1' });
    await stream.take(1);
    expect(noticesOf(stream)).toEqual([]);
  });
});
