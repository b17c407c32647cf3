import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  HUB,
  legacyToken,
  noticesOf,
  Publisher,
  startHub,
  subscribe,
  subscriberToken,
  updatesOf,
} from '../support/hub.js';
import { ask, bearer, post } from './hub-client.js';

describe('the 0.x dialect', () => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub({ HERALD_LEGACY: 'true', HERALD_SUBSCRIPTIONS: 'true', HERALD_SUBSCRIPTIONS_GRACE: '0' });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald.kill();
  });

  async function replayed(query: string, headers: Record<string, string> = {}): Promise<string[]> {
    await using stream = await subscribe(herald, { query, headers });
    await stream.until((one) => noticesOf(one).some(({ type }) => type === 'caught-up'));
    return updatesOf(stream).map(({ data }) => data);
  }

  it('R22: selects by topic, by URI Template, and by *', async () => {
    const start = await publisher.publish({ topic: 'urn:start' });
    const topics = [
      'https://l.example/books/1',
      'https://l.example/books/1/2',
      'https://l.example/a?q=x',
      'urn:l:{id}',
    ];
    for (const topic of topics) await publisher.publish({ topic, data: topic });
    const select = (...selectors: string[]) =>
      replayed(`${selectors.map((one) => `topic=${encodeURIComponent(one)}`).join('&')}&lastEventID=${start}`);
    expect(await select('https://l.example/books/{id}')).toEqual([topics[0]]);
    expect(await select('https://l.example/books{/path*}')).toEqual(topics.slice(0, 2));
    expect(await select('https://l.example/a{?q}', 'urn:l:{id}')).toEqual(topics.slice(2));
    expect(await select('*')).toEqual(topics);
  });

  it('R65: resumes by lastEventID, and tells by the header of its time', async () => {
    const first = await publisher.publish({ topic: 'urn:l65', data: '1' });
    await publisher.publish({ topic: 'urn:l65', data: '2' });
    expect(await replayed(`topic=urn:l65&lastEventID=${first}`)).toEqual(['2']);
    const { headers } = await ask(herald, { method: 'HEAD', path: `?topic=urn:l65&lastEventID=${first}` });
    expect(headers['last-event-id']).toBe(first);
    expect(headers['mercure-last-event-id']).toBeUndefined();
  });

  it('R60: publishes with the mercure claim, which every topic must be in', async () => {
    const token = await legacyToken('publisher', { publish: ['https://l.example/{id}', 'urn:l'] });
    expect((await post(herald, token, 'topic=https://l.example/1&topic=urn:l')).status).toBe(200);
    expect((await post(herald, token, 'topic=https://l.example/1/2')).status).toBe(403);
    expect((await post(herald, await legacyToken('publisher', {}), 'topic=urn:l')).status).toBe(403);
  });

  it('R41: takes the claim under its namespaced name too', async () => {
    const token = await legacyToken(
      'publisher',
      {},
      { mercure: undefined, 'https://mercure.rocks/': { publish: ['*'] } },
    );
    expect((await post(herald, token, 'topic=urn:l')).status).toBe(200);
  });

  it('R42, R43: takes tokens from header, query and cookie, in that order', async () => {
    const start = await publisher.publish({ topic: 'urn:l43', data: 'start' });
    await publisher.publish({ topic: 'urn:l43', data: 'secret', private: 'on' });
    const query = `topic=urn:l43&lastEventID=${start}`;
    const [good, poor] = [
      await legacyToken('subscriber', { subscribe: ['*'] }),
      await legacyToken('subscriber', { subscribe: [] }),
    ];
    expect(await replayed(query, { cookie: `mercureAuthorization=${good}` })).toEqual(['secret']);
    expect(await replayed(`${query}&authorization=${good}`)).toEqual(['secret']);
    expect(await replayed(`${query}&authorization=${good}`, { cookie: `mercureAuthorization=${poor}` })).toEqual([
      'secret',
    ]);
    expect(await replayed(`${query}&authorization=${good}`, bearer(poor))).toEqual([]);
  });

  it('R54: needs no expiry, and keeps the one that is there', async () => {
    const expired = await legacyToken('publisher', { publish: ['*'] }, { exp: 1 });
    expect((await post(herald, expired, 'topic=urn:l')).status).toBe(401);
    const exp = Math.ceil(Date.now() / 1000) + 2;
    const token = await legacyToken('subscriber', { subscribe: ['*'] }, { exp });
    await using stream = await subscribe(herald, { query: 'topic=*', headers: bearer(token) });
    expect(await stream.ended).toBe(true);
    expect(noticesOf(stream)).toEqual([{ type: 'expired' }]);
  });

  it('R53: wants the right key all the same', async () => {
    const token = await legacyToken('subscriber', { publish: ['*'] });
    expect((await post(herald, token, 'topic=urn:l')).status).toBe(401);
  });

  it('R51, R12: leaves requests of the current protocol as strict as they are', async () => {
    const token = await legacyToken('subscriber', { subscribe: ['*'] });
    expect((await ask(herald, { path: '?match=urn:a', headers: bearer(token) })).status).toBe(401);
    expect((await ask(herald, { path: '?topic=urn:a&matchfoo=b' })).status).toBe(400);
    const start = await publisher.publish({ topic: 'urn:l12', data: 'start' });
    await publisher.publish({ topic: 'urn:l12', data: 'x' });
    expect(await replayed(`match=urn:l12&last_event_id=${start}`, bearer(await subscriberToken()))).toEqual(['x']);
  });

  it('does not exist where it is not switched on', async () => {
    await using strict = await startHub();
    expect((await ask(strict, { path: '?topic=urn:a' })).status).toBe(400);
    expect((await post(strict, await legacyToken('publisher', { publish: ['*'] }), 'topic=urn:a')).status).toBe(401);
    const token = await legacyToken('subscriber', { subscribe: ['*'] });
    const headers = { cookie: `mercureAuthorization=${token}` };
    expect((await ask(strict, { method: 'HEAD', path: '?match=a', headers })).status).toBe(200);
  });

  it('R72, R75, R79: tells who is subscribed in JSON-LD', async () => {
    const token = await legacyToken('subscriber', { subscribe: ['*'], payload: { name: 'ann' } });
    const template = encodeURIComponent(`${HUB}/subscriptions/{topic}/{subscriber}`);
    await using watcher = await subscribe(herald, { query: `topic=${template}`, headers: bearer(token) });
    const documentsOf = (stream: EventStream) =>
      stream.events
        .filter(({ event }) => event === undefined)
        .map(({ data }) => JSON.parse(data) as Record<string, unknown>)
        .filter(({ topic }) => topic === 'urn:l72');
    await using _reading = await subscribe(herald, { query: 'topic=urn:l72', headers: bearer(token) });
    await watcher.until((stream) => documentsOf(stream).length === 1);
    const [document] = documentsOf(watcher);
    expect(document).toMatchObject({
      '@context': 'https://mercure.rocks/',
      type: 'Subscription',
      topic: 'urn:l72',
      active: true,
      payload: { name: 'ann' },
    });
    const answer = await ask(herald, { path: '/subscriptions/urn%3Al72', headers: bearer(token) });
    expect(answer.headers['content-type']).toBe('application/ld+json; charset=utf-8');
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'Subscriptions',
      lastEventID: expect.stringMatching(/^urn:uuid:/),
      subscriptions: [document],
    });
  });
});
