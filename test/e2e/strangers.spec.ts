import { describe, expect, it } from '@jest/globals';
import { askAdmin } from '../support/admin.js';
import { EventStream, openStream, send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  ADMIN_KEY,
  HUB,
  noticesOf,
  Publisher,
  startHub,
  subscribe,
  subscriberToken,
  updatesOf,
} from '../support/hub.js';

/** Regular expressions that take long to match, for a topic of these characters. */
function costly(count: number): string {
  return Array.from(
    { length: count },
    (_, one) => `match_urlpattern=${encodeURIComponent(`/(.*a.{60}(?:z${one})?b)`)}`,
  ).join('&');
}

const TOPIC = `https://hub.example/${'ab'.repeat(200)}`;

function batch(count: number, topic: string): string {
  return Array.from({ length: count }, (_, line) => JSON.stringify({ topic, data: String(line) })).join('\n');
}

async function publishBatch(publisher: Publisher, count: number, topic: string): Promise<string[]> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const answer = await textOf(await publisher.post(batch(count, topic), headers, `${HUB}/batch`));
  return answer
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
}

describe('what strangers ask for', () => {
  it('is refused before it is read where there is no room for another stream', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1' });
    await using _first = await subscribe(herald, { query: 'match=urn:t' });
    // Were these matchers read, the answer would be 400.
    await using second = await openStream(`${herald.url}${HUB}?match_urlpattern=(&last=nonsense`);
    await second.ended;
    expect([second.response.statusCode, noticesOf(second)]).toEqual([200, [{ type: 'overloaded' }]]);
  });

  it('is looked for beside other work, and in order: patterns that take long to match', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await using slow = await subscribe(herald, { query: `${costly(15)}&match=urn:also&match_urlpattern=/*b1` });
    await using quick = await subscribe(herald, { query: 'match=urn:also' });
    const expected: string[] = [];
    for (let number = 0; number < 40; number += 1) {
      await publisher.publish({ topic: `${TOPIC}${number}c` });
      if (number % 10 === 1) expected.push(await publisher.publish({ topic: `${TOPIC}${number}/b1`, data: 'x' }));
      expected.push(await publisher.publish({ topic: 'urn:also', data: String(number) }));
    }
    await quick.until((stream) => updatesOf(stream).length === 40);
    await slow.until((stream) => updatesOf(stream).length === expected.length);
    expect(updatesOf(slow).map(({ id }) => id)).toEqual(expected);
    // Who comes back, and who begins with the past or with the newest, gets the same.
    for (const from of ['last_event_id=earliest', 'last=1000']) {
      await using late = await subscribe(herald, {
        query: `${costly(15)}&match=urn:also&match_urlpattern=/*b1&${from}`,
      });
      await late.until((stream) => updatesOf(stream).length === expected.length);
      expect(updatesOf(late).map(({ id }) => id)).toEqual(expected);
    }
  });

  it('tells no id of an update that they may not read', async () => {
    await using herald = await startHub({ HERALD_LEGACY: 'true' });
    using publisher = await Publisher.of(herald);
    const id = await publisher.publish({ topic: 'urn:t', data: 'secret', private: 'on' });
    for (const query of ['match=urn:t', 'match=urn:other', 'topic=urn:t']) {
      for (const from of ['', '&last_event_id=', '&last=5', '&last_event_id=earliest', '&last_event_id=unknown']) {
        await using stream = await subscribe(herald, { query: query + from });
        await stream.until(({ retries }) => retries.length > 0);
        const { headers } = stream.response;
        const told = String(headers['mercure-last-event-id'] ?? headers['last-event-id'] ?? '');
        expect([query + from, told.replace(/:.*/, '')]).toEqual([
          query + from,
          expect.stringMatching(/^(|earliest|herald-cursor)$/),
        ]);
        expect(JSON.stringify(headers) + stream.text).not.toContain(id);
      }
    }
  });

  it('does not keep others waiting: a batch lets other publications in between its lines', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await using stream = await subscribe(herald, { query: 'match=urn:batch&match=urn:single' });
    const batched = publishBatch(publisher, 10_000, 'urn:batch');
    await stream.until((seen) => updatesOf(seen).length > 0);
    const single = await publisher.publish({ topic: 'urn:single', data: 'x' });
    const ids = await batched;
    await stream.until((seen) => updatesOf(seen).length === 10_001);
    const seen = updatesOf(stream).map(({ id }) => id);
    expect(seen.indexOf(single)).toBeLessThan(10_000);
    expect(seen.filter((id) => id !== single)).toEqual(ids);
  });
});

it('is answered in pages of bytes: who is subscribed, and who is connected', async () => {
  await using herald = await startHub({ HERALD_SUBSCRIPTIONS: 'true', HERALD_ADMIN_KEY: ADMIN_KEY });
  const topics = Array.from({ length: 900 }, (_, one) => ['match', `urn:${one}:${'x'.repeat(100)}`]);
  const body = new URLSearchParams(topics).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const streams: EventStream[] = [];
  for (let count = 0; count < 4; count += 1) {
    const response = await send(herald.url + HUB, { method: 'QUERY', headers }, body);
    streams.push(new EventStream(response));
  }
  const authorization = `Bearer ${await subscriberToken()}`;
  await untilListed(herald, authorization, streams.length);
  const connected: number[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const { body: page } = await askAdmin(herald, 'GET', `connections?limit=1000&after=${after}`);
    expect(JSON.stringify(page).length).toBeLessThan(1_000_000);
    const { connections, next } = page as { connections: { id: number }[]; next?: number };
    connected.push(...connections.map(({ id }) => id));
    after = next;
  }
  expect(new Set(connected).size).toBe(streams.length);
  for (const stream of streams) await stream[Symbol.asyncDispose]();
});

/** Resolves once so many subscribers are listed, which takes several pages. */
async function untilListed(herald: Herald, authorization: string, count: number): Promise<void> {
  for (let found = new Set<string>(), next = `${HUB}/subscriptions`; found.size < count;) {
    const response = await send(herald.url + next, { headers: { authorization } });
    const text = await textOf(response);
    expect(text.length).toBeLessThan(1_000_000);
    const { subscriptions } = JSON.parse(text) as { subscriptions: { subscriber: string }[] };
    for (const { subscriber } of subscriptions) found.add(subscriber);
    next = /<([^>]+)>; rel="next"/.exec(String(response.headers.link))?.[1] ?? `${HUB}/subscriptions`;
  }
}
