import { describe, expect, it } from '@jest/globals';
import type { TokenRequest } from '../../client/lib/index.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { Publisher, startHub, subscriberToken } from '../support/hub.js';
import { isSpreadOut } from '../support/spread.js';
import { Reader } from './reader.js';
import { type Answer, ScriptedHub, status, stream, streamThatEnds } from './scripted-hub.js';

const CLIENTS = 50;

function notice(type: string): string {
  return `event: herald\ndata: ${JSON.stringify({ type })}\n\n`;
}

describe('the client library, when the hub says why it ends,', () => {
  it('comes back spread out after a drain, and misses nothing', async () => {
    await using first = await startHub({ HERALD_JOURNAL: 'memory:' });
    await using proxy = await FaultProxy.before(first.port);
    const readers = Array.from({ length: CLIENTS }, () => Reader.of(proxy.url, { backoff: { min: 500, max: 20_000 } }));
    const back: number[] = [];
    for (const reader of readers) reader.read('urn:t');
    await Promise.all(readers.map((reader) => reader.isOpen()));
    await using second = await startHub();
    using publisher = await Publisher.of(second);
    proxy.comeBack(second.port);
    for (const { client } of readers) {
      client.on('state', (state) => {
        if (state === 'connecting') back.push(performance.now());
      });
    }
    await first.kill('SIGTERM');
    await Promise.all(readers.map((reader) => reader.until(({ states }) => states.lastIndexOf('open') > 1)));
    await publisher.publish({ topic: 'urn:t', data: 'after' });
    await Promise.all(readers.map((reader) => reader.has('after')));
    for (const reader of readers) reader.client.dispose();

    expect(readers.every(({ notices }) => notices.includes('drain'))).toBe(true);
    expect(back).toHaveLength(CLIENTS);
    expect(isSpreadOut(back)).toBe(true);
  });

  it('goes on with a new token when the old one expires in the middle, without a gap', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using publisher = await Publisher.of(herald);
    const reasons: TokenRequest['reason'][] = [];
    const token = ({ reason }: TokenRequest): Promise<string> => {
      reasons.push(reason);
      return subscriberToken({ expires: reason === 'initial' ? new Date(Date.now() + 2_000) : '1h' });
    };
    using reader = Reader.of(herald.url, { token });
    reader.read('urn:t');
    await reader.isOpen();
    let published = 0;
    while (!reader.notices.includes('expired') || reader.client.state !== 'open') {
      published += 1;
      await publisher.publish({ topic: 'urn:t', data: String(published), private: 'on' });
    }
    await reader.has(String(published));

    expect(reasons).toEqual(['initial', 'expired']);
    expect(reader.texts).toEqual(Array.from({ length: published }, (_, index) => String(index + 1)));
    expect(reader.gaps).toEqual([]);
    expect(reader.errors).toEqual([]);
  });

  it('waits for its turn when the hub has too many streams', async () => {
    await using herald = await startHub({ HERALD_MAX_CONNECTIONS: '1' });
    using publisher = await Publisher.of(herald);
    using first = Reader.of(herald.url);
    first.read('urn:t');
    await first.isOpen();
    using second = Reader.of(herald.url);
    second.read('urn:t');
    await second.until(({ notices }) => notices.includes('overloaded'));
    first.client.dispose();
    const opened = second.states.length;
    await second.until(({ client, states }) => client.state === 'open' && states.length > opened);
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await second.has('1');

    expect(second.errors).toEqual([]);
  });

  it('tells of a gap, and of messages that the hub has lost', async () => {
    const gap = 'event: herald\ndata: {"type":"gap","reason":"trimmed"}\n\n';
    await using hub = await ScriptedHub.start(stream(`${gap}${notice('reset')}event: herald\ndata: no JSON\n\n`));
    using reader = Reader.of(hub.url);
    const gaps: string[] = [];
    reader.read('urn:t', { onGap: ({ type }) => gaps.push(type) });
    await reader.until(({ notices }) => notices.length === 2);

    expect(gaps).toEqual(['gap', 'reset']);
  });

  it('is not live before the hub could look up where the stream begins', async () => {
    const unavailable = streamThatEnds(`retry: 0\n${notice('unavailable')}`, { 'mercure-last-event-id': '' });
    await using hub = await ScriptedHub.start(unavailable, unavailable, stream());
    using reader = Reader.of(hub.url);
    let asked = 0;
    reader.read('urn:t', { onLive: () => (asked = hub.requests.length) });
    await reader.until(() => asked > 0);

    expect(asked).toBe(3);
  });

  it('delivers nothing more once it is disposed of, even of what came in one piece', async () => {
    await using hub = await ScriptedHub.start(stream('id: 1\ndata: 1\n\nid: 2\ndata: 2\n\n'));
    using reader = Reader.of(hub.url);
    reader.client.on('state', () => undefined);
    reader.client.subscribe('urn:t', () => reader.client.dispose());
    reader.read('urn:t');
    await reader.until(({ client }) => client.state === 'closed');

    expect(reader.texts.includes('2')).toBe(false);
  });
});

it('the client library is not taken in by what proxies tell an EventSource while the hub is away', async () => {
  const away: Answer = (response, request) => {
    const isFooled = request?.headers.accept === 'text/event-stream';
    if (!isFooled) return status(503)(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('retry: 3000\n: the hub is away\n');
  };
  await using hub = await ScriptedHub.start(away, away, stream());
  using reader = Reader.of(hub.url, { backoff: { min: 1, max: 1 } });
  reader.read('urn:t');
  await reader.isOpen();
  expect(hub.requests).toHaveLength(3);
  expect(reader.states.indexOf('open')).toBe(reader.states.length - 1);
});
