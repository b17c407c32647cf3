import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  HUB,
  noticesOf,
  Publisher,
  publisherToken,
  RESOURCE,
  startHub,
  subscribe,
  subscriberToken,
  updatesOf,
} from '../support/hub.js';
import { ask, bearer, post } from './hub-client.js';

const ALLOWED = 'https://app.example';

describe('subscribing', () => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub({ HERALD_HEARTBEAT: '100ms', HERALD_CORS_ORIGINS: ALLOWED });
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald.kill();
  });

  /** Which of these topics a subscription with this query gets. */
  async function matched(query: string, topics: readonly string[]): Promise<string[]> {
    await using stream = await subscribe(herald, { query: `${query}&match=urn:end-of-test` });
    for (const topic of topics) await publisher.publish({ topic, data: topic });
    await publisher.publish({ topic: 'urn:end-of-test', data: 'end' });
    await stream.until(({ events }) => events.some(({ data }) => data === 'end'));
    return updatesOf(stream)
      .map(({ data }) => data)
      .filter((data) => data !== 'end');
  }

  it.each([
    ['R12', 'a mistyped matcher', '?matchfoo=a'],
    ['R12', 'a matcher in capitals', '?Match=a'],
    ['R12, R22', 'a registered type that is not supported', '?match_regexp=a'],
    ['R13', 'a control character in a matcher', '?match=a%00'],
    ['R13', 'a matcher that is not UTF-8', '?match=%FF'],
    ['R13', 'a malformed URL Pattern', '?match_urlpattern=https://a.example/%7B'],
    ['R15', 'more matchers than the limit', `?${Array.from({ length: 101 }, (_, i) => `match=${i}`).join('&')}`],
    ['R15', 'a pattern above the limit', `?match=${'x'.repeat(4097)}`],
    ['R9', 'no matcher at all', '?last_event_id=x'],
    ['R22', 'the selector of another dialect', '?topic=urn:a'],
  ])('%s: refuses %s with 400', async (_, __, path) => {
    expect((await ask(herald, { path })).status).toBe(400);
  });

  it('R5: streams text/event-stream on GET, and on HEAD only says so', async () => {
    await using stream = await subscribe(herald, { query: 'match=*' });
    expect(stream.response.headers['content-type']).toBe('text/event-stream');
    expect(await ask(herald, { method: 'HEAD', path: '?match=*' })).toMatchObject({ status: 200, text: '' });
  });

  it('R6: takes a form in the body of a QUERY, and nothing else', async () => {
    const query = (type: string | undefined) =>
      ask(herald, { method: 'QUERY', headers: type ? { 'content-type': type } : {}, body: 'match=a' });
    expect((await query('application/json')).status).toBe(415);
    expect((await query(undefined)).status).toBe(400);
  });

  it('R7: subscribes to the query and the body together; the cursor of the query wins over the body’s', async () => {
    const [first, second] = [
      await publisher.publish({ topic: 'urn:r7:a', data: '1' }),
      await publisher.publish({ topic: 'urn:r7:b', data: '2' }),
    ];
    const response = await send(
      `${herald.url}${HUB}?match=urn:r7:a&last_event_id=${first}`,
      { method: 'QUERY', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      `match=urn:r7:b&last_event_id=${second}`,
    );
    await using stream = new EventStream(response);
    expect(response.headers['mercure-last-event-id']).toBe(first);
    await stream.until((one) => noticesOf(one).length > 0);
    expect(updatesOf(stream).map(({ id }) => id)).toEqual([second]);
  });

  it('R9, R14: takes several matchers of all types', async () => {
    const topics = ['urn:r9:a', 'urn:r9:b', 'https://r9.example/x', 'urn:r9:c'];
    const query = 'match=urn:r9:a&match_exact=urn:r9:b&match_urlpattern=https://r9.example/:id';
    expect(await matched(query, topics)).toEqual(topics.slice(0, 3));
  });

  it('R10: gives nobody a private update for matching it', async () => {
    await using stream = await subscribe(herald, { query: 'match=*' });
    await publisher.publish({ topic: 'urn:r10', data: 'secret', private: 'on' });
    await publisher.publish({ topic: 'urn:r10', data: 'public' });
    await stream.until(({ events }) => events.length > 0);
    expect(stream.text).not.toContain('secret');
  });

  it('R61: gives a private update to who may read one of its topics, whichever it was matched by', async () => {
    const query = 'match=urn:r61:a';
    const reader = async (match: string) =>
      subscribe(herald, { query, headers: bearer(await subscriberToken({ topics: [{ match }] })) });
    await using byOther = await reader('urn:r61:b');
    await using byNone = await reader('urn:r61:c');
    await publisher.publish({ topic: ['urn:r61:a', 'urn:r61:b'], data: 'secret', private: 'on' });
    await publisher.publish({ topic: 'urn:r61:a', data: 'end' });
    for (const stream of [byOther, byNone]) {
      await stream.until(({ events }) => events.some(({ data }) => data === 'end'));
    }
    expect(updatesOf(byOther).map(({ data }) => data)).toEqual(['secret', 'end']);
    expect(updatesOf(byNone).map(({ data }) => data)).toEqual(['end']);
  });

  it('R11: takes a name without a value for an empty one, and a plus sign for a space', async () => {
    expect(await matched('match=urn:r11+x&match', ['urn:r11 x'])).toEqual(['urn:r11 x']);
  });

  it('R18: names the one origin that is allowed, with credentials, and no other', async () => {
    const headers = (origin: string) => ({ origin });
    const allowed = await ask(herald, { method: 'HEAD', path: '?match=a', headers: headers(ALLOWED) });
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': ALLOWED,
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': expect.stringMatching(/Mercure-Last-Event-ID.*WWW-Authenticate/),
    });
    const other = await ask(herald, { method: 'HEAD', path: '?match=a', headers: headers('https://evil.example') });
    expect(other.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('R19: writes a comment when there is nothing else to say', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:r19' });
    await stream.until(({ comments }) => comments.length > 1);
    expect(stream.events).toEqual([]);
  });

  it('R22, R84: supports exact and urlpattern, and says so', async () => {
    const { text } = await ask(herald, { path: '//.well-known/oauth-protected-resource/.well-known/mercure' });
    expect(JSON.parse(text)).toMatchObject({ mercure_matcher_types_supported: ['exact', 'urlpattern'] });
  });

  it('R23: takes * for every topic, whatever the type that it comes under', async () => {
    expect(await matched('match_urlpattern=*', ['urn:r23'])).toEqual(['urn:r23']);
    expect(await matched('match=*', ['no url at all'])).toEqual(['no url at all']);
  });

  it('R24: compares exact topics byte for byte', async () => {
    // The same letter in one code point and in two.
    const [composed, decomposed] = ['/r24/\u00e9', '/r24/e\u0301'];
    const topics = [
      'https://r24.example/A',
      'https://r24.example/a/../A',
      'https://R24.example/A',
      composed,
      decomposed,
    ];
    const query = `match=https://r24.example/A&match=${encodeURIComponent(composed)}`;
    expect(await matched(query, topics)).toEqual([topics[0], composed]);
  });

  it('R25: resolves relative patterns and topics against the hub, and minds case but for hosts', async () => {
    const { origin } = new URL(RESOURCE);
    const topics = ['/r25/x', `${origin}/r25/y`, `${origin.toUpperCase()}/r25/z`, `${origin}/R25/x`];
    expect(await matched('match_urlpattern=/r25/:id', topics)).toEqual(topics.slice(0, 3));
  });

  it('R26: matches no pattern with a topic that is no URL', async () => {
    expect(await matched('match_urlpattern=https://*/*', ['https://['])).toEqual([]);
  });

  it('R27: is not held up by a pattern that backtracks for ever elsewhere', async () => {
    const start = performance.now();
    const pattern = encodeURIComponent('https://r27.example/:x((?:a+)+)');
    const topics = [`https://r27.example/${'a'.repeat(3000)}!`, 'https://r27.example/aaa'];
    expect(await matched(`match_urlpattern=${pattern}`, topics)).toEqual([topics[1]]);
    // Where it does backtrack, thirty characters take minutes.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('R15: subscribes once to what is asked for twice', async () => {
    expect(await matched('match=urn:r15&match=urn:r15', ['urn:r15'])).toEqual(['urn:r15']);
  });

  it('post-snapshot: answers 406 to who accepts no event stream', async () => {
    const accept = (value: string) => ask(herald, { method: 'HEAD', path: '?match=a', headers: { accept: value } });
    expect((await accept('application/json')).status).toBe(406);
    expect((await accept('text/event-stream;q=0, */*')).status).toBe(406);
    expect((await accept('text/*')).status).toBe(200);
    expect((await accept('???')).status).toBe(200);
  });

  it('answers 405 with what is allowed', async () => {
    const answer = await ask(herald, { method: 'PUT' });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST', 'QUERY']);
  });

  it('R16, R59: tells who has too many connections, in a way that no client takes for the end', async () => {
    await using limited = await startHub({ HERALD_MAX_CONNECTIONS_PER_ADDRESS: '1' });
    await using first = await subscribe(limited, { query: 'match=*' });
    await using second = await subscribe(limited, { query: 'match=*' });
    expect(await second.ended).toBe(true);
    expect(noticesOf(second)).toEqual([{ type: 'overloaded' }]);
    await post(limited, await publisherToken(), 'topic=urn:a&data=x');
    await first.until(({ events }) => events.length > 0);
  });
});
