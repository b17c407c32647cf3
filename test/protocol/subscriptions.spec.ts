import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, publisherToken, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { type Answer, ask, bearer, challenge, dataOf, publish } from './exchange.js';

const PATH = `${HUB}/subscriptions`;

/** Every subscription, and what is told of it. */
const EVERYTHING = [{ match: `${PATH}{/*}?`, match_type: 'urlpattern' }];

interface Document {
  readonly id: string;
  readonly type: string;
  readonly match_type: string;
  readonly match: string;
  readonly subscriber: string;
  readonly active: boolean;
  readonly payload?: object;
}

function documentsOf(stream: EventStream, match: string): Document[] {
  return stream.events
    .filter(({ event }) => event === 'mercure')
    .map(({ data }) => JSON.parse(data) as Document)
    .filter((document) => document.match === match);
}

/** The subscribers that were told to have come, and not to have gone. */
function whoIsThere(stream: EventStream): string[] {
  const told = stream.events.filter(({ event }) => event === 'mercure').map(({ data }) => JSON.parse(data) as Document);
  const gone = new Set(told.filter(({ active }) => !active).map(({ subscriber }) => subscriber));
  return [...new Set(told.map(({ subscriber }) => subscriber))].filter((subscriber) => !gone.has(subscriber));
}

describe('active subscriptions', () => {
  let herald: Herald;
  let token: string;
  let observer: EventStream;

  beforeAll(async () => {
    herald = await startHub({
      HERALD_SUBSCRIPTIONS: 'true',
      HERALD_SUBSCRIPTIONS_GRACE: '0',
      HERALD_CORS_ORIGINS: 'https://app.example',
    });
    token = await subscriberToken({ topics: EVERYTHING });
    observer = await subscribe(herald, {
      query: `match_urlpattern=${encodeURIComponent(`${PATH}/*`)}`,
      headers: bearer(token),
    });
  });
  afterAll(async () => {
    await observer[Symbol.asyncDispose]();
    await herald[Symbol.asyncDispose]();
  });

  /** What the observer is told of subscriptions with this matcher, once it has been told `count` times. */
  async function told(match: string, count: number): Promise<Document[]> {
    await observer.until((stream) => documentsOf(stream, match).length >= count);
    return documentsOf(observer, match);
  }

  function api(path = '', options: { token?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    return ask(herald, { path: path.startsWith('/.') ? path : `${PATH}${path}`, token, ...options });
  }

  it('R72: everybody who comes and goes is told of, each matcher by itself', async () => {
    {
      await using stream = await subscribe(herald, { query: 'match=urn:r72:a&match=urn:r72:b' });
      expect(stream.response.statusCode).toBe(200);
      expect((await told('urn:r72:a', 1)).map(({ active }) => active)).toEqual([true]);
      expect((await told('urn:r72:b', 1)).map(({ active }) => active)).toEqual([true]);
    }
    expect((await told('urn:r72:a', 2)).map(({ active }) => active)).toEqual([true, false]);
    expect((await told('urn:r72:b', 2)).map(({ active }) => active)).toEqual([true, false]);
  });

  it('R72: and nobody is where it is switched off, nor is there an API', async () => {
    await using off = await startHub();
    const headers = bearer(token);
    await using watching = await subscribe(off, { query: 'match=*&last_event_id=earliest', headers });
    await using stream = await subscribe(off, { query: 'match=urn:r72' });
    await publish(off, { topic: 'urn:r72', data: 'x' }, await publisherToken());
    await stream.take(1);
    await watching.until((seen) => dataOf(seen).length > 0);
    expect(dataOf(watching)).toEqual(['x']);
    expect((await ask(off, { path: PATH, token })).status).toBe(404);
  });

  it.each([
    [
      'match',
      'exact',
      'https://example.com/a b?c=d/é%2F*',
      'https%3A%2F%2Fexample.com%2Fa%20b%3Fc%3Dd%2F%C3%A9%252F%2A',
    ],
    [
      'match_urlpattern',
      'urlpattern',
      "https://example.com/:id(a|b)!'",
      'https%3A%2F%2Fexample.com%2F%3Aid%28a%7Cb%29%21%27',
    ],
    ['match_urlpattern', 'urlpattern', '/r73/:id~._-', '%2Fr73%2F%3Aid~._-'],
  ])('R73: the topic names the hub’s path, and %s %s encoded once', async (name, type, match, encoded) => {
    await using stream = await subscribe(herald, { query: `${name}=${encodeURIComponent(match)}` });
    expect(stream.response.statusCode).toBe(200);
    const [document] = await told(match, 1);
    expect(document?.id).toBe(`${PATH}/${type}/${encoded}/${encodeURIComponent(document?.subscriber ?? '')}`);
    // Everything that one asks for by that name is found by it.
    const exact = await subscriberToken({ topics: [{ match: document?.id ?? '' }] });
    const answer = await api(document?.id, { token: exact });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual(document);
  });

  it('R74: each connection has a name of its own, the same for all its matchers, which nobody can choose', async () => {
    const reader = await subscriberToken({ subject: 'alice' });
    const query = 'match=urn:r74:a&match=urn:r74:b&subscriber=mine&id=mine';
    const headers = { ...bearer(reader), 'x-request-id': 'mine' };
    await using one = await subscribe(herald, { query, headers });
    await using two = await subscribe(herald, { query, headers });
    expect([one.response.statusCode, two.response.statusCode]).toEqual([200, 200]);
    const [a, b] = [await told('urn:r74:a', 2), await told('urn:r74:b', 2)];
    const names = a.map(({ subscriber }) => subscriber);
    expect(b.map(({ subscriber }) => subscriber)).toEqual(names);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^urn:uuid:[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-/);
  });

  it('R75: what is told is JSON with these members', async () => {
    const reader = await subscriberToken({ payload: { name: 'Alice' } });
    await using stream = await subscribe(herald, { query: 'match=urn:r75', headers: bearer(reader) });
    expect(stream.response.statusCode).toBe(200);
    const [document] = await told('urn:r75', 1);
    expect(document).toEqual({
      id: expect.stringMatching(/^\/\.well-known\/mercure\/subscriptions\/exact\/urn%3Ar75\/urn%3Auuid%3A/),
      type: 'subscription',
      match_type: 'exact',
      match: 'urn:r75',
      subscriber: expect.stringMatching(/^urn:uuid:/),
      active: true,
      payload: { name: 'Alice' },
    });
  });

  it('R76: it is private, and its event is named mercure', async () => {
    const other = await subscriberToken({ topics: [{ match: 'urn:other' }] });
    await using anonymous = await subscribe(herald, { query: 'match=*' });
    await using stranger = await subscribe(herald, { query: 'match=*', headers: bearer(other) });
    await using stream = await subscribe(herald, { query: 'match=urn:r76' });
    expect(stream.response.statusCode).toBe(200);
    await told('urn:r76', 1);
    await publish(herald, { topic: 'urn:r76', data: 'end' }, await publisherToken());
    await Promise.all([anonymous, stranger].map((one) => one.take(1)));
    expect(dataOf(anonymous)).toEqual(['end']);
    expect(dataOf(stranger)).toEqual(['end']);
    expect(observer.events.every(({ event, id }) => event === 'mercure' && id?.startsWith('herald-cursor:'))).toBe(
      true,
    );
  });

  describe('R63: the payload', () => {
    const DETAIL = { type: 'https://mercure.rocks/authorization-detail', actions: ['subscribe'] };
    const details = [
      { ...DETAIL, actions: ['publish'], topics: [{ match: '*' }], payload: { is: 'for publishing' } },
      { ...DETAIL, topics: [{ match: 'urn:r63:none' }] },
      { ...DETAIL, topics: [{ match: 'urn:r63:one' }], payload: { is: 'exact' } },
      {
        ...DETAIL,
        topics: [{ match: 'https://example.com/r63/*', match_type: 'urlpattern' }],
        payload: { is: 'a pattern' },
      },
      { ...DETAIL, topics: [{ match: '*' }], payload: { is: 'any' } },
    ];

    it.each([
      ['match', 'urn:r63:one', { is: 'exact' }],
      ['match', 'urn:r63:two', { is: 'any' }],
      ['match', 'urn:r63:none', undefined],
      ['match', 'https://example.com/r63/x', { is: 'a pattern' }],
      ['match_urlpattern', 'https://example.com/r63/:id', { is: 'a pattern' }],
      ['match_urlpattern', 'https://example.com/other/:r63', { is: 'any' }],
    ])('R63: of %s=%s is the one of the first detail whose topics match it', async (name, match, payload) => {
      const reader = await subscriberToken({ claims: { authorization_details: details } });
      const query = `${name}=${encodeURIComponent(match)}`;
      await using stream = await subscribe(herald, { query, headers: bearer(reader) });
      expect(stream.response.statusCode).toBe(200);
      const [document] = await told(match, 1);
      expect(document?.payload).toEqual(payload);
      const single = JSON.parse((await api(document?.id)).text) as Document;
      expect(single.payload).toEqual(payload);
    });
  });

  async function list(path: string): Promise<Document[]> {
    return (JSON.parse((await api(path)).text) as { subscriptions: Document[] }).subscriptions;
  }

  it('R77: all subscriptions, those with one matcher, and one of them can be asked for', async () => {
    await using one = await subscribe(herald, { query: 'match=urn:r77&match_urlpattern=/r77/:id' });
    await using two = await subscribe(herald, { query: 'match_exact=urn:r77' });
    expect([one.response.statusCode, two.response.statusCode]).toEqual([200, 200]);
    const documents = await told('urn:r77', 2);
    expect(await list('')).toEqual(expect.arrayContaining(documents));
    expect(await list('/exact/urn%3Ar77')).toEqual(documents);
    expect((await list('/urlpattern/%2Fr77%2F%3Aid')).map(({ match }) => match)).toEqual(['/r77/:id']);
    expect(await list('/urlpattern/urn%3Ar77')).toEqual([]);
    for (const document of documents) expect(JSON.parse((await api(document.id)).text)).toEqual(document);
  });

  it('R77: a type of matcher that the hub does not know is refused', async () => {
    for (const path of ['/regexp/a', '/Exact/a', '/regexp/a/b']) {
      const answer = await api(path, { token: await subscriberToken() });
      expect(answer).toMatchObject({ status: 400, code: 'matcher-unknown' });
    }
  });

  it('R78: each path must be granted as it is, without its query', async () => {
    const paths = [PATH, `${PATH}/exact/urn%3Ar78`, `${PATH}/exact/urn%3Ar78/urn%3Auuid%3Anobody`];
    for (const path of paths) {
      const granted = await subscriberToken({ topics: [{ match: path }] });
      // Nobody has the name in the last one.
      const own = path === paths[2] ? 404 : 200;
      for (const other of paths) {
        const { status } = await api(`${other}?after=0`, { token: granted });
        expect([path, other, status]).toEqual([path, other, other === path ? own : 403]);
      }
      expect(await ask(herald, { path })).toMatchObject({ status: 401, challenge: challenge() });
      const publisher = await publisherToken({ topics: [{ match: path }] });
      expect((await api(path, { token: publisher })).status).toBe(401);
    }
  });

  it('R79: the answers are JSON, and a collection has these members', async () => {
    const { status, headers, text } = await api('/exact/urn%3Ar79');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json(;|$)/);
    expect(JSON.parse(text)).toEqual({ id: `${PATH}/exact/urn%3Ar79`, type: 'subscriptions', subscriptions: [] });
  });

  it('R79: who is unknown, or has left, is not found', async () => {
    expect((await api('/exact/urn%3Ar79/urn%3Auuid%3Anobody')).status).toBe(404);
    {
      await using stream = await subscribe(herald, { query: 'match=urn:r79' });
      expect(stream.response.statusCode).toBe(200);
      const [document] = await told('urn:r79', 1);
      expect((await api(document?.id)).status).toBe(200);
      // The name of the subscriber with a matcher that is not its own.
      expect((await api(document?.id.replace('urn%3Ar79', 'urn%3Aother'))).status).toBe(404);
      expect((await api(document?.id.replace('/exact/', '/urlpattern/'))).status).toBe(404);
    }
    const [, gone] = await told('urn:r79', 2);
    expect(gone?.active).toBe(false);
    expect((await api(gone?.id)).status).toBe(404);
  });

  it('R80: an answer tells from where on it can be followed', async () => {
    const id = (await publish(herald, { topic: 'urn:r80', id: 'urn:r80:"1"' }, await publisherToken())).text;
    expect(id).toBe('urn:r80:"1"');
    for (const path of ['', '/exact/urn%3Ar80']) {
      const { headers } = await api(path);
      expect(headers.link).toBe(
        `<${HUB}>; rel="mercure"; last-event-id="urn:r80:%221%22"; type="mercure"; content-type="application/json"`,
      );
      expect(headers.etag).toBe('"urn:r80:%221%22"');
      expect(headers['cache-control']).toMatch(/private.*must-revalidate/);
    }
  });

  it('R80: following on from there, nothing of what comes after is missed', async () => {
    const last = /last-event-id="([^"]+)"/.exec(String((await api()).headers.link))?.[1] ?? '';
    await using stream = await subscribe(herald, { query: 'match=urn:r80:followed' });
    expect(stream.response.statusCode).toBe(200);
    const documents = await told('urn:r80:followed', 1);
    const query = `match_urlpattern=${encodeURIComponent(`${PATH}/*`)}&last_event_id=${encodeURIComponent(last)}`;
    await using follower = await subscribe(herald, { query, headers: bearer(token) });
    await follower.until((seen) => documentsOf(seen, 'urn:r80:followed').length > 0);
    expect(documentsOf(follower, 'urn:r80:followed')).toEqual(documents);
  });

  it('R80: what has not changed need not be sent again', async () => {
    // Those of the tests before have gone, and all that has been told.
    await observer.until((stream) => whoIsThere(stream).length === 1);
    const { headers } = await api('/exact/urn%3Ar80');
    for (const tag of [headers.etag ?? '', `"other", W/${headers.etag}`, '*']) {
      const answer = await api('/exact/urn%3Ar80', { headers: { 'if-none-match': tag } });
      expect(answer).toMatchObject({ status: 304, text: '', headers: { etag: headers.etag, link: headers.link } });
    }
    expect((await api('/exact/urn%3Ar80', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('R80: pages of other origins may read the link', async () => {
    const { headers } = await api('', { headers: { origin: 'https://app.example' } });
    expect(headers['access-control-allow-origin']).toBe('https://app.example');
    expect(headers['access-control-expose-headers']?.toLowerCase().split(/, ?/)).toContain('link');
  });

  it('R80: where nothing was ever published it says earliest', async () => {
    await using silent = await startHub({ HERALD_SUBSCRIPTIONS: 'true' });
    const { headers } = await ask(silent, { path: PATH, token });
    expect(headers.link).toContain('last-event-id="earliest"');
  });
});
