import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { send, textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, adminToken, HUB, publisherToken, startHub } from '../support/hub.js';

const OWN = 'https://hub.example';
const PUBLISHING = 'https://shop.example';

describe('a cookie of an administrator', () => {
  let herald: Herald;
  let cookie: string;

  beforeAll(async () => {
    const env = { HERALD_ADMIN_KEY: ADMIN_KEY, HERALD_COOKIE_NAME: 'token', HERALD_PUBLISH_ORIGINS: PUBLISHING };
    herald = await startHub(env);
    cookie = `token=${await adminToken()}`;
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  async function ask(
    headers: Readonly<Record<string, string>>,
    { method = 'POST', path = '/admin/revocations', body = '{"jti":"x"}' } = {},
  ): Promise<{ status: number | undefined; code: unknown }> {
    const response = await send(herald.url + path, { method, headers }, method === 'POST' ? body : undefined);
    const { code } = JSON.parse((await textOf(response)) || '{}') as { code?: unknown };
    return { status: response.statusCode, code };
  }

  it.each([
    ['from its own origin, as JSON', OWN, 'application/json', 200, undefined],
    ['from an origin that may publish', PUBLISHING, 'application/json', 400, 'origin-refused'],
    [
      'as a form, which a page may send without a preflight',
      OWN,
      'application/x-www-form-urlencoded',
      415,
      'media-type-unsupported',
    ],
    ['as lines of JSON', OWN, 'application/x-ndjson', 415, 'media-type-unsupported'],
  ])('%s', async (_, origin, type, status, code) => {
    expect(await ask({ cookie, origin, 'content-type': type })).toEqual({ status, code });
  });

  it('ends no connection for a page of an origin that may publish', async () => {
    const options = { method: 'DELETE', path: '/admin/connections?id=1' };
    expect(await ask({ cookie, origin: PUBLISHING }, options)).toEqual({ status: 400, code: 'origin-refused' });
    expect(await ask({ cookie, origin: OWN }, options)).toEqual({ status: 200, code: undefined });
  });

  it('counts for nothing beside another one of the same name, whichever comes first', async () => {
    const other = `token=${await publisherToken()}`;
    for (const both of [`${cookie}; ${other}`, `${other}; ${cookie}`, `token=; ${cookie}`]) {
      const answer = await ask({ cookie: both, origin: OWN, 'content-type': 'application/json' });
      expect(answer).toEqual({ status: 400, code: 'token-malformed' });
      expect(await ask({ cookie: both }, { method: 'GET', path: `${HUB}?match=urn:t` })).toEqual(answer);
    }
  });
});
