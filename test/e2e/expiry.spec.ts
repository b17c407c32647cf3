import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EventStream, openStream, send } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, legacyToken, noticesOf, startHub, subscriberToken } from '../support/hub.js';

/** Milliseconds that a busy machine may take until this process hears of an end. */
const HEARING = 1_000;

/** Whole seconds, as tokens have it, so that there is some time left. */
function inSeconds(seconds: number): Date {
  return new Date((Math.floor(Date.now() / 1_000) + seconds) * 1_000);
}

async function open(herald: Herald, path: string, token: string): Promise<EventStream> {
  return openStream(herald.url + path, { headers: { authorization: `Bearer ${token}` } });
}

async function expectEndBy(stream: EventStream, expires: Date): Promise<void> {
  await stream.until(() => noticesOf(stream).length > 0);
  expect(await stream.ended).toBe(true);
  // `stream-registry.spec.ts` has the law to the millisecond.
  expect(Date.now()).toBeLessThanOrEqual(expires.getTime() + HEARING);
  expect(noticesOf(stream)).toEqual([{ type: 'expired' }]);
  expect(stream.retries.length).toBeGreaterThan(1);
}

describe('R62: the expiry of a token', () => {
  let herald: Herald;

  beforeAll(async () => {
    herald = await startHub({ HERALD_PROTECT_EVENTS: 'true', HERALD_ANONYMOUS: 'false', HERALD_LEGACY: 'true' });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  it.each([`${HUB}?match=*`, '/events'])('ends its connection by then, after saying so: %s', async (path) => {
    const expires = inSeconds(4);
    const token = await subscriberToken({ expires });
    await using stream = await open(herald, path, token);
    await expectEndBy(stream, expires);
    await using lasting = await open(herald, path, await subscriberToken());
    await lasting.until(({ retries }) => retries.length > 0);
    // From its expiry on the token is refused, and never served as if there were none.
    await new Promise((resolve) => setTimeout(resolve, expires.getTime() - Date.now()));
    const response = await send(herald.url + path, { headers: { authorization: `Bearer ${token}` } });
    response.destroy();
    expect(response.statusCode).toBe(401);
    expect(noticesOf(lasting)).toEqual([]);
  });

  it.each([`${HUB}?match=*`, '/events'])('ends a connection that came at the last moment: %s', async (path) => {
    // Somebody else's connection decides when the service looks.
    await using other = await open(herald, path, await subscriberToken());
    await other.until(({ retries }) => retries.length > 0);
    const expires = inSeconds(2);
    const token = await subscriberToken({ expires });
    for (let age = 0; Date.now() < expires.getTime() - 400; age += 1) {
      await using stream = await open(herald, path, token);
      if (stream.response.statusCode !== 200) break;
      await expectEndBy(stream, expires);
    }
    expect(noticesOf(other)).toEqual([]);
  });

  it('ends the connection of a token of the 0.x dialect as well, if it has an expiry', async () => {
    const expires = inSeconds(3);
    const token = await legacyToken('subscriber', { subscribe: ['*'] }, { exp: expires.getTime() / 1_000 });
    await using stream = await open(herald, `${HUB}?topic=*&with=notices`, token);
    await expectEndBy(stream, expires);
    await using lasting = await open(herald, `${HUB}?topic=*`, await legacyToken('subscriber', { subscribe: ['*'] }));
    await lasting.until(({ retries }) => retries.length > 0);
    expect(noticesOf(lasting)).toEqual([]);
  });
});
