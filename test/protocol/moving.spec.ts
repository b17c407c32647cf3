import { describe, expect, it } from '@jest/globals';
import { SignJWT } from 'jose';
import { Herald } from '../support/herald.js';
import { HUB_ENVIRONMENT, legacyToken, startHub, subscribe } from '../support/hub.js';
import { send, textOf } from '../support/event-stream.js';
import { ask, bearer, dataOf, publish } from './exchange.js';

/** What a hub of 0.x that is moved may have and Herald otherwise refuses. */
describe('a hub that is moved from Mercure 0.x', () => {
  const WEAK = { HERALD_PUBLISHER_KEY: '!ChangeMe!', HERALD_SUBSCRIBER_KEY: '!ChangeMe!' };

  async function endOf(env: Readonly<Record<string, string>>): Promise<string> {
    await using herald = Herald.spawn({ env: { ...HUB_ENVIRONMENT, ...WEAK, ...env } });
    expect(await herald.exit()).toEqual({ code: 78, signal: null });
    return herald.fatalMessages().join('\n');
  }

  it('keeps a short secret only where that is said, and hears at each start what that means', async () => {
    expect(await endOf({ HERALD_LEGACY: 'true' })).toMatch(/HERALD_PUBLISHER_KEY must be at least 32 bytes long/);
    expect(await endOf({ HERALD_WEAK_SECRETS: 'true' })).toMatch(/HERALD_WEAK_SECRETS needs HERALD_LEGACY=true/);
    await using herald = await startHub({ ...WEAK, HERALD_LEGACY: 'true', HERALD_WEAK_SECRETS: 'true' });
    expect(herald.logs()).toMatch(/publishers' secret is so short that tokens can be forged/);
    expect(herald.logs()).not.toContain('ChangeMe');
    const token = await new SignJWT({ mercure: { publish: ['*'] } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('!ChangeMe!'));
    expect((await publish(herald, { topic: 'urn:a', data: 'x' }, token)).status).toBe(200);
    const forged = await new SignJWT({ mercure: { publish: ['*'] } })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('!ChangeYou!'));
    expect(await publish(herald, { topic: 'urn:a', data: 'x' }, forged)).toMatchObject({ status: 401 });
  });

  it('gives public updates to a valid token without the claim, and lets it do nothing else', async () => {
    await using herald = await startHub({ HERALD_LEGACY: 'true', HERALD_ANONYMOUS: 'false' });
    const [bare, writer] = [
      await legacyToken('subscriber', undefined as never, { sub: 'ann' }),
      await legacyToken('publisher', { publish: ['*'] }),
    ];
    await using stream = await subscribe(herald, { query: 'topic=urn:a', headers: bearer(bare) });
    await publish(herald, { topic: 'urn:a', data: 'secret', private: 'on' }, writer);
    await publish(herald, { topic: 'urn:a', data: 'public' }, writer);
    await stream.take(1);
    expect(dataOf(stream)).toEqual(['public']);
    const useless = await legacyToken('publisher', undefined as never, { sub: 'ann' });
    expect(await publish(herald, { topic: 'urn:a', data: 'x' }, useless)).toMatchObject({ status: 403 });
    expect(await ask(herald, { query: 'match=urn:a', token: bare })).toMatchObject({ status: 401 });
  });

  it('is told what to set where a token of 0.x comes to a hub that does not speak it', async () => {
    const token = await legacyToken('subscriber', { subscribe: ['*'] }, { iss: 'https://issuer.example' });
    await using current = await startHub();
    await using both = await startHub({ HERALD_LEGACY: 'true' });
    const [refusal, misplaced] = await Promise.all(
      [current, both].map((herald) => ask(herald, { query: 'match=urn:a', token })),
    );
    expect(refusal).toMatchObject({ status: 401, code: 'token-invalid' });
    expect(refusal?.text).toContain('set HERALD_LEGACY=true');
    expect(misplaced).toMatchObject({ status: 401, code: 'token-invalid' });
    expect(misplaced?.text).toContain('requests of that dialect only');
  });

  it('has subscriptions with a thousand topics, and no more', async () => {
    await using herald = await startHub({ HERALD_LEGACY: 'true' });
    const topics = Array.from({ length: 1_000 }, (_, index) => `urn:${index}`);
    const token = await legacyToken('publisher', { publish: topics });
    const query = topics.map((topic) => `topic=${topic}`).join('&');
    await using stream = await subscribe(herald, { query });
    await publish(herald, { topic: 'urn:999', data: 'x' }, token);
    await stream.take(1);
    expect(dataOf(stream)).toEqual(['x']);
    expect(await ask(herald, { query: `${query}&topic=urn:more` })).toMatchObject({
      status: 400,
      code: 'matchers-too-many',
    });
  });

  it('answers its health check', async () => {
    await using herald = await startHub();
    const response = await send(`${herald.url}/healthz`);
    expect([response.statusCode, JSON.parse(await textOf(response))]).toMatchObject([200, { status: 'ok' }]);
    // As with other checks, the log has no line of it unless asked.
    expect(herald.logs()).not.toContain('/healthz');
  });
});
