import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, legacyToken, subscribe, subscriberToken } from '../support/hub.js';
import { startBilingualHub } from './dialects.js';
import { type Answer, ask, bearer, challenge, publish } from './exchange.js';

const PATH = `${HUB}/subscriptions`;

const CONTEXT = 'https://mercure.rocks/';

interface Document {
  readonly id: string;
  readonly topic: string;
  readonly subscriber: string;
  readonly active: boolean;
}

function documentsOf(stream: EventStream, topic: string): Document[] {
  return stream.events.map(({ data }) => JSON.parse(data) as Document).filter((document) => document.topic === topic);
}

describe('active subscriptions in the 0.x dialect', () => {
  let herald: Herald;
  let token: string;
  let observer: EventStream;

  beforeAll(async () => {
    herald = await startBilingualHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' });
    token = await legacyToken('subscriber', {
      subscribe: [`${PATH}{/topic}{/subscriber}`, `${PATH}{/topic}`, PATH],
      payload: { name: 'observer' },
    });
    observer = await subscribe(herald, {
      query: `topic=${encodeURIComponent(`${PATH}/{topic}/{subscriber}`)}`,
      headers: bearer(token),
    });
  });
  afterAll(async () => {
    await observer[Symbol.asyncDispose]();
    await herald[Symbol.asyncDispose]();
  });

  async function told(topic: string, count: number): Promise<Document[]> {
    await observer.until((stream) => documentsOf(stream, topic).length >= count);
    return documentsOf(observer, topic);
  }

  function api(path: string, reader = token): Promise<Answer> {
    return ask(herald, { path, token: reader });
  }

  it('R72, R73, R75: who comes and goes is told of as JSON-LD, by topic and subscriber', async () => {
    const topic = 'https://example.com/r72/{id}';
    {
      await using stream = await subscribe(herald, { query: `topic=${encodeURIComponent(topic)}` });
      expect(stream.response.statusCode).toBe(200);
      await told(topic, 1);
    }
    const [came, went] = await told(topic, 2);
    const subscriber = came?.subscriber ?? '';
    expect(came).toEqual({
      '@context': CONTEXT,
      id: `${PATH}/https%3A%2F%2Fexample.com%2Fr72%2F%7Bid%7D/${encodeURIComponent(subscriber)}`,
      type: 'Subscription',
      topic,
      subscriber: expect.stringMatching(/^urn:uuid:/),
      active: true,
    });
    expect(went).toEqual({ ...came, active: false });
  });

  it('R76: its event has no name, and it is private', async () => {
    const other = await legacyToken('subscriber', { subscribe: ['urn:other'] });
    await using stranger = await subscribe(herald, { query: 'topic=*', headers: bearer(other) });
    await using stream = await subscribe(herald, { query: 'topic=urn:r76' });
    expect(stream.response.statusCode).toBe(200);
    await told('urn:r76', 1);
    await publish(herald, { topic: 'urn:r76', data: 'end' }, await legacyToken('publisher', { publish: ['*'] }));
    expect((await stranger.take(1))[0]?.data).toBe('end');
    expect(observer.events.map(({ event }) => event)).toEqual(observer.events.map(() => undefined));
  });

  it('R63: the payload is the token’s only one', async () => {
    const payload = { name: 'Alice' };
    const reader = await legacyToken('subscriber', { subscribe: [], payload });
    await using stream = await subscribe(herald, { query: 'topic=urn:r63', headers: bearer(reader) });
    expect(stream.response.statusCode).toBe(200);
    expect((await told('urn:r63', 1))[0]).toMatchObject({ payload });
  });

  it('R73: each dialect is told of what it can name', async () => {
    const everything = [{ match: `${PATH}/*`, match_type: 'urlpattern' }];
    const current = await subscriberToken({ topics: everything });
    await using watching = await subscribe(herald, {
      query: `match_urlpattern=${encodeURIComponent(`${PATH}/:type/:match/:subscriber`)}`,
      headers: bearer(current),
    });
    await using pattern = await subscribe(herald, { query: 'match_urlpattern=/r73/:pattern' });
    await using template = await subscribe(herald, { query: 'topic=/r73/%7Btemplate%7D' });
    await using exact = await subscribe(herald, { query: 'match=urn:r73' });
    expect([pattern, template, exact].map(({ response }) => response.statusCode)).toEqual([200, 200, 200]);
    await watching.until(({ events }) => events.some(({ data }) => data.includes('"urn:r73"')));
    const matches = watching.events.map(({ data }) => (JSON.parse(data) as { match: string }).match);
    expect(matches).toContain('/r73/:pattern');
    expect(matches).not.toContain('/r73/{template}');
    await told('urn:r73', 1);
    expect(documentsOf(observer, '/r73/{template}')).toHaveLength(1);
    expect(documentsOf(observer, '/r73/:pattern')).toHaveLength(0);
  });

  it('R77, R79: all, those to one topic, and one of them can be asked for, as JSON-LD with the cursor', async () => {
    await using stream = await subscribe(herald, { query: 'topic=urn:r77' });
    expect(stream.response.statusCode).toBe(200);
    const [document] = await told('urn:r77', 1);
    for (const path of [PATH, `${PATH}/urn%3Ar77`]) {
      const { status, headers, text } = await api(path);
      expect(status).toBe(200);
      expect(headers['content-type']).toMatch(/^application\/ld\+json(;|$)/);
      expect(JSON.parse(text)).toEqual({
        '@context': CONTEXT,
        id: path,
        type: 'Subscriptions',
        lastEventID: expect.stringMatching(/^herald-cursor:/),
        subscriptions: expect.arrayContaining([document]),
      });
    }
    const single = await api(document?.id ?? '');
    expect(JSON.parse(single.text)).toEqual({ ...document, lastEventID: expect.stringMatching(/^herald-cursor:/) });
    expect((await api(`${PATH}/urn%3Ar77/nobody`)).status).toBe(404);
  });

  it('R78: each path must be granted', async () => {
    const granted = await legacyToken('subscriber', { subscribe: [`${PATH}/urn%3Ar78`] });
    expect((await api(`${PATH}/urn%3Ar78`, granted)).status).toBe(200);
    for (const path of [PATH, `${PATH}/urn%3Aother`, `${PATH}/urn%3Ar78/x`]) {
      expect(await api(path, granted)).toMatchObject({ status: 403, challenge: challenge('insufficient_scope') });
    }
  });

  it('R80: an answer tells from where on it can be followed', async () => {
    const { headers, text } = await api(PATH);
    const { lastEventID } = JSON.parse(text) as { lastEventID: string };
    expect(headers.link).toBe(
      `<${HUB}>; rel="mercure"; last-event-id="${lastEventID}"; content-type="application/ld+json"`,
    );
    expect(headers.etag).toBe(`"${lastEventID}"`);
  });
});
