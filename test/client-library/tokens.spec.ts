import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { Publisher, startHub, subscriberToken } from '../support/hub.js';
import { Reader } from './reader.js';
import { refusal, ScriptedHub, stream, streamThatEnds, type Answer } from './scripted-hub.js';

/** A JWT that nobody verifies, which is good for an hour. */
function jwt(subject: string): string {
  const claims = { sub: subject, exp: Math.floor(Date.now() / 1_000) + 3_600 };
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
}

describe('the tokens of the client library', () => {
  it('may be a plain one, for reading and publishing', async () => {
    await using hub = await ScriptedHub.start(stream(), (response) => response.end('urn:id'));
    using reader = Reader.of(hub.url, { token: 'plain' });
    reader.read('urn:t');
    await reader.isOpen();
    await reader.client.publish('urn:t', 1);

    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer plain', 'Bearer plain']);
  });

  it('are asked for once while they are good, whatever becomes of the stream', async () => {
    await using hub = await ScriptedHub.start(streamThatEnds('retry: 0\n\n'), streamThatEnds('retry: 0\n\n'), stream());
    const reasons: string[] = [];
    const token = ({ reason }: { readonly reason: string }): string => {
      reasons.push(reason);
      return jwt('ann');
    };
    using reader = Reader.of(hub.url, { token });
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 3);

    expect(new Set(hub.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set([`Bearer ${jwt('ann')}`]),
    );
    expect(reasons).toEqual(['initial']);
  });

  it('change at once: the old stream ends, and the next one begins where it was', async () => {
    const responses: ServerResponse[] = [];
    const answer =
      (text: string): Answer =>
      (response, request) => {
        responses.push(response);
        stream(text)(response, request);
      };
    await using hub = await ScriptedHub.start(answer('id: 1\ndata: of ann\n\n'), answer('id: 2\ndata: of bob\n\n'));
    using reader = Reader.of(hub.url, { token: jwt('ann') });
    reader.read('urn:t');
    await reader.has('of ann');
    const [first] = responses;
    const ended = first && once(first, 'close');
    reader.client.setToken(jwt('bob'));
    expect(reader.client.state).not.toBe('open');
    await ended;
    await reader.has('of bob');

    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(
      ['ann', 'bob'].map((subject) => `Bearer ${jwt(subject)}`),
    );
    expect(hub.cursors).toEqual(['', '1']);
    expect(reader.errors).toEqual([]);
  });

  it('bring back a client that had failed, and nobody’s is none', async () => {
    await using hub = await ScriptedHub.start(refusal(401, 'token-invalid'), refusal(401, 'token-invalid'), stream());
    using reader = Reader.of(hub.url, { token: 'stale' });
    reader.read('urn:t');
    await reader.until(({ client }) => client.state === 'failed');
    reader.client.setToken(undefined);
    await reader.isOpen();

    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer stale',
      'Bearer stale',
      undefined,
    ]);
  });

  it('change while a subscription catches up, which goes on from where it was', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const bob = await subscriberToken({ subject: 'bob' });
    const first = await publisher.publish({ topic: 'urn:t', data: '0' });
    const texts = Array.from({ length: 300 }, (_, index) => String(index + 1));
    for (const data of texts) await publisher.publish({ topic: 'urn:t', data, private: 'on' });
    using reader = Reader.of(herald.url, { token: await subscriberToken({ subject: 'ann' }) });
    reader.read('urn:t', { since: first });
    await reader.until((one) => one.texts.length > 0);
    reader.client.setToken(bob);
    await publisher.publish({ topic: 'urn:t', data: 'end' });
    await reader.has('end');

    expect(reader.texts).toEqual([...texts, 'end']);
  });

  it('can not be set any more once the client is disposed of', () => {
    const reader = Reader.of('http://127.0.0.1:9');
    reader.client.dispose();
    expect(() => reader.client.setToken('x')).toThrow('disposed');
  });
});
