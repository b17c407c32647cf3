import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, subscribe } from '../support/hub.js';
import { DIALECTS, startBilingualHub } from './dialects.js';
import { ask } from './exchange.js';

describe.each(DIALECTS)('publishing as JSON with a token of the $dialect dialect', ({ parameter, publisher }) => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startBilingualHub();
    token = await publisher();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('R29: JSON is taken as well, and means what a line of a batch means', async () => {
    const question = { method: 'POST', token, headers: { 'content-type': 'application/json' } };
    const topic = 'urn:r29:json';
    await using stream = await subscribe(herald, { query: `${parameter}=${topic}` });
    const bodies: object[] = [
      { topic, data: 'text', id: 'urn:r29:1', type: 'greeting', retry: 5_000 },
      { topic: ['urn:other', topic], data: { a: [1, 'é'] }, unknown: 1 },
      { topics: [topic] },
      { topic, private: true, data: 'secret' },
      { topic, data: 'end' },
    ];
    const batch = `${HUB}/batch`;
    const lines = { ...question, path: batch, headers: { 'content-type': 'application/x-ndjson' } };
    for (const body of bodies) {
      const text = JSON.stringify(body);
      const answer = await ask(herald, { ...question, body: text });
      expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
      expect(await ask(herald, { ...lines, body: text })).toMatchObject({
        status: 200,
        text: expect.stringMatching(/"id"/),
      });
    }
    const events = await stream.take(8);
    const seen = events.map(({ event, data }) => [event, data]);
    const expected = [
      ['greeting', 'text'],
      [undefined, '{"a":[1,"é"]}'],
      [undefined, ''],
      [undefined, 'end'],
    ];
    expect(seen).toEqual(expected.flatMap((one) => [one, one]));
    expect(events[0]?.id).toBe('urn:r29:1');
  });

  it.each([
    ['no topic', '{"data":"x"}', 'topic-missing'],
    ['a topic of the wrong type', '{"topic":{}}', 'json-invalid'],
    ['a list', '[{"topic":"urn:a"}]', 'json-invalid'],
    ['what is no JSON', 'topic=urn:a', 'json-invalid'],
    ['nothing', '', 'json-invalid'],
    ['a reserved topic', '{"topic":"*"}', 'topic-reserved'],
  ])('R29: JSON with %s is refused', async (_, body, code) => {
    const headers = { 'content-type': 'application/json' };
    expect(await ask(herald, { method: 'POST', token, headers, body })).toMatchObject({ status: 400, code });
  });

  it('R29: JSON needs a token like a form, and its key stores nothing twice', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = '{"topic":"urn:r29:key","data":1}';
    expect((await ask(herald, { method: 'POST', headers, body })).status).toBe(401);
    const keyed = { method: 'POST', token, headers: { ...headers, 'idempotency-key': `${parameter}-json` }, body };
    const first = await ask(herald, keyed);
    expect(first.status).toBe(200);
    expect((await ask(herald, keyed)).text).toBe(first.text);
    const asForm = { ...keyed.headers, 'content-type': 'application/x-www-form-urlencoded' };
    const again = await ask(herald, { ...keyed, headers: asForm, body: 'topic=urn:r29:key&data=1' });
    expect([again.status, again.text]).toEqual([200, first.text]);
  });

  it('R29: two media types are refused, and the same one twice is one', async () => {
    const body = 'topic=urn:a';
    const type = 'application/x-www-form-urlencoded';
    const twice = await ask(herald, { method: 'POST', token, headers: { 'content-type': [type, type] }, body });
    expect(twice.status).toBe(200);
    const two = await ask(herald, {
      method: 'POST',
      token,
      headers: { 'content-type': [type, 'application/json'] },
      body,
    });
    expect(two).toMatchObject({ status: 400, code: 'request-malformed' });
  });
});
