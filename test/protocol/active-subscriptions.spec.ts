import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, Publisher, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { type Answer, ask, bearer } from './hub-client.js';

interface Document {
  readonly id: string;
  readonly type: string;
  readonly match_type: string;
  readonly match: string;
  readonly subscriber: string;
  readonly active: boolean;
  readonly payload?: object;
}

function documentsOf(stream: EventStream): Document[] {
  return stream.events.filter(({ event }) => event === 'mercure').map(({ data }) => JSON.parse(data) as Document);
}

describe('active subscriptions', () => {
  let herald: Herald;
  let admin: Record<string, string>;

  beforeAll(async () => {
    herald = await startHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '300ms' });
    admin = bearer(await subscriberToken());
  });
  afterAll(() => herald.kill());

  /** What is told of who subscribes to `match`. */
  function watch(match: string): Promise<EventStream> {
    const pattern = `${HUB}/subscriptions/:type/${encodeURIComponent(encodeURIComponent(match))}/:who`;
    return subscribe(herald, { query: `match_urlpattern=${pattern}`, headers: admin });
  }

  async function reader(match: string, subject: string, headers: Record<string, string> = {}): Promise<EventStream> {
    const token = await subscriberToken({ subject, topics: [{ match }], payload: { name: subject } });
    return subscribe(herald, { query: `match=${match}`, headers: { ...bearer(token), ...headers } });
  }

  const api = (path: string, headers: Record<string, string> = admin): Promise<Answer> =>
    ask(herald, { path: `/subscriptions${path}`, headers });

  it('R72, R75, R76: tells when somebody subscribes and when they have gone', async () => {
    await using watcher = await watch('urn:r72');
    const ann = await reader('urn:r72', 'ann');
    await watcher.until((stream) => documentsOf(stream).length === 1);
    await ann[Symbol.asyncDispose]();
    await watcher.until((stream) => documentsOf(stream).length === 2);
    const [come, gone] = documentsOf(watcher);
    expect(come).toEqual({
      id: `${HUB}/subscriptions/exact/urn%3Ar72/${encodeURIComponent(come?.subscriber ?? '')}`,
      type: 'subscription',
      match_type: 'exact',
      match: 'urn:r72',
      subscriber: expect.stringMatching(/^urn:uuid:/),
      active: true,
      payload: { name: 'ann' },
    });
    expect(gone).toEqual({ ...come, active: false });
  });

  it('R73: encodes each part of the topic once', async () => {
    const match = encodeURIComponent('https://example.com/a b/%2F');
    await using _reading = await subscribe(herald, { query: `match=${match}`, headers: admin });
    const { text } = await api('');
    expect(text).toContain(`${HUB}/subscriptions/exact/https%3A%2F%2Fexample.com%2Fa%20b%2F%252F/`);
  });

  it('R74: gives each connection a name of its own, the same for all its matchers', async () => {
    await using _first = await subscribe(herald, { query: 'match=urn:r74:a&match=urn:r74:b', headers: admin });
    await using _second = await subscribe(herald, { query: 'match=urn:r74:a', headers: admin });
    const { subscriptions } = JSON.parse((await api('')).text) as { subscriptions: Document[] };
    const names = (match: string) =>
      subscriptions.filter((one) => one.match === match).map(({ subscriber }) => subscriber);
    expect(new Set(names('urn:r74:a')).size).toBe(2);
    expect(names('urn:r74:a')).toContain(names('urn:r74:b')[0]);
  });

  it('R76, R3: tells nobody who may not know', async () => {
    await using stranger = await subscribe(herald, { query: 'match=*' });
    await using watcher = await watch('urn:r76');
    await using _ann = await reader('urn:r76', 'ann');
    await watcher.until((stream) => documentsOf(stream).length === 1);
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: 'urn:any', data: 'end' });
    await stranger.until(({ events }) => events.length > 0);
    expect(documentsOf(stranger)).toEqual([]);
  });

  it('does not flap when a connection breaks and is resumed within the grace period', async () => {
    await using watcher = await watch('urn:lease');
    const first = await reader('urn:lease', 'bob');
    await watcher.until((stream) => documentsOf(stream).length === 1);
    await first[Symbol.asyncDispose]();
    const second = await reader('urn:lease', 'bob', { 'last-event-id': 'earliest' });
    // Somebody else is somebody else, also at the same topic and resuming.
    await using _eve = await reader('urn:lease', 'eve', { 'last-event-id': 'earliest' });
    await watcher.until((stream) => documentsOf(stream).length === 2);
    await second[Symbol.asyncDispose]();
    await watcher.until((stream) => documentsOf(stream).length === 3);
    const [come, other, gone] = documentsOf(watcher);
    expect(other?.subscriber).not.toBe(come?.subscriber);
    expect(gone).toMatchObject({ subscriber: come?.subscriber, active: false });
  });

  it('R63: gives the payload of the first detail that matches the matcher', async () => {
    const details = [
      { match: 'urn:r63', payload: { first: true } },
      { match: '*', payload: { second: true } },
    ].map(({ match, payload }) => ({
      type: 'https://mercure.rocks/authorization-detail',
      actions: ['subscribe'],
      topics: [{ match }],
      payload,
    }));
    const token = await subscriberToken({ claims: { authorization_details: details } });
    await using _reading = await subscribe(herald, { query: 'match=urn:r63&match=urn:r63:x', headers: bearer(token) });
    const { subscriptions } = JSON.parse((await api('')).text) as { subscriptions: Document[] };
    const payloadOf = (match: string) => subscriptions.find((one) => one.match === match)?.payload;
    expect(payloadOf('urn:r63')).toEqual({ first: true });
    expect(payloadOf('urn:r63:x')).toEqual({ second: true });
  });

  it('R77, R79: answers for all, for one matcher, and for one subscription', async () => {
    await using _reading = await reader('urn:r77', 'ann');
    const all = await api('');
    expect(all.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(all.text)).toMatchObject({ id: `${HUB}/subscriptions`, type: 'subscriptions' });
    const some = JSON.parse((await api('/exact/urn%3Ar77')).text) as { id: string; subscriptions: Document[] };
    expect(some.id).toBe(`${HUB}/subscriptions/exact/urn%3Ar77`);
    expect(some.subscriptions).toHaveLength(1);
    const [one] = some.subscriptions;
    expect(
      JSON.parse((await ask(herald, { path: `/${one?.id}`.replace(`/${HUB}`, ''), headers: admin })).text),
    ).toEqual(one);
    expect((await api('/exact/urn%3Ar77/urn%3Auuid%3Anobody')).status).toBe(404);
    expect((await api('/regexp/urn%3Ar77')).status).toBe(400);
  });

  it('R78: asks for a grant on the very path', async () => {
    const grant = async (match: string) => bearer(await subscriberToken({ topics: [{ match }] }));
    expect((await api('/exact/urn%3Ar78', await grant(`${HUB}/subscriptions/exact/urn%3Ar78`))).status).toBe(200);
    expect((await api('', await grant(`${HUB}/subscriptions/exact/urn%3Ar78`))).status).toBe(403);
    expect((await api('?x=1', await grant(`${HUB}/subscriptions`))).status).toBe(200);
    expect((await api('', {})).status).toBe(401);
  });

  it('R80: says how far it is true, so that it can be followed from there', async () => {
    using publisher = await Publisher.of(herald);
    const id = await publisher.publish({ topic: 'urn:r80' });
    const { headers } = await api('');
    expect(headers['link']).toBe(
      `<${HUB}>; rel="mercure"; last-event-id="${id}"; type="mercure"; content-type="application/json"`,
    );
    expect(headers.etag).toBe(`"${id}"`);
    for (const tag of [headers.etag ?? '', `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
      expect(await api('', { ...admin, 'if-none-match': tag })).toMatchObject({ status: 304, text: '' });
    }
  });

  it('R72, R77: has nothing to tell where it is not switched on', async () => {
    await using other = await startHub();
    expect((await ask(other, { path: '/subscriptions', headers: admin })).status).toBe(404);
    const { text } = await ask(other, { path: '//.well-known/oauth-protected-resource/.well-known/mercure' });
    expect(JSON.parse(text)).toMatchObject({ mercure_subscriptions: false });
  });
});
