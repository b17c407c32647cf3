import { describe, expect, it } from '@jest/globals';
import { URLPattern } from 'urlpattern-polyfill';
import { type Herald } from '../support/herald.js';
import { Publisher, startHub } from '../support/hub.js';
import { Reader } from './reader.js';
import { type Answer, refusal, ScriptedHub, stream } from './scripted-hub.js';

/** Compiles nowhere: Chromium's `URLPattern` takes it, and the hub does not. */
const BAD = { pattern: 'https://example.com/:id((?<=a)b)' };

/** As Herald does when it has sent all that came after the cursor. */
const CAUGHT_UP = stream('event: herald\ndata: {"type":"caught-up"}\n\n');

function topics(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `urn:topic:${index}`);
}

function streamsOf(herald: Herald): number {
  return herald.logLines().filter(({ msg }) => msg === 'stream opened').length;
}

describe('very many topics', () => {
  it('are read over as many streams as the hub wants, and each gets its messages once', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    let live = 0;
    for (const topic of topics(2_100)) reader.read(topic, { onLive: () => (live += 1) });
    await reader.isOpen();
    await reader.until(() => live === 2_100);
    for (const index of [0, 999, 1_000, 2_099])
      await publisher.publish({ topic: `urn:topic:${index}`, data: `${index}` });
    await reader.until(({ texts }) => texts.length === 4);

    expect(reader.texts.toSorted()).toEqual(['0', '1000', '2099', '999']);
    expect(reader.errors).toEqual([]);
    expect(streamsOf(herald)).toBe(3);
  });

  it('may be those of one subscription, which gets each message once although two of its topics have it', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const stop = reader.read(topics(1_500));
    await reader.until(() => stop.state === 'live');
    await publisher.publish({ topic: ['urn:topic:1', 'urn:topic:1499'], data: 'both' });
    await publisher.publish({ topic: 'urn:topic:1499', data: 'last' });
    await reader.until(({ texts }) => texts.includes('last') && texts.includes('both'));

    expect(reader.texts.toSorted()).toEqual(['both', 'last']);
  });

  it('are resumed on all of their streams when the hub is back', async () => {
    await using herald = await startHub({ HERALD_MAX_AGE: '500ms' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const stop = reader.read(topics(1_500));
    await reader.until(() => stop.state === 'live');
    for (let n = 0; n < 100; n += 1) {
      await publisher.publish({ topic: `urn:topic:${n * 15}`, data: `${n}` });
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    await reader.until(({ texts }) => texts.length >= 100);

    expect(reader.texts.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(reader.gaps).toEqual([]);
  });

  it('go into URLs where something in between does not know the method QUERY', async () => {
    const answer: Answer = (response, request) => {
      if (request?.method === 'QUERY') response.writeHead(405, { 'content-type': 'text/html' }).end('no');
      else stream()(response, request);
    };
    await using hub = await ScriptedHub.start(answer);
    using reader = Reader.of(hub.url);
    const stop = reader.read(topics(600));
    await reader.until(() => stop.state === 'live');
    const urls = hub.requests.filter(({ method }) => method === 'GET').map(({ url = '' }) => url);

    expect(hub.requests.filter(({ method }) => method === 'QUERY')).toHaveLength(1);
    expect(urls.length).toBeGreaterThan(1);
    expect(Math.max(...urls.map(({ length }) => length))).toBeLessThan(8_000);
  });
});

describe('a topic that the hub refuses', () => {
  it('harms no other, now or when the stream begins anew', async () => {
    await using herald = await startHub({ HERALD_MAX_AGE: '400ms' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url, { urlPattern: URLPattern });
    const states: string[] = [];
    for (const topic of topics(20)) reader.read(topic);
    const stop = reader.read(BAD, { onState: (state) => states.push(state) });
    for (const topic of topics(40).slice(20)) reader.read(topic);
    await reader.until(() => stop.state === 'refused');
    await reader.until((one) => one.states.filter((state) => state === 'open').length >= 3);
    await publisher.publish({ topic: 'urn:topic:39', data: 'still there' });
    await reader.has('still there');

    expect(states).toEqual(['refused']);
    expect(stop.error).toMatchObject({ code: 'refused', status: 400, problem: { code: 'matcher-invalid' } });
    expect(stop.error?.message).toContain(stop.error?.problem?.detail ?? 'nothing');
    expect(reader.errors).toEqual(['refused']);
  });

  it('is found among a thousand by a few requests', async () => {
    let bad = 0;
    const answer: Answer = (response, request) => {
      if (`${decodeURIComponent(request?.url ?? '')}&`.includes('urn:topic:77&')) {
        bad += 1;
        refusal(400, 'matcher-invalid')(response);
      } else CAUGHT_UP(response, request);
    };
    await using hub = await ScriptedHub.start(answer);
    using reader = Reader.of(hub.url);
    const handles = topics(100).map((topic) => reader.read(topic));
    await reader.until(() => handles.filter(({ state }) => state === 'live').length === 99);

    expect(handles.filter(({ state }) => state === 'refused')).toEqual([handles[77]]);
    expect(bad).toBeLessThan(12);
    expect(hub.requests.length).toBeLessThan(20);
  });

  it('leaves the others of its own subscription alone, and tells it', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url, { urlPattern: URLPattern });
    const stop = reader.read(['urn:a', BAD]);
    await reader.until(() => stop.state === 'live');
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await reader.has('1');

    expect(stop.error?.problem?.code).toBe('matcher-invalid');
  });

  it('may be tried again', async () => {
    await using hub = await ScriptedHub.start(refusal(400, 'matcher-invalid'), stream());
    using reader = Reader.of(hub.url);
    const first = reader.read('urn:a');
    await reader.until(() => first.state === 'refused');
    first();
    const second = reader.read('urn:a');
    await reader.until(() => second.state === 'live');

    expect(first.state).toBe('ended');
  });
});

describe('topics that come and go', () => {
  it('make a few streams, and none at all when they come back soon', async () => {
    await using hub = await ScriptedHub.start(CAUGHT_UP);
    using reader = Reader.of(hub.url);
    const handles: ReturnType<typeof reader.read>[] = [];
    for (const topic of topics(20)) {
      handles.push(reader.read(topic));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await reader.until(() => handles.every(({ state }) => state === 'live'));
    const { length } = hub.requests;
    expect(length).toBeLessThan(10);
    for (const stop of handles.slice(1)) stop();
    for (const topic of topics(20).slice(10)) reader.read(topic);
    await reader.until(() => handles[0]?.state === 'live');

    expect(hub.requests).toHaveLength(length);
  });
});
