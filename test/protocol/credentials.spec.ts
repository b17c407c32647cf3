import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import { publisherToken, startHub, subscriberToken } from '../support/hub.js';
import { type Answer, ask, bearer, challengeOf, type Headers, post } from './hub-client.js';

const METADATA = 'https://hub.example/.well-known/oauth-protected-resource/.well-known/mercure';
const COOKIE = '__Secure-mercure_access_token';

describe('presenting a token', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub({ HERALD_ANONYMOUS: 'false', HERALD_PUBLISH_ORIGINS: 'https://app.example' });
  });
  afterAll(() => herald.kill());

  const publish = (headers: Headers): Promise<Answer> => post(herald, undefined, 'topic=urn:a', headers);
  const cookie = async (): Promise<string> => `${COOKIE}=${await publisherToken()}`;

  it('R40, R46: refuses who brings none with 401 and a challenge without an error', async () => {
    for (const answer of [await publish({}), await ask(herald, { path: '?match=a' })]) {
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toBe(`Bearer resource_metadata="${METADATA}"`);
    }
  });

  it('R40: serves readers without a token where that is allowed, and publishers never', async () => {
    await using open = await startHub();
    expect((await ask(open, { method: 'HEAD', path: '?match=a' })).status).toBe(200);
    expect((await post(open, undefined, 'topic=urn:a')).status).toBe(401);
  });

  it('R42: does not take a token from the URL', async () => {
    const token = await subscriberToken();
    for (const name of ['access_token', 'authorization']) {
      expect((await ask(herald, { path: `?match=a&${name}=${token}` })).status).toBe(401);
    }
  });

  it('R43: takes the scheme in any case', async () => {
    expect((await publish({ authorization: `bEARER ${await publisherToken()}` })).status).toBe(200);
  });

  it('R43: takes the header, and does not even look at a cookie beside it', async () => {
    const token = await publisherToken();
    expect((await publish({ ...bearer(token), cookie: `${COOKIE}=garbage` })).status).toBe(200);
    const both = { authorization: 'Bearer a.b.c', cookie: await cookie(), origin: 'https://app.example' };
    expect((await publish(both)).status).toBe(401);
  });

  it('R43, R45: takes the cookie where there is no header', async () => {
    const reading = { cookie: `other=1; ${COOKIE}=${await subscriberToken()}` };
    expect((await ask(herald, { method: 'HEAD', path: '?match=a', headers: reading })).status).toBe(200);
    expect((await publish({ cookie: await cookie(), origin: 'https://app.example' })).status).toBe(200);
  });

  it('R47: refuses what is presented and is no token with 401', async () => {
    const answer = await ask(herald, { path: '?match=a', headers: { cookie: `${COOKIE}=garbage` } });
    expect(answer.status).toBe(401);
    expect(challengeOf(answer)).toBe(`Bearer error="invalid_token", resource_metadata="${METADATA}"`);
  });

  it('R47: never serves a broken or expired token as if there were none', async () => {
    await using open = await startHub();
    const expired = await subscriberToken({ expires: '-1s' });
    expect((await ask(open, { path: '?match=a', headers: bearer(expired) })).status).toBe(401);
  });

  it('R48: refuses who may not with 403', async () => {
    const answer = await post(herald, await publisherToken({ topics: [{ match: 'urn:b' }] }), 'topic=urn:a');
    expect(answer.status).toBe(403);
    expect(challengeOf(answer)).toBe(`Bearer error="insufficient_scope", resource_metadata="${METADATA}"`);
  });

  it.each<[string, Headers]>([
    ['another scheme', { authorization: 'Basic eDp5' }],
    ['two headers', { authorization: ['Bearer a.b.c', 'Bearer a.b.c'] }],
    ['two tokens in one', { authorization: 'Bearer a.b.c d.e.f' }],
  ])('R49: refuses %s with 400', async (_, headers) => {
    const answer = await publish(headers);
    expect(answer.status).toBe(400);
    expect(challengeOf(answer)).toContain('error="invalid_request"');
  });

  it('R50: says in problem+json which check failed, and nothing of the token', async () => {
    const token = await publisherToken({ claims: { aud: 'https://other.example/' } });
    const answer = await post(herald, token, 'topic=urn:a');
    expect(JSON.parse(answer.text)).toEqual({
      status: 401,
      title: 'Unauthorized',
      code: 'token-invalid',
      detail: 'The token is not valid: its audience does not name this hub.',
    });
  });

  it.each<[string, Headers, number]>([
    ['from a page of an origin on the list', { origin: 'https://app.example' }, 200],
    ['from a page of the hub’s own origin', { origin: 'https://hub.example' }, 200],
    ['with only a Referer', { referer: 'https://app.example/page?x' }, 200],
    ['from another site', { origin: 'https://evil.example' }, 400],
    ['from a page without an origin', { origin: 'null' }, 400],
    ['from another site by its Referer', { referer: 'https://evil.example/https://app.example' }, 400],
    ['from nowhere', {}, 400],
  ])('R89: answers a cookie’s publication %s', async (_, headers, status) => {
    const answer = await publish({ cookie: await cookie(), ...headers });
    expect(answer.status).toBe(status);
    expect(challengeOf(answer).includes('error="invalid_request"')).toBe(status === 400);
  });

  it('R88: writes no token into its log', async () => {
    const token = await publisherToken();
    await post(herald, token, 'topic=urn:a');
    await ask(herald, { path: `?match=a&authorization=${token}` });
    await herald.waitForLog(/"path":"\/.well-known\/mercure","status":401/);
    expect(herald.logs()).not.toContain(token.slice(-20));
  });
});
