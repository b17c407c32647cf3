import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { HUB, startHub, subscribe, subscriberToken } from '../support/hub.js';
import { ask, bearer, isCaughtUp } from './exchange.js';

const PATH = `${HUB}/subscriptions`;

interface Document {
  readonly match: string;
  readonly subscriber: string;
  readonly payload?: object;
}

describe('a subscription whose client is away for a moment', () => {
  let herald: Herald;
  let token: string;

  beforeAll(async () => {
    herald = await startHub({
      HERALD_SUBSCRIPTIONS: 'true',
      HERALD_SUBSCRIPTIONS_GRACE: '1h',
      LOG_LEVEL: 'debug',
    });
    token = await subscriberToken({ topics: [{ match: PATH }] });
  });
  afterAll(() => herald[Symbol.asyncDispose]());

  async function active(topic: string): Promise<Document[]> {
    const { text } = await ask(herald, { path: PATH, token });
    const { subscriptions } = JSON.parse(text) as { subscriptions: Document[] };
    return subscriptions.filter(({ match }) => match === topic);
  }

  async function resume(topic: string, headers: Readonly<Record<string, string>> = {}): Promise<EventStream> {
    const stream = await subscribe(herald, {
      query: `match=${topic}`,
      headers: { ...headers, 'last-event-id': 'urn:x' },
    });
    return stream.until(isCaughtUp);
  }

  async function resumeAs(name: string): Promise<EventStream> {
    return resume('urn:r63', bearer(await subscriberToken({ payload: { name } })));
  }

  /** Lets go, and resolves once the hub has seen it. */
  async function leave(stream: EventStream): Promise<void> {
    const closed = (): number => herald.logs().split('"stream closed"').length;
    const before = closed();
    await stream[Symbol.asyncDispose]();
    await herald.waitForLog(new RegExp(`(?:"stream closed"[^]*){${before}}`));
  }

  it('R74: has one name, which no other connection has at the same time', async () => {
    const one = await resume('urn:r74');
    await using two = await resume('urn:r74');
    expect(two.response.statusCode).toBe(200);
    const before = await active('urn:r74');
    expect(new Set(before.map(({ subscriber }) => subscriber)).size).toBe(2);
    await leave(one);
    // Whoever comes back has never been away, and whoever comes besides is somebody new.
    await using back = await resume('urn:r74');
    expect(back.response.statusCode).toBe(200);
    expect(await active('urn:r74')).toEqual(before);
    await using more = await resume('urn:r74');
    expect(more.response.statusCode).toBe(200);
    expect(new Set((await active('urn:r74')).map(({ subscriber }) => subscriber)).size).toBe(3);
  });

  it('R72: is another one where the client does not resume', async () => {
    await leave(await resume('urn:r72'));
    await using fresh = await subscribe(herald, { query: 'match=urn:r72' });
    expect(fresh.response.statusCode).toBe(200);
    expect(await active('urn:r72')).toHaveLength(2);
  });

  it('R63: is not taken over by somebody with another payload', async () => {
    // Neither token has a subject, and both come from one address.
    await leave(await resumeAs('Alice'));
    await using stream = await resumeAs('Bob');
    expect(stream.response.statusCode).toBe(200);
    expect((await active('urn:r63')).map(({ payload }) => payload)).toEqual([{ name: 'Alice' }, { name: 'Bob' }]);
  });
});
