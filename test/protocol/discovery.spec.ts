import { describe, expect, it } from '@jest/globals';
import { startHerald } from '../support/herald.js';
import { RESOURCE, startHub } from '../support/hub.js';
import { ask } from './hub-client.js';

const PATH = '//.well-known/oauth-protected-resource/.well-known/mercure';

describe('discovery', () => {
  it('R81, R84, R85: publishes what a client must know to get a token', async () => {
    await using herald = await startHub({ HERALD_ISSUER: 'https://login.example/', HERALD_SUBSCRIPTIONS: 'true' });
    const answer = await ask(herald, { path: PATH });
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toEqual({
      resource: RESOURCE,
      authorization_servers: ['https://login.example/'],
      authorization_details_types_supported: ['https://mercure.rocks/authorization-detail'],
      bearer_methods_supported: ['header'],
      mercure_cookie: '__Secure-mercure_access_token',
      mercure_matcher_types_supported: ['exact', 'urlpattern'],
      mercure_subscriptions: true,
    });
  });

  it('R54, R84: is the resource that the client has asked, where none is configured', async () => {
    await using herald = await startHerald();
    const { text } = await ask(herald, { path: PATH, headers: { host: 'hub.test:1234' } });
    expect(JSON.parse(text)).toMatchObject({ resource: 'http://hub.test:1234/.well-known/mercure' });
  });
});
