import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { publisherToken, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';
import { type Answer, ask, bearer, post } from './hub-client.js';

describe('publishing', () => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startHub({ HERALD_MAX_BODY: '64kb' });
    token = await publisherToken();
  });
  afterAll(() => herald.kill());

  const publish = (body: string | Buffer | Record<string, string | string[]>): Promise<Answer> =>
    post(herald, token, body);

  it.each([
    ['R1', 'a control character', 'topic=urn:a%01'],
    ['R1', 'a C1 control', 'topic=urn:a%C2%85'],
    ['R1', 'a right-to-left override', 'topic=urn:%E2%80%AEa'],
    ['R1', 'a zero-width space of category Cf', 'topic=urn:%E2%80%8Da'],
    ['R1', 'what is not UTF-8', 'topic=urn:%FF'],
    ['R29', 'no topic', 'data=x'],
    ['R30', 'the hub itself, relative', 'topic=mercure'],
    ['R30', 'an empty topic, which is the hub', 'topic='],
    ['R30', 'something below the hub', 'topic=/.well-known/mercure/x'],
    ['R30', 'the hub by another host', 'topic=ftp://other.example/.well-known/mercure'],
    ['R30', 'the hub behind dot segments', 'topic=https://hub.example/a/../.well-known/./mercure'],
    ['R30', 'the hub with an unreserved octet encoded', 'topic=/.well-known/%256Dercure'],
    ['R30', 'an alternate topic of the hub', 'topic=urn:a&topic=mercure/x'],
    ['R30, R23', 'the wildcard', 'topic=*'],
    ['R31', 'data that is not UTF-8', 'topic=urn:a&data=%C3%28'],
    ['R33', 'an id with a fragment sign first', 'topic=urn:a&id=%23x'],
    ['R33', 'the id earliest', 'topic=urn:a&id=earliest'],
    ['R33', 'an id with a control character', 'topic=urn:a&id=a%0Ab'],
    ['R34', 'a type with a line end', 'topic=urn:a&type=a%0Ab'],
    ['R34', 'the type mercure', 'topic=urn:a&type=mercure'],
    ['R35', 'a retry with a sign', 'topic=urn:a&retry=%2B1'],
    ['R35', 'a retry that is no whole number', 'topic=urn:a&retry=1.5'],
  ])('%s: refuses %s with 400', async (_, __, body) => {
    expect((await publish(body)).status).toBe(400);
  });

  it('R29: takes a form and nothing else', async () => {
    const json = await post(herald, token, '{"topic":"urn:a"}', { 'content-type': 'application/json' });
    expect(json.status).toBe(415);
    const multipart = await post(herald, token, 'x', { 'content-type': 'multipart/form-data; boundary=x' });
    expect(multipart.status).toBe(415);
  });

  it('R2, R14: delivers to who matches any of the topics, once', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r2:other&match=urn:r2:first' });
    const answer = await publish({ topic: ['urn:r2:first', 'urn:r2:other'], data: 'x' });
    await publish({ topic: 'urn:r2:other', data: 'end' });
    await stream.until(({ events }) => events.some(({ data }) => data === 'end'));
    expect(updatesOf(stream).map(({ id }) => id)).toEqual([answer.text, expect.any(String)]);
  });

  it('R30: says that a topic is reserved whatever the token grants', async () => {
    const narrow = await publisherToken({ topics: [{ match: 'urn:only' }] });
    expect((await post(herald, narrow, 'topic=mercure/x')).code).toBe('topic-reserved');
  });

  it('R31: sends one data line for each line of the data, whatever its line ends', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r31' });
    await publish({ topic: 'urn:r31', data: 'a\rb\nc\r\nd: e\n\nid: f' });
    await stream.until(({ events }) => events.length > 0);
    expect(stream.text).toContain('data: a\ndata: b\ndata: c\ndata: d: e\ndata: \ndata: id: f\n\n');
  });

  it('R32, R3: makes an update private by the field alone, even empty', async () => {
    await using anybody = await subscribe(herald, { query: 'match=urn:r32' });
    await using reader = await subscribe(herald, {
      query: 'match=urn:r32',
      headers: bearer(await subscriberToken({ topics: [{ match: 'urn:r32' }] })),
    });
    await publish('topic=urn:r32&data=secret&private');
    await publish('topic=urn:r32&data=public');
    await anybody.until(({ events }) => events.length > 0);
    await reader.until(({ events }) => events.length > 1);
    expect(anybody.events.map(({ data }) => data)).toEqual(['public']);
    expect(reader.events.map(({ data }) => data)).toEqual(['secret', 'public']);
  });

  it('R33, R64: makes an id that is an IRI where the publisher gives none, and keeps the one that is given', async () => {
    expect((await publish('topic=urn:a')).text).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    expect((await publish('topic=urn:a&id=urn:mine')).text).toBe('urn:mine');
  });

  it('R20, R34, R35: passes every field of an event on', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r20' });
    await publish({ topic: 'urn:r20', data: 'x', id: 'urn:id', type: 'note', retry: '1500' });
    await stream.until(({ events }) => events.length > 0);
    expect(stream.events).toEqual([{ id: 'urn:id', event: 'note', data: 'x' }]);
    expect(stream.retries).toContain(1500);
  });

  it('R36: ignores fields that it does not know', async () => {
    expect((await publish('topic=urn:a&colour=red&Topic=x')).status).toBe(200);
  });

  it('R37: answers 200 with the id as text, and no more', async () => {
    const answer = await publish('topic=urn:a&id=urn:r37');
    expect(answer).toMatchObject({ status: 200, text: 'urn:r37' });
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  });

  it.each([
    ['a body above the limit', `topic=urn:a&data=${'x'.repeat(64 * 1024)}`],
    ['more topics than the limit', Array.from({ length: 1001 }, (_, index) => `topic=urn:${index}`).join('&')],
    ['a topic above the limit', `topic=urn:${'x'.repeat(4096)}`],
  ])('R38: refuses %s with 413', async (_, body) => {
    expect((await publish(body)).status).toBe(413);
  });

  it('R11, R29: reads a form as the URL Standard does: semicolons and stray percent signs are text', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r11' });
    await publish('topic=urn:r11&data=a;b%zz+%2B');
    await stream.until(({ events }) => events.length > 0);
    expect(stream.events[0]?.data).toBe('a;b%zz +');
  });

  it('R39, R60: needs a grant for every topic, and says 403 otherwise', async () => {
    const narrow = await publisherToken({ topics: [{ match: 'urn:mine' }] });
    expect((await post(herald, narrow, 'topic=urn:mine')).status).toBe(200);
    const answer = await post(herald, narrow, 'topic=urn:mine&topic=urn:other');
    expect(answer.status).toBe(403);
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"');
  });

  it('R90: stores a request that is sent again with its Idempotency-Key once', async () => {
    const first = await post(herald, token, 'topic=urn:r90', { 'idempotency-key': 'k1' });
    const again = await post(herald, token, 'topic=urn:r90', { 'idempotency-key': 'k1' });
    expect(again).toMatchObject({ status: 200, text: first.text });
    const stream = await ask(herald, { method: 'HEAD', path: '?match=urn:r90', headers: { 'last-event-id': '' } });
    expect(stream.headers['mercure-last-event-id']).toBe(first.text);
  });
});
