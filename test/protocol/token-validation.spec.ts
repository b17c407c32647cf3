import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Herald } from '../support/herald.js';
import {
  ISSUER,
  noticesOf,
  PUBLISHER_KEY,
  publisherToken,
  RESOURCE,
  startHub,
  subscribe,
  subscriberToken,
} from '../support/hub.js';
import { bearer, challengeOf, encoded, post } from './hub-client.js';

const DETAIL = 'https://mercure.rocks/authorization-detail';

/** A token whose header says what it likes, signed with the publishers' secret all the same. */
function forged(header: object): string {
  const signed = `${encoded(header)}.${encoded({ iss: ISSUER, aud: RESOURCE, exp: 4_000_000_000 })}`;
  return `${signed}.${createHmac('sha256', PUBLISHER_KEY).update(signed).digest('base64url')}`;
}

describe('validating a token', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub();
  });
  afterAll(() => herald.kill());

  it.each<[string, () => string | Promise<string>]>([
    ['R51: another type', () => publisherToken({ header: { typ: 'JWT' } })],
    ['R52: no algorithm', () => `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded({ exp: 4_000_000_000 })}.x`],
    ['R52: another algorithm', () => publisherToken({ header: { alg: 'HS512' }, key: PUBLISHER_KEY.repeat(2) })],
    [
      'R53: a key that it brings itself',
      () => forged({ alg: 'HS256', typ: 'at+jwt', jwk: { kty: 'oct', k: 'AA' } }) + 'x',
    ],
    ['R53: the key of another role', () => subscriberToken()],
    ['R54: no expiry', () => publisherToken({ claims: { exp: undefined } })],
    ['R54: an expiry that is past', () => publisherToken({ expires: '-1s' })],
    ['R54: a beginning that is to come', () => publisherToken({ claims: { nbf: 4_000_000_000 } })],
    ['R54: another audience', () => publisherToken({ claims: { aud: ['https://other.example/'] } })],
    ['R54: no audience', () => publisherToken({ claims: { aud: undefined } })],
    ['R54: an issuer that differs by a slash', () => publisherToken({ claims: { iss: `${ISSUER}/` } })],
    ['R55: a detail without topics', () => publisherToken({ topics: [] })],
    ['R55: an action that is no string', () => withDetails([{ type: DETAIL, actions: [7], topics: [{ match: '*' }] }])],
    ['R57: more details than the limit', () => withDetails(Array.from({ length: 101 }, () => ({ type: 'other' })))],
    ['R57: one good detail and a broken one', () => withDetails([GOOD, { type: DETAIL }])],
    ['R57: a pattern above the limit', () => publisherToken({ topics: [{ match: 'x'.repeat(4097) }] })],
    ['R58: a matcher that is no object', () => withDetails([{ type: DETAIL, actions: ['publish'], topics: ['*'] }])],
    ['R58: a matcher type in other case', () => publisherToken({ topics: [{ match: 'a', match_type: 'Exact' }] })],
    [
      'R22, R58: a matcher type that is not supported',
      () => publisherToken({ topics: [{ match: 'a', match_type: 're' }] }),
    ],
  ])('refuses %s with invalid_token', async (_, make) => {
    const answer = await post(herald, await make(), 'topic=urn:a');
    expect(answer.status).toBe(401);
    expect(challengeOf(answer)).toContain('error="invalid_token"');
  });

  it.each<[string, () => Promise<string>]>([
    ['R51: the type with its prefix, in any case', () => publisherToken({ header: { typ: 'Application/AT+JWT' } })],
    ['R54: an audience among others', () => publisherToken({ claims: { aud: ['x', RESOURCE] } })],
    ['R54: a beginning that is past', () => publisherToken({ claims: { nbf: 1 } })],
    ['R55: actions that it does not know', () => withDetails([{ ...GOOD, actions: ['dance', 'publish'] }])],
    ['R57: details of other types, whatever they hold', () => withDetails([{ type: 'x', topics: 7 }, GOOD])],
  ])('takes %s', async (_, make) => {
    expect((await post(herald, await make(), 'topic=urn:a')).status).toBe(200);
  });

  it('R56: grants nothing without a detail, and a topic by any of them', async () => {
    expect((await post(herald, await withDetails([]), 'topic=urn:a')).status).toBe(403);
    const two = await withDetails([
      { ...GOOD, topics: [{ match: 'urn:x' }] },
      { ...GOOD, topics: [{ match: 'urn:a' }] },
    ]);
    expect((await post(herald, two, 'topic=urn:a&topic=urn:x')).status).toBe(200);
    const patterns = await publisherToken({ topics: [{ match: 'https://example.com/:id', match_type: 'urlpattern' }] });
    expect((await post(herald, patterns, 'topic=https://example.com/1')).status).toBe(200);
    expect((await post(herald, patterns, 'topic=https://example.com/1/2')).status).toBe(403);
  });

  const GOOD = { type: DETAIL, actions: ['publish'], topics: [{ match: '*' }] };
  const withDetails = (details: unknown): Promise<string> =>
    publisherToken({ claims: { authorization_details: details } });
});

describe('the end of a token', () => {
  it('R62: ends the connection by then, after saying so', async () => {
    await using herald = await startHub();
    const expires = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
    await using stream = await subscribe(herald, {
      query: 'match=*',
      headers: bearer(await subscriberToken({ expires })),
    });
    expect(await stream.ended).toBe(true);
    expect(Date.now()).toBeLessThanOrEqual(expires.getTime());
    expect(noticesOf(stream)).toEqual([{ type: 'expired' }]);
  });

  it('R62: ends a connection by its age, whatever its token says', async () => {
    await using herald = await startHub({ HERALD_MAX_AGE: '100ms' });
    await using stream = await subscribe(herald, { query: 'match=*', headers: bearer(await subscriberToken()) });
    expect(await stream.ended).toBe(true);
  });
});
