import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import {
  form,
  HUB,
  noticesOf,
  publisherToken,
  startHub,
  subscribe,
  subscriberToken,
  type TokenMatcher,
} from '../support/hub.js';
import { DIALECTS, startBilingualHub } from './dialects.js';
import { ask, bearer, challenge, dataOfUntilEnd, endOf, publish, publishEnd, withEnd } from './exchange.js';

const DETAIL = 'https://mercure.rocks/authorization-detail';

const INVALID = { status: 401, code: 'token-invalid', challenge: challenge('invalid_token') };
const INSUFFICIENT = { status: 403, code: 'insufficient-scope', challenge: challenge('insufficient_scope') };

describe.each(DIALECTS)('what a token allows in the $dialect dialect', ({ parameter, publisher, subscriber }) => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startBilingualHub({ LOG_LEVEL: 'debug' });
    token = await publisher();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('R3: a private update goes to those only who may read it', async () => {
    const query = withEnd(`${parameter}=*`, parameter);
    const [mine, yours] = await Promise.all([subscriber(['urn:r3:mine']), subscriber(['urn:r3:yours'])]);
    await using anonymous = await subscribe(herald, { query });
    await using one = await subscribe(herald, { query, headers: bearer(mine) });
    await using other = await subscribe(herald, { query, headers: bearer(yours) });
    await publish(herald, { topic: 'urn:r3:mine', data: 'mine', private: 'on' }, token);
    await publish(herald, { topic: 'urn:r3:yours', data: 'yours', private: 'on' }, token);
    await publish(herald, { topic: 'urn:r3:mine', data: 'public' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(anonymous)).toEqual(['public']);
    expect(await dataOfUntilEnd(one)).toEqual(['mine', 'public']);
    expect(await dataOfUntilEnd(other)).toEqual(['yours', 'public']);
  });

  it('R56: the wildcard grants every topic, and no topic grants none', async () => {
    expect((await publish(herald, { topic: 'https://example.com/any' }, token)).status).toBe(200);
    const limited = await publisher(['urn:r56']);
    expect((await publish(herald, { topic: 'urn:r56' }, limited)).status).toBe(200);
    for (const topic of ['urn:r56:', 'urn:r5', 'URN:r56']) {
      expect(await publish(herald, { topic }, limited)).toMatchObject(INSUFFICIENT);
    }
  });

  it('R60: every topic of an update must be granted, or nothing is sent', async () => {
    const limited = await publisher(['urn:r60:a', 'urn:r60:b']);
    await using stream = await subscribe(herald, { query: withEnd(`${parameter}=*`, parameter) });
    expect((await publish(herald, { topic: ['urn:r60:a', 'urn:r60:b'], data: 'both' }, limited)).status).toBe(200);
    for (const topic of [['urn:r60:a', 'urn:r60:c'], ['urn:r60:c', 'urn:r60:a'], ['urn:r60:c']]) {
      expect(await publish(herald, { topic, data: 'no' }, limited)).toMatchObject(INSUFFICIENT);
    }
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['both']);
  });

  it('R61: one granted topic is enough to read, whichever topic was subscribed to', async () => {
    const reader = await subscriber(['urn:r61:granted']);
    const query = withEnd(`${parameter}=urn:r61:wanted`, parameter);
    await using stream = await subscribe(herald, { query, headers: bearer(reader) });
    await publish(herald, { topic: ['urn:r61:wanted', 'urn:r61:granted'], data: 'yes', private: 'on' }, token);
    await publish(herald, { topic: ['urn:r61:wanted', 'urn:r61:other'], data: 'not granted', private: 'on' }, token);
    await publish(herald, { topic: 'urn:r61:granted', data: 'not wanted', private: 'on' }, token);
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['yes']);
  });

  it('R62: a stream ends by the expiry of its token, and says so', async () => {
    // The hub looks at its streams once a second, from the first one's beginning on: not a moment before a look.
    const exp = Date.now() / 1_000 + 2.8;
    const reader = await subscriber(['*'], { exp });
    await using stream = await subscribe(herald, {
      query: `${parameter}=urn:r62&with=notices`,
      headers: bearer(reader),
    });
    expect(await endOf(stream)).toBe(true);
    expect(noticesOf(stream)).toEqual([{ type: 'expired' }]);
    await herald.waitForLog(/"reason":"expired"/);
    // By the hub's own clock: when the test gets to look says nothing.
    const closed = herald.logLines().find(({ reason }) => reason === 'expired');
    expect(Date.parse(String(closed?.['time']))).toBeLessThanOrEqual(exp * 1_000);
  });
});

describe('how long a stream may last', () => {
  it('R62: a stream ends after its maximum age, whatever its token', async () => {
    await using herald = await startHub({ HERALD_MAX_AGE: '500ms' });
    const token = await subscriberToken();
    await using stream = await subscribe(herald, { query: 'match=urn:r62', headers: bearer(token) });
    expect(await endOf(stream)).toBe(true);
    expect(stream.events).toEqual([]);
  });

  it('R59: there is a limit to the streams of one subject, whatever its token, and others have their own', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS_PER_SUBJECT: '1' });
    const [alice, again, bob] = await Promise.all([
      subscriberToken({ subject: 'alice' }),
      subscriberToken({ subject: 'alice', expires: '2h' }),
      subscriberToken({ subject: 'bob' }),
    ]);
    await using first = await subscribe(herald, { query: 'match=urn:a', headers: bearer(alice) });
    await using second = await subscribe(herald, { query: 'match=urn:a', headers: bearer(again) });
    expect(await endOf(second)).toBe(true);
    expect(noticesOf(second)).toEqual([{ type: 'overloaded' }]);
    await using other = await subscribe(herald, { query: 'match=urn:a', headers: bearer(bob) });
    await publish(herald, { topic: 'urn:a', data: 'x' }, await publisherToken());
    expect((await other.take(1))[0]?.data).toBe('x');
    expect((await first.take(1))[0]?.data).toBe('x');
  });
});

describe('authorization details', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub();
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  async function write(details: unknown, topic = 'urn:a'): Promise<{ status: number }> {
    const token = await publisherToken({ claims: { authorization_details: details } });
    return publish(herald, { topic }, token);
  }

  const topics = [{ match: '*' }];
  const good = { type: DETAIL, actions: ['publish'], topics };

  it.each<[string, unknown]>([
    ['no actions', { type: DETAIL, topics }],
    ['actions that are no list', { type: DETAIL, actions: 'publish', topics }],
    ['an empty list of actions', { type: DETAIL, actions: [], topics }],
    ['an action that is no string', { type: DETAIL, actions: ['publish', 1], topics }],
    ['no topics', { type: DETAIL, actions: ['publish'] }],
    ['topics that are no list', { type: DETAIL, actions: ['publish'], topics: { match: '*' } }],
    ['an empty list of topics', { type: DETAIL, actions: ['publish'], topics: [] }],
    ['a payload that is no object', { ...good, actions: ['subscribe'], payload: 'x' }],
    ['a payload that is a list', { ...good, actions: ['subscribe'], payload: [1] }],
  ])('R55: with %s reject the token', async (_, detail) => {
    expect(await write([detail])).toMatchObject(INVALID);
  });

  it('R55: actions that the hub does not know grant nothing and harm nothing', async () => {
    expect((await write([{ ...good, actions: ['dance', 'publish'] }])).status).toBe(200);
    expect(await write([{ ...good, actions: ['dance', 'Publish'] }])).toMatchObject(INSUFFICIENT);
  });

  it('R55: the type is told byte for byte, and others are ignored however they look', async () => {
    expect((await write([{ type: 'payment', actions: 7 }, { type: 8 }, null, good])).status).toBe(200);
    for (const type of [`${DETAIL}/`, DETAIL.toUpperCase(), 'https://mercure.rocks/authorization%2Ddetail']) {
      expect(await write([{ ...good, type }])).toMatchObject(INSUFFICIENT);
    }
  });

  it('R56: an action is granted by any detail that has it, on its own topics', async () => {
    const details = [
      { ...good, topics: [{ match: 'urn:a' }] },
      { ...good, actions: ['subscribe'], topics: [{ match: 'urn:b' }] },
      { ...good, topics: [{ match: 'https://example.com/:id', match_type: 'urlpattern' }] },
    ];
    expect((await write(details, 'urn:a')).status).toBe(200);
    expect((await write(details, 'https://example.com/1')).status).toBe(200);
    expect(await write(details, 'urn:b')).toMatchObject(INSUFFICIENT);
    expect(await write(details, 'https://example.com/1/2')).toMatchObject(INSUFFICIENT);
  });

  it('R56: a token without any grants nothing', async () => {
    expect(await write(undefined)).toMatchObject(INSUFFICIENT);
    expect(await write([])).toMatchObject(INSUFFICIENT);
  });

  it.each<[string, unknown]>([
    ['that are no list', good],
    ['of which one is broken', [good, { ...good, topics: [{ match: 1 }] }]],
    [
      'of which one that grants nothing here is broken',
      [good, { ...good, actions: ['dance'], topics: [{ match: 'https://example.com/(', match_type: 'urlpattern' }] }],
    ],
    [
      'of more than 100 matchers in all',
      [good, { ...good, topics: Array.from({ length: 100 }, () => ({ match: 'a' })) }],
    ],
    ['of more than 100 entries', Array.from({ length: 101 }, () => good)],
    ['with a matcher of more than 4096 bytes', [{ ...good, topics: [{ match: 'x'.repeat(4_097) }] }]],
  ])('R57: details %s reject the token', async (_, details) => {
    expect(await write(details)).toMatchObject(INVALID);
  });

  it('R57: a hundred matchers are taken', async () => {
    expect((await write([{ ...good, topics: Array.from({ length: 100 }, () => ({ match: '*' })) }])).status).toBe(200);
  });

  it.each<[string, unknown]>([
    ['a string', '*'],
    ['nothing', null],
    ['without a match', { match_type: 'exact' }],
    ['of a type that is not known', { match: '*', match_type: 'regexp' }],
    ['of a type in other letters', { match: '*', match_type: 'Exact' }],
    ['of no type', { match: '*', match_type: null }],
    ['with a control character', { match: 'a\u0000' }],
    ['with a malformed pattern', { match: 'https://example.com/(', match_type: 'urlpattern' }],
    [
      'with a pattern that can not be matched in linear time',
      {
        match: 'https://example.com/((?=a)a)',
        match_type: 'urlpattern',
      },
    ],
  ])('R58: a matcher that is %s rejects the token', async (_, matcher) => {
    expect(await write([{ ...good, topics: [{ match: '*' }, matcher] }])).toMatchObject(INVALID);
  });

  it('R22: the types of a request are those of a token', async () => {
    for (const match_type of ['exact', 'urlpattern']) {
      expect((await write([{ ...good, topics: [{ match: '*', match_type }] }])).status).toBe(200);
    }
    expect(await write([{ ...good, topics: [{ match: '*', match_type: 'uritemplate' }] }])).toMatchObject(INVALID);
  });

  it('R58: the type of a matcher is exact if it is not told', async () => {
    const details = [{ ...good, topics: [{ match: 'https://example.com/:id' }] }];
    expect((await write(details, 'https://example.com/:id')).status).toBe(200);
    expect(await write(details, 'https://example.com/1')).toMatchObject(INSUFFICIENT);
  });

  it('R25: patterns of tokens are relative to the hub’s URL', async () => {
    const details = [{ ...good, topics: [{ match: '/books/:id', match_type: 'urlpattern' }] }];
    for (const topic of ['/books/1', 'https://hub.example/books/1'])
      expect((await write(details, topic)).status).toBe(200);
    expect(await write(details, 'https://example.com/books/1')).toMatchObject(INSUFFICIENT);
  });

  it('R60: a batch is judged line by line', async () => {
    const token = await publisherToken({ topics: [{ match: 'urn:mine' }] });
    const body = '{"topic":"urn:mine"}\n{"topics":["urn:mine","urn:yours"]}\n{"topic":"urn:mine"}\n';
    const headers = { 'content-type': 'application/x-ndjson' };
    const { status, text } = await ask(herald, { method: 'POST', path: `${HUB}/batch`, token, headers, body });
    expect(status).toBe(200);
    const codes = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { error?: { code: string } }).error?.code);
    expect(codes).toEqual([undefined, 'insufficient-scope', undefined]);
  });

  it('R61: a pattern in a token lets those private updates through that it matches', async () => {
    const granted: TokenMatcher[] = [{ match: 'https://example.com/users/7/*', match_type: 'urlpattern' }];
    const [reader, writer] = await Promise.all([subscriberToken({ topics: granted }), publisherToken()]);
    const query = withEnd('match_urlpattern=https://example.com/users/*');
    await using stream = await openStream(`${herald.url}${HUB}?${query}`, { headers: bearer(reader) });
    for (const path of ['users/7/inbox', 'users/8/inbox', 'users/7', 'users/7/']) {
      await publish(herald, form({ topic: `https://example.com/${path}`, data: path, private: 'on' }), writer);
    }
    await publishEnd(herald, writer);
    expect(await dataOfUntilEnd(stream)).toEqual(['users/7/inbox', 'users/7/']);
  });
});
