import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import {
  ADMIN_KEY,
  adminToken,
  HUB,
  legacyToken,
  publisherToken,
  startHub,
  subscribe,
  subscriberToken,
} from '../support/hub.js';
import { DIALECTS, startBilingualHub } from './dialects.js';
import { type Answer, ask, bearer, challenge, FORM, publish } from './exchange.js';

const PUBLISH = { method: 'POST', headers: FORM, body: 'topic=urn:a&data=x' };

describe.each(DIALECTS)('credentials in the $dialect dialect', ({ parameter, cookie, publisher, subscriber }) => {
  let herald: Herald;
  let good: string;
  let reader: string;

  beforeAll(async () => {
    herald = await startBilingualHub({ HERALD_ANONYMOUS: 'false', HERALD_PUBLISH_ORIGINS: 'https://admin.example' });
    [good, reader] = await Promise.all([publisher(), subscriber()]);
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  function read(headers: Readonly<Record<string, string | string[]>>): Promise<Answer> {
    return ask(herald, { query: `${parameter}=urn:a`, headers });
  }

  function write(headers: Readonly<Record<string, string | string[]>>): Promise<Answer> {
    return ask(herald, { ...PUBLISH, headers: { ...FORM, ...headers } });
  }

  it('R40: a hub that lets nobody in unknown asks publishers and readers for a token', async () => {
    for (const answer of [await write({}), await read({})]) {
      expect(answer).toMatchObject({ status: 401, code: 'unauthorized' });
    }
    expect((await write(bearer(good))).status).toBe(200);
    expect((await read(bearer(reader))).status).toBe(200);
  });

  it('R42: the header and the cookie carry a token', async () => {
    expect((await read({ cookie: `other=1; ${cookie}=${reader}` })).status).toBe(200);
    expect((await write({ cookie: `${cookie}=${good}`, origin: 'https://hub.example' })).status).toBe(200);
  });

  it('R42: a query parameter that OAuth knows does not', async () => {
    const answer = await ask(herald, { query: `${parameter}=urn:a&access_token=${reader}` });
    expect(answer).toMatchObject({ status: 401, challenge: challenge() });
  });

  it('R43: the header wins over the cookie, whatever is in either', async () => {
    const [limited, expired] = await Promise.all([publisher(['urn:b']), publisher(['*'], { exp: 1 })]);
    const origin = 'https://hub.example';
    expect((await write({ ...bearer(good), cookie: `${cookie}=rubbish`, origin })).status).toBe(200);
    expect((await write({ ...bearer(limited), cookie: `${cookie}=${good}`, origin })).status).toBe(403);
    expect((await write({ ...bearer(expired), cookie: `${cookie}=${good}`, origin })).status).toBe(401);
    // No check of where the request comes from either: the cookie is as if it were not there.
    expect((await write({ ...bearer(good), cookie: `${cookie}=${good}`, origin: 'https://evil.example' })).status).toBe(
      200,
    );
  });

  it.each(['bearer', 'BEARER', 'bEaReR'])('R43: the scheme may be written %s', async (scheme) => {
    expect((await write({ authorization: `${scheme} ${good}` })).status).toBe(200);
  });

  it.each(['Basic eDp5', 'Negotiate YII+/w==', 'Digest username="x", realm="a, b", uri="/"'])(
    'R43: a header for a proxy in front (%s) is as if it were not there',
    async (authorization) => {
      expect(await write({ authorization })).toMatchObject({
        status: 401,
        code: 'unauthorized',
        challenge: challenge(),
      });
      expect(await read({ authorization, cookie: `${cookie}=${reader}` })).toMatchObject({ status: 200 });
      const origin = 'https://admin.example';
      expect((await write({ authorization, cookie: `${cookie}=${good}`, origin })).status).toBe(200);
      // The cookie counts then, and so does where the request comes from.
      for (const headers of [{}, { origin: 'https://evil.example' }]) {
        const answer = await write({ authorization, cookie: `${cookie}=${good}`, ...headers });
        expect(answer).toMatchObject({ status: 400, code: 'origin-refused' });
      }
    },
  );

  it('R43: whoever has only such a header reads where nobody needs a token', async () => {
    await using open = await startHub({ HERALD_LEGACY: 'true' });
    const answer = await ask(open, { query: `${parameter}=urn:a`, headers: { authorization: 'Basic eDp5' } });
    expect(answer.status).toBe(200);
  });

  it('R45: the value of the cookie may stand in quotation marks', async () => {
    expect((await read({ cookie: `${cookie}="${reader}"` })).status).toBe(200);
    expect(await read({ cookie: `${cookie}="${reader}` })).toMatchObject({ status: 401, code: 'token-invalid' });
  });

  it('R46: without a token the challenge has no error', async () => {
    for (const answer of [await write({}), await read({}), await read({ cookie: 'other=1' })]) {
      expect(answer).toMatchObject({ status: 401, code: 'unauthorized', challenge: challenge() });
    }
  });

  it('R47: a token that does not hold is invalid_token, and its bearer never served as if there were none', async () => {
    await using open = await startHub({ HERALD_LEGACY: 'true' });
    const expired = await subscriber(['*'], { exp: 1 });
    for (const token of [expired, `${reader.slice(0, -6)}AAAAAA`, 'e30.e30.AAAA', 'a.b.c']) {
      const expected = { status: 401, code: 'token-invalid', challenge: challenge('invalid_token') };
      expect(await read(bearer(token))).toMatchObject(expected);
      expect(await read({ cookie: `${cookie}=${token}` })).toMatchObject(expected);
      expect(await ask(open, { query: `${parameter}=urn:a`, token })).toMatchObject(expected);
    }
    // What is in the cookie has been presented in the right way, whatever it is.
    expect(await read({ cookie: `${cookie}=rubbish` })).toMatchObject({
      status: 401,
      challenge: challenge('invalid_token'),
    });
  });

  it('R48: a good token that does not suffice is insufficient_scope', async () => {
    const limited = await publisher(['urn:b']);
    expect(await write(bearer(limited))).toMatchObject({
      status: 403,
      code: 'insufficient-scope',
      challenge: challenge('insufficient_scope'),
    });
  });

  it.each<[string, string | string[]]>([
    ['another scheme', 'DPoP eDp5'],
    ['two schemes', 'Basic eDp5, Bearer a.b.c'],
    ['nothing', ''],
    ['a scheme and nothing else', 'Bearer'],
    ['what can be no token', 'Bearer rubbish'],
    ['two tokens', 'Bearer a.b.c d.e.f'],
    ['two lines', ['Bearer a.b.c', 'Bearer a.b.c']],
  ])('R49: an Authorization header with %s is invalid_request', async (_, authorization) => {
    const expected = { status: 400, code: 'token-malformed', challenge: challenge('invalid_request') };
    expect(await write({ authorization })).toMatchObject(expected);
    expect(await read({ authorization })).toMatchObject(expected);
  });

  it('R49: what is malformed besides needs no challenge', async () => {
    const answer = await ask(herald, { query: `${parameter}=a%00`, token: reader });
    expect(answer).toMatchObject({ status: 400, challenge: undefined });
  });

  it('R50: refusals are problems, and OAuth’s codes stay in the header', async () => {
    for (const { headers, text, status } of [
      await read({}),
      await write(bearer('a.b.c')),
      await write(bearer(reader)),
    ]) {
      expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(text)).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
      expect(text).not.toMatch(/invalid_|insufficient_|eyJ/);
    }
  });

  describe('R89: with a cookie, publishing', () => {
    it.each<[string, Record<string, string>, number]>([
      ['from nowhere is refused', {}, 400],
      ['from another site is refused', { origin: 'https://evil.example' }, 400],
      ['from a subdomain is refused', { origin: 'https://evil.hub.example' }, 400],
      ['from a page without an origin is refused', { origin: 'null' }, 400],
      ['from another scheme is refused', { origin: 'http://hub.example' }, 400],
      ['from a page of another site is refused', { referer: 'https://evil.example/https://hub.example/' }, 400],
      [
        'is refused where the origin says no and the referrer yes',
        { origin: 'https://evil.example', referer: 'https://hub.example/' },
        400,
      ],
      ['from the hub’s own site is taken', { origin: 'https://hub.example' }, 200],
      ['from a page of it is taken', { referer: 'https://hub.example/admin?x' }, 200],
      ['from a site on the list is taken', { origin: 'https://admin.example' }, 200],
    ])('%s', async (_, headers, status) => {
      const answer = await write({ ...headers, cookie: `${cookie}=${good}` });
      expect(answer.status).toBe(status);
      const error = status === 400 ? challenge('invalid_request') : undefined;
      expect(answer.challenge).toBe(error);
    });

    it('R89: the same goes for batches', async () => {
      const headers = { 'content-type': 'application/x-ndjson', cookie: `${cookie}=${good}` };
      const question = { method: 'POST', path: `${HUB}/batch`, body: '{"topic":"urn:a"}\n' };
      expect((await ask(herald, { ...question, headers })).status).toBe(400);
      const own = { ...headers, origin: 'https://hub.example' };
      expect((await ask(herald, { ...question, headers: own })).status).toBe(200);
    });
  });

  it('R88: no token is ever in the log', async () => {
    await ask(herald, { query: `${parameter}=urn:a&access_token=${reader}`, headers: { cookie: `${cookie}=${good}` } });
    await write(bearer(good));
    await ask(herald, { path: '/health/live' });
    expect(herald.logs()).not.toContain('eyJ');
  });
});

describe('credentials of the current protocol', () => {
  it.each(['authorization', 'access_token', 'Authorization'])(
    'R88: a token in the URL as %s is not looked at',
    async (name) => {
      await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
      const token = await subscriberToken();
      const answer = await ask(herald, { query: `match=urn:a&${name}=${token}` });
      expect(answer).toMatchObject({ status: 401, challenge: challenge() });
    },
  );

  it('R42: nor is it on a hub that speaks 0.x besides, nor the cookie of 0.x', async () => {
    await using herald = await startBilingualHub({ HERALD_ANONYMOUS: 'false' });
    const token = await subscriberToken();
    expect((await ask(herald, { query: `match=urn:a&authorization=${token}` })).status).toBe(401);
    const headers = { cookie: `mercureAuthorization=${token}` };
    expect((await ask(herald, { query: 'match=urn:a', headers })).status).toBe(401);
  });

  it('R88: nor is an administrator’s', async () => {
    await using herald = await startBilingualHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    const token = await adminToken();
    expect((await ask(herald, { path: '/admin/connections', token })).status).toBe(200);
    expect((await ask(herald, { path: '/admin/connections', query: `authorization=${token}` })).status).toBe(401);
  });

  it('R45: the cookie can have another name, which the metadata tells', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false', HERALD_COOKIE_NAME: '__Host-hub' });
    const token = await subscriberToken();
    const status = async (name: string): Promise<number> =>
      (await ask(herald, { query: 'match=urn:a', headers: { cookie: `${name}=${token}` } })).status;
    expect(await status('__Host-hub')).toBe(200);
    expect(await status('__Secure-mercure_access_token')).toBe(401);
    expect(await status('__host-hub')).toBe(401);
    const { text } = await ask(herald, { path: '/.well-known/oauth-protected-resource/.well-known/mercure' });
    expect(JSON.parse(text)).toMatchObject({ mercure_cookie: '__Host-hub' });
  });

  it('R40: a reader without a token gets public updates where that is allowed, and private ones nowhere', async () => {
    await using herald = await startHub();
    const token = await publisherToken();
    await using stream = await subscribe(herald, { query: 'match=urn:r40' });
    await publish(herald, { topic: 'urn:r40', data: 'private', private: 'on' }, token);
    await publish(herald, { topic: 'urn:r40', data: 'public' }, token);
    expect((await stream.take(1))[0]?.data).toBe('public');
  });

  it('R41: publishers’ and readers’ tokens are signed with keys of their own, and are good for nothing else', async () => {
    await using herald = await startBilingualHub();
    const [reader, writer] = await Promise.all([subscriberToken(), publisherToken()]);
    expect((await publish(herald, { topic: 'urn:a' }, reader)).status).toBe(401);
    expect((await ask(herald, { query: 'match=urn:a', token: writer })).status).toBe(401);
    const claim = { publish: ['*'], subscribe: ['*'] };
    expect((await publish(herald, { topic: 'urn:a' }, await legacyToken('subscriber', claim))).status).toBe(401);
    expect((await ask(herald, { query: 'topic=urn:a', token: await legacyToken('publisher', claim) })).status).toBe(
      401,
    );
  });
});
