import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startHerald, type Herald } from '../support/herald.js';
import { HUB, publisherToken, RESOURCE, startHub } from '../support/hub.js';
import { ask, publish } from './exchange.js';

const METADATA = '/.well-known/oauth-protected-resource/.well-known/mercure';

describe('discovery', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub({ HERALD_CORS_ORIGINS: 'https://app.example', HERALD_SUBSCRIPTIONS: 'true' });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it('R81: the hub is at its well-known path', async () => {
    expect(HUB).toBe('/.well-known/mercure');
    expect((await ask(herald, { query: 'match=urn:a' })).status).toBe(200);
    for (const path of ['/.well-known/mercure/', '/.well-known/mercure/x', '/.well-known', '/mercure']) {
      expect((await ask(herald, { path, query: 'match=urn:a' })).status).toBe(404);
    }
  });

  it('R84: the metadata says what a client needs to get a token for this hub', async () => {
    const { status, headers, text } = await ask(herald, { path: METADATA });
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(text)).toEqual({
      resource: RESOURCE,
      authorization_details_types_supported: ['https://mercure.rocks/authorization-detail'],
      bearer_methods_supported: ['header'],
      mercure_cookie: '__Secure-mercure_access_token',
      mercure_matcher_types_supported: ['exact', 'urlpattern'],
      mercure_subscriptions: true,
    });
  });

  it('R84: the resource that it names is the audience that tokens must have', async () => {
    const { resource } = JSON.parse((await ask(herald, { path: METADATA })).text) as { resource: string };
    const token = await publisherToken({ claims: { aud: resource } });
    expect((await publish(herald, { topic: 'urn:a' }, token)).status).toBe(200);
  });

  it('R84: issuers that publish their keys are its authorization servers, and what is not there is left out', async () => {
    const issuer = { HERALD_ISSUER: 'https://login.example' };
    await using signsAlone = await startHub(issuer);
    const own = JSON.parse((await ask(signsAlone, { path: METADATA })).text) as object;
    expect(Object.keys(own)).not.toEqual(expect.arrayContaining(['authorization_servers']));
    expect(Object.keys(own)).not.toEqual(expect.arrayContaining(['mercure_subscriptions']));
    await using other = await startHub({ ...issuer, HERALD_JWKS_URI: 'https://login.example/jwks' });
    expect(JSON.parse((await ask(other, { path: METADATA })).text)).toMatchObject({
      authorization_servers: ['https://login.example'],
    });
  });

  it('R84: it is where the challenge says, also where no resource is configured', async () => {
    await using plain = await startHerald();
    const { challenge = '' } = await ask(plain, { method: 'POST' });
    const address = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect(new URL(address).host).toBe(`127.0.0.1:${plain.port}`);
    const { status, text } = await ask(plain, { path: new URL(address).pathname });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ resource: `${new URL(address).origin}${HUB}` });
  });

  it('R85: there is metadata, by which a client can tell the current protocol from 0.x', async () => {
    expect((await ask(herald, { path: METADATA })).status).toBe(200);
    expect((await ask(herald, { path: METADATA, headers: { origin: 'https://app.example' } })).headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
    });
  });
});
