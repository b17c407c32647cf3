import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { HUB, legacyToken, publisherToken, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { startBilingualHub } from './dialects.js';
import {
  ask,
  bearer,
  challenge,
  dataOf,
  dataOfUntilEnd,
  FORM,
  isCaughtUp,
  publish,
  publishEnd,
  withEnd,
} from './exchange.js';

const INVALID = { status: 401, code: 'token-invalid', challenge: challenge('invalid_token') };
const INSUFFICIENT = { status: 403, code: 'insufficient-scope', challenge: challenge('insufficient_scope') };

describe('the 0.x dialect', () => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startBilingualHub();
    token = await legacyToken('publisher', { publish: ['*'] });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  /** Which of these topics' updates a subscription with this selector gets. */
  async function delivered(selector: string, topics: readonly string[]): Promise<string[]> {
    await using stream = await subscribe(herald, { query: withEnd(`topic=${encodeURIComponent(selector)}`, 'topic') });
    for (const topic of topics) expect((await publish(herald, { topic, data: topic }, token)).status).toBe(200);
    await publishEnd(herald, token);
    return await dataOfUntilEnd(stream);
  }

  it('R9: every selector is named topic, and there may be several', async () => {
    const query = withEnd('topic=urn:r9:a&topic=https://example.com/r9/%7Bid%7D', 'topic');
    await using stream = await subscribe(herald, { query });
    for (const topic of ['urn:r9:a', 'https://example.com/r9/1', 'urn:r9:b']) {
      await publish(herald, { topic, data: topic }, token);
    }
    await publishEnd(herald, token);
    expect(await dataOfUntilEnd(stream)).toEqual(['urn:r9:a', 'https://example.com/r9/1']);
  });

  it('R23: * is every topic', async () => {
    const topics = ['urn:r23', 'https://example.com/r23', '/r23', 'https://'];
    expect(await delivered('*', topics)).toEqual(topics);
  });

  it('R24: a selector matches its own text, byte for byte', async () => {
    expect(await delivered('urn:r24:x', ['urn:R24:x', 'urn:r24:x/', 'urn:r24:x'])).toEqual(['urn:r24:x']);
    // Of a template too, and what is no template is text.
    expect(
      await delivered('https://example.com/{id}', ['https://example.com/{id}', 'https://example.com/a/b']),
    ).toEqual(['https://example.com/{id}']);
    expect(await delivered('urn:{', ['urn:', 'urn:{', 'urn:x'])).toEqual(['urn:{']);
    // And a pattern of the current protocol is nothing here.
    expect(await delivered('https://example.com/:id', ['https://example.com/1', 'https://example.com/:id'])).toEqual([
      'https://example.com/:id',
    ]);
  });

  it.each([
    [
      'https://example.com/books/{id}',
      ['https://example.com/books/1', 'https://example.com/books/'],
      ['https://example.com/books/1/2', 'https://example.com/books', 'https://example.com/Books/1'],
    ],
    ['https://example.com/{+path}/end', ['https://example.com/a/b/end'], ['https://example.com/a/b/ends']],
    [
      'https://example.com{/a,b}',
      ['https://example.com/1/2', 'https://example.com/1', 'https://example.com'],
      ['https://example.com/1/2/3/?'],
    ],
    [
      'https://example.com/x{?q}',
      ['https://example.com/x?q=1', 'https://example.com/x'],
      ['https://example.com/x?p=1', 'https://example.com/x?'],
    ],
    ['https://example.com/x{#top}', ['https://example.com/x#a/b', 'https://example.com/x'], ['https://example.com/xa']],
    ['{scheme}://example.com/{a}-{b}', ['ftp://example.com/1-2'], ['ftp://example.org/1-2']],
  ])('R22: %s matches what it expands to', async (template, hits, misses) => {
    expect(await delivered(template, [...misses, ...hits])).toEqual(hits);
  });

  it('R27: templates are matched in linear time', async () => {
    const template = `https://example.com/${'{a}'.repeat(20)}!`;
    const topic = `https://example.com/${'a'.repeat(4_000)}`;
    expect(await delivered(template, [topic, `${topic}!`])).toEqual([`${topic}!`]);
  });

  it.each([
    ['topic=a%00b', 'matcher-invalid'],
    ['topic=a%E2%80%AEb', 'matcher-invalid'],
    ['topic=%FF', 'encoding-invalid'],
    [`topic=${'x'.repeat(4_097)}`, 'matcher-too-long'],
    [Array.from({ length: 1_001 }, (_, index) => `topic=${index}`).join('&'), 'matchers-too-many'],
    ['x=1', 'matcher-missing'],
  ])('R13: what the current protocol refuses is refused here: %.40s', async (query, code) => {
    expect(await ask(herald, { query })).toMatchObject({ status: 400, code });
  });

  it('R12: a request speaks one dialect: what names a matcher of the current protocol makes it that', async () => {
    expect(await ask(herald, { query: 'topic=urn:a&match=urn:b' })).toMatchObject({
      status: 400,
      code: 'matcher-unknown',
    });
    expect(await ask(herald, { query: 'topic=urn:a&matchfoo=urn:b' })).toMatchObject({
      status: 400,
      code: 'matcher-unknown',
    });
    expect(await ask(herald, { query: 'match_uritemplate=urn:a' })).toMatchObject({
      status: 400,
      code: 'matcher-unknown',
    });
  });

  it('R2: an update reaches the readers of both dialects', async () => {
    const current = await publisherToken();
    await using old = await subscribe(herald, { query: 'topic=https://example.com/r2/%7Bid%7D' });
    await using fresh = await subscribe(herald, { query: 'match_urlpattern=https://example.com/r2/:id' });
    await publish(herald, { topic: 'https://example.com/r2/1', data: 'from 0.x', id: 'urn:r2:1' }, token);
    await publish(herald, { topic: 'https://example.com/r2/2', data: 'from now', id: 'urn:r2:2' }, current);
    const [seenByOld, seenByNew] = await Promise.all([old.take(2), fresh.take(2)]);
    expect(seenByOld).toEqual(seenByNew);
    expect(dataOf(old)).toEqual(['from 0.x', 'from now']);
  });

  it.each(['lastEventID', 'Last-Event-ID'])('R65: the cursor is named %s in the query', async (name) => {
    for (const data of ['1', '2'])
      await publish(herald, { topic: `urn:r65:${name}`, data, id: `urn:r65:${name}:${data}` }, token);
    await using stream = await subscribe(herald, {
      query: `topic=urn:r65:${name}&with=notices&${name}=urn:r65:${name}:1`,
    });
    await stream.until(isCaughtUp);
    expect(dataOf(stream)).toEqual(['2']);
  });

  it('R69: the answer names the cursor as its own dialect does', async () => {
    const old = await ask(herald, { query: 'topic=urn:a&lastEventID=earliest' });
    expect(old.headers).toMatchObject({ 'last-event-id': 'earliest' });
    expect(old.headers['mercure-last-event-id']).toBeUndefined();
    const current = await ask(herald, { query: 'match=urn:a&last_event_id=earliest' });
    expect(current.headers).toMatchObject({ 'mercure-last-event-id': 'earliest' });
    expect(current.headers['last-event-id']).toBeUndefined();
  });

  describe('tokens', () => {
    it('R54: need no expiry, audience, issuer or type', async () => {
      expect((await publish(herald, { topic: 'urn:a' }, token)).status).toBe(200);
      const reader = await legacyToken('subscriber', { subscribe: ['*'] }, { aud: 'anybody' });
      expect((await ask(herald, { query: 'topic=urn:a', token: reader })).status).toBe(200);
    });

    it('R54: may have any issuer, and then are verified with any of the keys', async () => {
      const foreign = await legacyToken('publisher', { publish: ['*'] }, { iss: 'https://issuer.example' });
      expect((await publish(herald, { topic: 'urn:a' }, foreign)).status).toBe(200);
      const wrongKey = await legacyToken('subscriber', { publish: ['*'] }, { iss: 'https://issuer.example' });
      expect(await publish(herald, { topic: 'urn:a' }, wrongKey)).toMatchObject(INVALID);
    });

    it.each<[string, Record<string, unknown>]>([
      ['an expiry that is past', { exp: 1 }],
      ['a beginning that is to come', { nbf: 32_503_680_000 }],
    ])('R54: with %s do not count', async (_, claims) => {
      const bad = await legacyToken('publisher', { publish: ['*'] }, claims);
      expect(await publish(herald, { topic: 'urn:a' }, bad)).toMatchObject(INVALID);
    });

    it('R52: without a signature, or with another key’s, do not count', async () => {
      const [header, payload, signature] = token.split('.');
      const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
      const reader = await legacyToken('subscriber', { publish: ['*'] });
      for (const bad of [`${none}.${payload}.`, `${none}.${payload}.${signature}`, `${header}.${payload}.`, reader]) {
        expect(await publish(herald, { topic: 'urn:a' }, bad)).toMatchObject(INVALID);
      }
    });

    it('R56: may have the claim with its namespace', async () => {
      const claims = { mercure: undefined, 'https://mercure.rocks/': { publish: ['urn:a'] } };
      const named = await legacyToken('publisher', {}, claims);
      expect((await publish(herald, { topic: 'urn:a' }, named)).status).toBe(200);
      expect(await publish(herald, { topic: 'urn:b' }, named)).toMatchObject(INSUFFICIENT);
    });

    it.each<[string, object]>([
      ['nothing', {}],
      ['an empty list', { publish: [] }],
      ['null', { publish: null }],
      ['other topics', { publish: ['urn:b', 'https://example.com/{id}'] }],
    ])('R60: that allow publishing to %s allow no other', async (_, claim) => {
      expect(await publish(herald, { topic: 'urn:a' }, await legacyToken('publisher', claim))).toMatchObject(
        INSUFFICIENT,
      );
    });

    it('R60: allow publishing to what their selectors match, if they match every topic', async () => {
      const limited = await legacyToken('publisher', { publish: ['urn:a', 'https://example.com/{id}'] });
      const status = async (...topic: string[]): Promise<number> => (await publish(herald, { topic }, limited)).status;
      expect(await status('urn:a', 'https://example.com/1')).toBe(200);
      expect(await status('urn:a', 'https://example.com/1/2')).toBe(403);
    });

    it('R61: let those private updates through that their selectors match', async () => {
      const reader = await legacyToken('subscriber', { subscribe: ['https://example.com/users/7/{box}'] });
      const query = withEnd('topic=*', 'topic');
      await using stream = await subscribe(herald, { query, headers: bearer(reader) });
      for (const path of ['7/inbox', '8/inbox']) {
        await publish(herald, { topic: `https://example.com/users/${path}`, data: path, private: 'on' }, token);
      }
      await publishEnd(herald, token);
      expect(await dataOfUntilEnd(stream)).toEqual(['7/inbox']);
    });

    it.each<[string, unknown]>([
      ['is no object', 'x'],
      ['allows what is no list', { publish: '*' }],
      ['allows what is no text', { publish: [1] }],
      ['has more than 1,000 selectors', { publish: Array.from({ length: 1_001 }, () => 'urn:a') }],
      ['has a selector with a control character', { publish: ['*', 'a\u0000'] }],
      ['has a selector that is too long', { publish: ['*', 'x'.repeat(4_097)] }],
    ])('R57: whose claim %s do not count', async (_, claim) => {
      expect(await publish(herald, { topic: 'urn:a' }, await legacyToken('publisher', claim as object))).toMatchObject(
        INVALID,
      );
    });

    it('R51: never count for a request of the current protocol', async () => {
      const reader = await legacyToken('subscriber', { subscribe: ['*'] });
      expect(await ask(herald, { query: 'match=urn:a', token: reader })).toMatchObject(INVALID);
      expect((await ask(herald, { query: 'topic=urn:a', token: reader })).status).toBe(200);
    });

    it('R51: of the current protocol count here as well, and are judged as strictly as ever', async () => {
      expect((await ask(herald, { query: 'topic=urn:a', token: await subscriberToken() })).status).toBe(200);
      for (const claims of [{ aud: 'https://other.example' }, { exp: undefined }, { iss: undefined }]) {
        const bad = await subscriberToken({ claims });
        expect(await ask(herald, { query: 'topic=urn:a', token: bad })).toMatchObject(INVALID);
        expect(await publish(herald, { topic: 'urn:a' }, await publisherToken({ claims }))).toMatchObject(INVALID);
      }
      // One with both claims is one of the current protocol.
      const both = await publisherToken({ claims: { mercure: { publish: ['*'] }, aud: undefined } });
      expect(await publish(herald, { topic: 'urn:a' }, both)).toMatchObject(INVALID);
    });
  });

  describe('carriers', () => {
    let closed: Herald;
    let reader: string;
    beforeAll(async () => {
      closed = await startBilingualHub({ HERALD_ANONYMOUS: 'false' });
      reader = await legacyToken('subscriber', { subscribe: ['*'] });
    });
    afterAll(() => closed[Symbol.asyncDispose]());

    it('R42: the query carries a token, and answers to it are for nobody else', async () => {
      const read = await ask(closed, { query: `topic=urn:a&authorization=${reader}` });
      expect(read).toMatchObject({ status: 200, headers: { 'cache-control': expect.stringContaining('private') } });
      const written = await ask(closed, {
        method: 'POST',
        query: `authorization=${token}`,
        headers: FORM,
        body: 'topic=urn:a',
      });
      expect(written).toMatchObject({ status: 200, headers: { 'cache-control': expect.stringContaining('private') } });
      expect(closed.logs()).not.toContain('eyJ');
    });

    async function status(query: string, headers: Record<string, string>): Promise<number> {
      return (await ask(closed, { query: `topic=urn:a${query}`, headers })).status;
    }

    it('R43: the header comes before the query, and the query before the cookie', async () => {
      const cookie = `mercureAuthorization=${reader}`;
      expect(await status('', { cookie })).toBe(200);
      expect(await status('&authorization=a.b.c', { cookie })).toBe(401);
      expect(await status(`&authorization=${reader}`, { cookie: 'mercureAuthorization=a.b.c' })).toBe(200);
      expect(await status(`&authorization=${reader}`, { ...bearer('a.b.c'), cookie })).toBe(401);
      expect(await status('&authorization=a.b.c', { ...bearer(reader), cookie })).toBe(200);
    });

    it('R49: what can be no token in the query is invalid_request', async () => {
      for (const given of ['', 'rubbish']) {
        const answer = await ask(closed, { query: `topic=urn:a&authorization=${given}` });
        expect(answer).toMatchObject({ status: 400, code: 'token-malformed', challenge: challenge('invalid_request') });
      }
    });
  });

  it('R51: is not spoken unless it is switched on', async () => {
    await using strict = await startHub({ HERALD_ANONYMOUS: 'false' });
    const reader = await legacyToken('subscriber', { subscribe: ['*'] });
    expect(await publish(strict, { topic: 'urn:a' }, token)).toMatchObject(INVALID);
    expect(await ask(strict, { query: 'match=urn:a', token: reader })).toMatchObject(INVALID);
    const headers = { cookie: `mercureAuthorization=${reader}` };
    expect(await ask(strict, { query: 'match=urn:a', headers })).toMatchObject({ status: 401, challenge: challenge() });
    const current = await subscriberToken();
    expect(await ask(strict, { query: 'topic=urn:a', token: current })).toMatchObject({
      status: 400,
      code: 'matcher-unknown',
    });
    // And the cursor that clients of 0.x send is taken everywhere: it can mean nothing else.
    const { headers: answered } = await ask(strict, { query: 'match=urn:a&lastEventID=earliest', token: current });
    expect(answered['mercure-last-event-id']).toBe('earliest');
  });

  it('R30: nobody publishes to the hub’s own namespace in a batch either', async () => {
    const { text } = await ask(herald, {
      method: 'POST',
      path: `${HUB}/batch`,
      token,
      headers: { 'content-type': 'application/x-ndjson' },
      body: '{"topic":"/.well-known/mercure/subscriptions/a/b"}\n{"topic":"*"}\n',
    });
    const codes = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { error?: { code: string } }).error?.code);
    expect(codes).toEqual(['topic-reserved', 'topic-reserved']);
  });
});
