import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { openStream, send, textOf } from '../support/event-stream.js';
import { type Herald } from '../support/herald.js';
import { HUB, startHub, subscriberToken } from '../support/hub.js';
import { Nginx } from '../support/nginx.js';
import { describeWith, nginx } from '../support/programs.js';

const DOCUMENT = readFileSync(new URL('../../docs/proxies.md', import.meta.url), 'utf8');

/** The configuration that the document shows, in front of this hub. */
function documented({ port }: Herald): string {
  const [, text = ''] = /```nginx\n([^]*?)```/.exec(DOCUMENT) ?? [];
  return text.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`);
}

/** As long as a topic may be, in characters that take the most room in a path. */
const LONGEST = '\u00e9'.repeat(2_048);

interface Listed {
  readonly subscriptions: readonly { readonly id: string; readonly match: string }[];
}

describeWith(nginx, 'behind nginx', (program) => {
  it('a subscription to the longest topic is found by the id that the list gave, and by its topic', async () => {
    await using hub = await startHub({ HERALD_SUBSCRIPTIONS: 'true' });
    await using proxy = await Nginx.start({ program, server: documented(hub) });
    await using stream = await openStream(`${proxy.url}${HUB}?match=${encodeURIComponent(LONGEST)}`);
    expect(stream.response.statusCode).toBe(200);
    const headers = { authorization: `Bearer ${await subscriberToken()}` };
    const list = JSON.parse(await textOf(await send(`${proxy.url}${HUB}/subscriptions`, { headers }))) as Listed;
    const listed = list.subscriptions.find(({ match }) => match === LONGEST);
    const one = await send(proxy.url + String(listed?.id), { headers });
    expect([one.statusCode, JSON.parse(await textOf(one))]).toEqual([200, listed]);
    const path = `${HUB}/subscriptions/exact/${encodeURIComponent(LONGEST)}`;
    const all = await send(proxy.url + path, { headers });
    expect([all.statusCode, JSON.parse(await textOf(all))]).toMatchObject([200, { subscriptions: [listed] }]);
  });

  it('a head as large as Herald takes comes through, in one line or in several', async () => {
    await using hub = await startHub();
    await using proxy = await Nginx.start({ program, server: documented(hub) });
    const topics = Array.from({ length: 250 }, (_, at) => ['match', `urn:${at}:`.padEnd(200, 'x')]);
    const query = new URLSearchParams(topics).toString();
    expect(query.length).toBeGreaterThan(50 * 1024);
    await using stream = await openStream(`${proxy.url}${HUB}?${query}`);
    expect(stream.response.statusCode).toBe(200);
    const cookies = ['a', 'b', 'c'].map((name) => `${name}=${'x'.repeat(19_000)}`);
    await using other = await openStream(`${proxy.url}${HUB}?match=urn:a`, { headers: { cookie: cookies } });
    expect(other.response.statusCode).toBe(200);
  });
});

describe('the path of a subscription', () => {
  it.each([
    ['101 characters', 'x'.repeat(101)],
    ['the most bytes that a topic may have', LONGEST],
    ['the most characters that a topic may have', `https://example.com/${'a'.repeat(4_076)}`],
  ])('may name a topic with %s', async (_, topic) => {
    await using hub = await startHub({ HERALD_SUBSCRIPTIONS: 'true' });
    await using stream = await openStream(`${hub.url}${HUB}?match=${encodeURIComponent(topic)}`);
    expect(stream.response.statusCode).toBe(200);
    const headers = { authorization: `Bearer ${await subscriberToken()}` };
    const path = `${HUB}/subscriptions/exact/${encodeURIComponent(topic)}`;
    const answer = await send(hub.url + path, { headers });
    const { subscriptions } = JSON.parse(await textOf(answer)) as Listed;
    expect(subscriptions.map(({ match }) => match)).toEqual([topic]);
    const one = await send(hub.url + String(subscriptions[0]?.id), { headers });
    expect(one.statusCode).toBe(200);
    one.resume();
  });

  it('that is longer names nothing', async () => {
    await using hub = await startHub({ HERALD_SUBSCRIPTIONS: 'true' });
    const headers = { authorization: `Bearer ${await subscriberToken()}` };
    const answer = await send(`${hub.url}${HUB}/subscriptions/exact/${'x'.repeat(4_097)}`, { headers });
    expect([answer.statusCode, JSON.parse(await textOf(answer))]).toMatchObject([404, { code: 'not-found' }]);
  });
});
