import { describe, expect, it } from '@jest/globals';
import { URLPattern } from 'urlpattern-polyfill';
import { createHeraldClient } from '../../client/lib/index.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { HUB, Publisher, publisherToken, startHub } from '../support/hub.js';
import { QUICK, Reader } from './reader.js';
import { ScriptedHub, stream } from './scripted-hub.js';

const BOOK = 'https://example.com/books/1';

describe('the client library', () => {
  it('delivers what is published from the moment that it is open', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    await publisher.publish({ topic: BOOK, data: 'too early' });
    reader.read(BOOK);
    await reader.isOpen();
    const id = await publisher.publish({ topic: BOOK, data: '{"title":"Dune"}', type: 'book' });
    await reader.until(({ messages }) => messages.length > 0);

    expect(reader.messages[0]).toMatchObject({
      id,
      topic: BOOK,
      type: 'book',
      data: { title: 'Dune' },
      replayed: false,
    });
    expect(reader.texts).toHaveLength(1);
  });

  it('gives each of several subscribers its own over one connection', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url, { urlPattern: URLPattern });
    const seen: string[] = [];
    const follow = (name: string, match: Parameters<typeof reader.client.subscribe>[0]): void => {
      reader.client.subscribe(match, ({ topic, text }) => seen.push(`${name} ${topic} ${text}`));
    };
    follow('one', 'urn:a');
    follow('two', ['urn:a', 'urn:b']);
    follow('pattern', { pattern: 'https://example.com/books/:id' });
    reader.read('*');
    await reader.isOpen();
    await publisher.publish({ topic: 'urn:a', data: '1' });
    await publisher.publish({ topic: 'urn:b', data: '2' });
    await publisher.publish({ topic: [BOOK, 'urn:a'], data: '3' });
    await publisher.publish({ topic: 'urn:other', data: '4' });
    await reader.has('4');

    expect(seen).toEqual([
      'one urn:a 1',
      'two urn:a 1',
      'two urn:b 2',
      'one urn:a 3',
      'two urn:a 3',
      `pattern ${BOOK} 3`,
    ]);
    expect(reader.texts).toEqual(['1', '2', '3', '4']);
    expect(herald.logLines().filter(({ msg }) => msg === 'stream opened')).toHaveLength(1);
  });

  it('changes what it subscribes to while messages flow, and loses and doubles nothing', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.read('urn:base');
    await reader.isOpen();
    let published = 0;
    const done = new AbortController();
    const publishing = (async () => {
      for (; !done.signal.aborted; published += 1)
        await publisher.publish({ topic: 'urn:base', data: String(published) });
    })();
    for (let round = 0; round < 10; round += 1) {
      const extra = `urn:extra:${round}`;
      const stop = reader.read(extra);
      const wanted = `extra ${round}`;
      while (!reader.texts.includes(wanted)) {
        await publisher.publish({ topic: extra, data: wanted });
        await publisher.publish({ topic: 'urn:tick', data: '' });
      }
      stop();
    }
    done.abort();
    await publishing;
    await reader.has(String(published - 1));

    expect(reader.texts.filter((text) => !text.startsWith('extra'))).toEqual(
      Array.from({ length: published }, (_, index) => String(index)),
    );
  });

  it('begins where it is told to, and goes on live without a seam', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const first = await publisher.publish({ topic: 'urn:t', data: '1' });
    await publisher.publish({ topic: 'urn:t', data: '2' });
    using reader = Reader.of(herald.url);
    reader.read('urn:t', { since: first });
    await publisher.publish({ topic: 'urn:t', data: '3' });
    await reader.has('3');
    await publisher.publish({ topic: 'urn:t', data: '4' });
    await reader.has('4');

    expect(reader.texts).toEqual(['2', '3', '4']);
    expect(reader.messages[0]?.replayed).toBe(true);
  });

  it('begins with the newest, if asked, and with what it has missed when it comes back', async () => {
    await using herald = await startHub();
    await using proxy = await FaultProxy.before(herald.port);
    using publisher = await Publisher.of(herald);
    for (const data of ['1', '2', '3', '4']) await publisher.publish({ topic: 'urn:t', data });
    using reader = Reader.of(proxy.url);
    reader.read('urn:t', { last: 2 });
    await reader.has('4');
    proxy.cut();
    for (const data of ['5', '6', '7']) await publisher.publish({ topic: 'urn:t', data });
    await reader.has('7');
    reader.read('urn:t', { last: 1, since: 'earliest' });
    await reader.until(({ texts }) => texts.length === 12);

    expect(reader.texts).toEqual(['3', '4', '5', '6', '7', '1', '2', '3', '4', '5', '6', '7']);
    expect(reader.gaps).toEqual([]);
  });

  it('says when what it should begin after is not held any more', async () => {
    await using herald = await startHub();
    using reader = Reader.of(herald.url);
    reader.read('urn:t', { since: 'urn:uuid:unknown' });
    await reader.until(({ gaps }) => gaps.length > 0);

    expect(reader.gaps).toEqual(['not-held']);
  });

  it('iterates, and lets go of the connection with the loop', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using publisher = await Publisher.of(herald);
    const client = createHeraldClient({ url: herald.url + HUB, closeDelay: 0, ...QUICK });
    const opened = new Promise<void>((resolve) => client.on('state', (state) => state === 'open' && resolve()));
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { text } of client.iterate('urn:t')) if (seen.push(text) === 3) return;
    })();
    await opened;
    for (const data of ['a', 'b', 'c', 'd']) await publisher.publish({ topic: 'urn:t', data });
    await reading;
    await herald.waitForLog(/stream closed/);

    expect(seen).toEqual(['a', 'b', 'c']);
    expect(client.state).toBe('idle');
    client.dispose();
  });

  it('publishes as JSON, and says what was refused', async () => {
    await using herald = await startHub();
    const token = await publisherToken({ topics: [{ match: 'urn:mine' }] });
    using reader = Reader.of(herald.url);
    reader.read('urn:mine');
    await reader.isOpen();
    const client = createHeraldClient({ url: herald.url + HUB, token: () => token });
    const id = await client.publish('urn:mine', { n: 1 }, { type: 'number' });
    await reader.until(({ messages }) => messages.length > 0);

    expect(reader.messages[0]).toMatchObject({ id, data: { n: 1 }, type: 'number' });
    await expect(client.publish('urn:theirs', 1)).rejects.toMatchObject({ code: 'refused', status: 403 });
    client.dispose();
  });

  it('does not let a handler that throws get in the way of others', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    reader.client.subscribe('urn:t', () => {
      throw new Error('mine');
    });
    reader.client.subscribe('urn:t', ({ data }) => data);
    reader.read('urn:t');
    await reader.isOpen();
    await publisher.publish({ topic: 'urn:t', data: 'no json' });
    await reader.has('no json');

    expect(reader.errors).toEqual(['handler-failed', 'data-invalid']);
  });
});

describe('an iterator of the client library', () => {
  it('holds the newest of what is not taken, and tells of the gap; or fails, if asked', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    using reader = Reader.of(herald.url);
    const gaps: unknown[] = [];
    const onGap = (notice: unknown): unknown => gaps.push(notice);
    const newest = reader.client.iterate('urn:t', { buffer: 2, onGap });
    const strict = reader.client.iterate('urn:t', { buffer: 2, overflow: 'fail' });
    const firsts = [newest.next(), strict.next()];
    reader.read('urn:t');
    await reader.isOpen();
    for (const data of ['1', '2', '3', '4', '5']) await publisher.publish({ topic: 'urn:t', data });
    await reader.has('5');
    await Promise.all(firsts);

    expect((await newest.next()).value).toMatchObject({ text: '4' });
    expect(gaps).toEqual([{ type: 'gap', reason: 'overflow' }]);
    await expect(strict.next()).rejects.toMatchObject({ code: 'overflow' });
  });

  it('ends with its signal, and with the client', async () => {
    await using herald = await startHub();
    using reader = Reader.of(herald.url);
    const stop = new AbortController();
    const both = [
      reader.client.iterate('urn:t', { signal: stop.signal }).next(),
      reader.client.iterate('urn:t').next(),
    ] as const;
    await reader.isOpen();
    stop.abort();
    expect(await both[0]).toEqual({ done: true, value: undefined });
    reader.client.dispose();
    expect(await both[1]).toEqual({ done: true, value: undefined });
    await expect(reader.client.iterate('urn:t').next()).rejects.toMatchObject({ code: 'misused' });
  });

  it('ends when it is told to, also while it waits for a message', async () => {
    await using herald = await startHub({ LOG_LEVEL: 'debug' });
    using reader = Reader.of(herald.url, { closeDelay: 0 });
    const iterator = reader.client.iterate('urn:t');
    const waiting = [iterator.next(), iterator.next()];
    await reader.isOpen();
    const end = { done: true, value: undefined };

    expect(await iterator.return()).toEqual(end);
    expect(await Promise.all(waiting)).toEqual([end, end]);
    expect(await iterator.next()).toEqual(end);
    await herald.waitForLog(/stream closed/);
  });

  it('throws why the hub refuses its subscription, once', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using reader = Reader.of(herald.url);
    const iterator = reader.client.iterate('urn:t');

    await expect(iterator.next()).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe('without topics in its messages,', () => {
  it('a hub that names none is complained of, instead of guessing', async () => {
    await using hub = await ScriptedHub.start(stream('data: whose?\n\n'));
    using reader = Reader.of(hub.url);
    reader.read('urn:a');
    reader.read('urn:b');
    await reader.until(({ errors }) => errors.length > 0);

    expect(reader.errors).toEqual(['topics-unknown']);
    expect(reader.texts).toEqual([]);
  });
});
