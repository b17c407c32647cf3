import { describe, expect, it } from '@jest/globals';
import type { TokenRequest } from '../../client/lib/index.js';
import { resumeFrom } from '../../client/lib/resume.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { HUB, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { Reader } from './reader.js';
import { Scene } from './scene.js';
import { type Answer, refusal, ScriptedHub, status, stream, streamThatEnds } from './scripted-hub.js';

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe('the client library, when a connection ends,', () => {
  it('resumes after a cut without loss, from before the first message on', async () => {
    await using scene = await Scene.open();
    const { proxy, publisher, reader } = scene;
    for (let round = 0; round < 2; round += 1) {
      proxy.goAway();
      await reader.until(({ client }) => client.state !== 'open');
      for (let n = 1; n <= 4; n += 1) await publisher.publish({ topic: 'urn:t', data: String(round * 4 + n) });
      proxy.comeBack();
      await reader.has(String(round * 4 + 4));
    }

    expect(reader.texts).toEqual(range(1, 8));
    expect(reader.gaps).toEqual([]);
  });

  it('loses and doubles nothing while it is cut again and again', async () => {
    await using scene = await Scene.open();
    const { proxy, publisher, reader } = scene;
    for (let n = 1; n <= 400; n += 1) {
      await publisher.publish({ topic: 'urn:t', data: String(n) });
      if (n % 40 === 0) proxy.cut();
    }
    await reader.has('400');

    expect(reader.texts).toEqual(range(1, 400));
  });

  it('says what is missing when the hub has forgotten where it was', async () => {
    await using scene = await Scene.open();
    const { herald: first, proxy, publisher, reader } = scene;
    await publisher.publish({ topic: 'urn:t', data: 'before' });
    await reader.has('before');
    await first.kill('SIGKILL');
    await using second = await startHub();
    using again = await Publisher.of(second);
    await again.publish({ topic: 'urn:t', data: 'after' });
    proxy.comeBack(second.port);
    await reader.has('after');

    expect(reader.gaps).toEqual(['not-held']);
    expect(reader.texts).toEqual(['before', 'after']);
  });

  it('comes back after a clean end: a maximum age, and a process that stops', async () => {
    await using scene = await Scene.open({ HERALD_MAX_AGE: '300ms' });
    const { herald, publisher, reader } = scene;
    await reader.until(({ states }) => states.filter((state) => state === 'open').length >= 2);
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await reader.has('1');
    await herald.kill('SIGTERM');
    await reader.until(({ notices }) => notices.includes('drain'));

    expect(reader.errors).toEqual([]);
  });

  it('notices a stream that is silent for longer than the hub announced', async () => {
    await using scene = await Scene.open({ HERALD_HEARTBEAT: '100ms' });
    const { proxy, publisher, reader } = scene;
    proxy.stall();
    await publisher.publish({ topic: 'urn:t', data: 'while it was stalled' });
    await reader.has('while it was stalled');

    expect(reader.errors).toEqual(['stalled']);
  });

  it('leaves a stream alone that has nothing but heartbeats', async () => {
    // Ten times as long as the watchdog would wait for the first.
    const heartbeats = 50;
    await using hub = await ScriptedHub.start((response) => {
      stream('', { 'herald-heartbeat': '0.1' })(response);
      let sent = 0;
      const timer = setInterval(() => {
        sent += 1;
        response.write(sent < heartbeats ? ':\n' : 'data: after all\n\n');
        if (sent === heartbeats) clearInterval(timer);
      }, 50);
    });
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.has('after all');

    expect(hub.requests).toHaveLength(1);
  });

  it('asks for a fresh token when one is refused, and then no more', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using publisher = await Publisher.of(herald);
    const good = await subscriberToken();
    const stale = await subscriberToken({ expires: '-1m' });
    const reasons: TokenRequest['reason'][] = [];
    const token = ({ reason }: TokenRequest): string => {
      reasons.push(reason);
      return reason === 'unauthorized' ? good : stale;
    };
    using reader = Reader.of(herald.url, { token });
    reader.read('urn:t');
    await reader.isOpen();
    await publisher.publish({ topic: 'urn:t', data: 'secret', private: 'on' });
    await reader.has('secret');
    expect(reasons).toEqual(['initial', 'unauthorized']);

    using refused = Reader.of(herald.url, { token: () => stale });
    refused.read('urn:t');
    await refused.until(({ client }) => client.state === 'failed');
    expect(refused.errors).toEqual(['unauthorized']);
  });

  it('asks the provider anew for each attempt, and survives its failures', async () => {
    await using hub = await ScriptedHub.start(streamThatEnds('retry: 0\n\n'), stream());
    let asked = 0;
    const token = async (): Promise<string> => {
      asked += 1;
      if (asked === 2) throw new Error('the login service is away');
      return `token-${asked}`;
    };
    using reader = Reader.of(hub.url, { token });
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(hub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer token-1', 'Bearer token-3']);
    expect(reader.errors).toEqual(['token-failed']);
  });

  it('comes back with a new token at once when the hub says that the old one has expired', async () => {
    const expired = 'retry: 3600000\nid: 1\ndata: a\n\nevent: herald\ndata: {"type":"expired"}\n\n';
    await using hub = await ScriptedHub.start(streamThatEnds(expired), stream());
    const reasons: TokenRequest['reason'][] = [];
    using reader = Reader.of(hub.url, {
      token: ({ reason }) => {
        reasons.push(reason);
        return 'token';
      },
    });
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(reasons).toEqual(['initial', 'expired']);
    expect(hub.cursors).toEqual(['', '1']);
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('tries again after a %i', async (code) => {
    await using hub = await ScriptedHub.start(status(code), stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.isOpen();

    expect(reader.errors).toEqual(['busy']);
  });

  it.each([
    [400, refusal(400, 'begin-invalid'), 'refused'],
    [403, refusal(403, 'session-forbidden'), 'refused'],
    [404, refusal(404, 'not-found'), 'refused'],
    [401, refusal(401, 'token-invalid'), 'unauthorized'],
    [204, status(204), 'stopped'],
  ])('gives up at a %i of the hub, until it is told to try again', async (_status, answer, error) => {
    await using hub = await ScriptedHub.start(answer, stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(({ client }) => client.state === 'failed');
    expect(reader.errors).toEqual([error]);
    reader.client.reconnect();
    await reader.isOpen();

    expect(hub.requests).toHaveLength(2);
  });

  it.each([400, 401, 403, 404, 410, 502])(
    'comes back after a %i of a gateway that has no hub behind it',
    async (code) => {
      const page: Answer = (response) => response.writeHead(code, { 'content-type': 'text/html' }).end('<p>Deploying');
      await using hub = await ScriptedHub.start(page, page, stream());
      using reader = Reader.of(hub.url);
      const states: string[] = [];
      reader.read('urn:t', { onState: (state) => states.push(state) });
      await reader.isOpen();

      expect(hub.requests).toHaveLength(3);
      expect(reader.states).not.toContain('failed');
      expect(states).toEqual(['live']);
    },
  );

  it('takes an answer that is no stream for somebody else in between', async () => {
    const page = status(200, { 'content-type': 'text/html' });
    await using hub = await ScriptedHub.start(page, stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.isOpen();

    expect(reader.errors).toEqual(['not-a-stream']);
  });

  it('waits at least as long as the hub asked for', async () => {
    const at: number[] = [];
    const note = (): number => at.push(performance.now());
    await using hub = await ScriptedHub.start(
      (response, request) => {
        note();
        streamThatEnds('retry: 400\n\n')(response, request);
      },
      (response, request) => {
        note();
        stream()(response, request);
      },
    );
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(() => at.length === 2);

    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(395);
  });

  it('sends the last id of a block without data, and drops that of an unfinished one', async () => {
    await using hub = await ScriptedHub.start(
      streamThatEnds('retry: 0\nid: 1\ndata: a\n\nid: 2\n\nid: 3\ndata: unfinished\n'),
      stream(),
    );
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(hub.cursors).toEqual(['', '2']);
    expect(reader.texts).toEqual(['a']);
  });

  it('resumes after an id that no header may carry', async () => {
    await using hub = await ScriptedHub.start(streamThatEnds('retry: 0\nid: 你好\ndata: a\n\n'), stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(hub.cursors).toEqual(['', '你好']);
  });

  it('begins where the hub says that the stream begins', async () => {
    const first = streamThatEnds('retry: 0\n\n', { 'mercure-last-event-id': 'urn:head' });
    await using hub = await ScriptedHub.start(first, stream());
    using reader = Reader.of(hub.url);
    reader.read('urn:t');
    await reader.until(() => hub.requests.length === 2);

    expect(hub.cursors).toEqual(['', 'urn:head']);
  });

  it('asks with QUERY for what is too long for a URL', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.read(Array.from({ length: 90 }, (_, index) => `urn:${'x'.repeat(200)}:${index}`));
    await reader.isOpen();
    await publisher.publish({ topic: `urn:${'x'.repeat(200)}:89`, data: 'long' });
    await reader.has('long');

    expect(reader.errors).toEqual([]);
  });

  it('goes on with the old topics when the hub refuses a new one', async () => {
    await using hub = await ScriptedHub.start(
      stream('id: 1\ntopic: urn:a\ndata: 1\n\n'),
      refusal(400, 'matcher-invalid'),
    );
    using reader = Reader.of(hub.url);
    reader.read('urn:a');
    await reader.has('1');
    reader.read('urn:b');
    await reader.until(({ errors }) => errors.includes('refused'));

    expect(reader.client.state).toBe('open');
  });

  it('takes up where a page stopped that was left', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const stored = new Map<string, string>();
    const resume = resumeFrom({
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    });
    using before = Reader.of(herald.url, { resume });
    before.read('urn:t');
    await before.isOpen();
    await publisher.publish({ topic: 'urn:t', data: '1' });
    await before.has('1');
    before.client.dispose();
    await publisher.publish({ topic: 'urn:t', data: '2' });
    await publisher.publish({ topic: 'urn:other', data: 'not subscribed before' });
    using after = Reader.of(herald.url, { resume });
    // What the page has seen comes before how a new one would begin.
    after.read('urn:t', { last: 2 });
    after.read('urn:other');
    await after.has('2');
    await publisher.publish({ topic: 'urn:t', data: '3' });
    await after.has('3');

    expect(after.texts).toEqual(['2', '3']);
    expect([...stored.keys()]).toEqual([`herald ${herald.url}${HUB}`]);
  });

  it('catches up over a connection that is cut meanwhile, while new messages flow', async () => {
    await using herald = await startHub();
    await using proxy = await FaultProxy.before(herald.port);
    using publisher = await Publisher.of(herald);
    const first = await publisher.publish({ topic: 'urn:t', data: '0' });
    for (let n = 1; n <= 200; n += 1) await publisher.publish({ topic: 'urn:t', data: String(n) });
    using reader = Reader.of(proxy.url);
    reader.read('urn:t', { since: first });
    for (let n = 201; n <= 400; n += 1) {
      await publisher.publish({ topic: 'urn:t', data: String(n) });
      if (n % 50 === 0) proxy.cut();
    }
    await reader.has('400');

    expect(reader.texts).toEqual(range(1, 400));
  });
});
