import { describe, expect, it } from '@jest/globals';
import { createHeraldClient, type HeraldClient, type HistoryOptions } from '../../client/lib/index.js';
import { HUB, Publisher, startHub, subscriberToken } from '../support/hub.js';
import { type Answer, ScriptedHub, status, stream } from './scripted-hub.js';

const page: Answer = (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>not here');

async function textsOf(client: HeraldClient, options?: HistoryOptions, topic = 'urn:t'): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of client.history(topic, options)) texts.push(text);
  return texts;
}

function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe('the history', () => {
  it('comes message by message over all pages, or as far as is wanted', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const client = createHeraldClient({ url: herald.url + HUB });
    await publisher.publishAll(range(1, 250).map((data) => ({ topic: 'urn:t', data, id: `urn:${data}` })));

    expect(await textsOf(client)).toEqual(range(1, 250).toReversed());
    expect(await textsOf(client, { limit: 130 })).toEqual(range(121, 250).toReversed());
    expect(await textsOf(client, { order: 'asc', limit: 3 })).toEqual(range(1, 3));
    expect(await textsOf(client, { after: 'urn:200' })).toEqual(range(201, 250));
    expect(await textsOf(client, { before: 'urn:201' })).toEqual(range(1, 200).toReversed());
    expect(await textsOf(client, { after: 'urn:10', before: 'urn:14' })).toEqual(range(11, 13));
  });

  it('comes page by page', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const client = createHeraldClient({ url: herald.url + HUB });
    await publisher.publishAll(range(1, 5).map((data) => ({ topic: 'urn:t', data })));
    const first = await client.historyPage('urn:t', { limit: 3 });
    const second = await client.historyPage('urn:t', { limit: 3, ...first.next });

    expect(first.messages.map(({ text }) => text)).toEqual(['5', '4', '3']);
    expect(second.messages.map(({ text }) => text)).toEqual(['2', '1']);
    expect(second.next).toBeUndefined();
  });

  it('tells of a message all that the hub tells', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    using publisher = await Publisher.of(herald);
    const client = createHeraldClient({ url: herald.url + HUB, token: () => subscriberToken() });
    const topic = ['urn:canonical', 'urn:t'];
    const id = await publisher.publish({ topic, data: '{"n":1}', type: 'made', private: 'on' });
    const { messages } = await client.historyPage('urn:t');

    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatchObject({ id, topic: 'urn:t', type: 'made', data: { n: 1 }, private: true });
    expect(messages[0]?.replayed).toBe(true);
    expect(messages[0]?.time).toBeInstanceOf(Date);
  });

  it('takes a list of topics that no URL can hold', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const client = createHeraldClient({ url: herald.url + HUB });
    const topics = range(1, 300).map((number) => `https://example.com/books/${number}`);
    await publisher.publish({ topic: 'https://example.com/books/300', data: 'found' });
    const { messages } = await client.historyPage(topics);

    expect(messages.map(({ text, topic }) => [text, topic])).toEqual([['found', 'https://example.com/books/300']]);
  });

  it('says which message the hub does not hold, and who may not ask', async () => {
    await using herald = await startHub({ HERALD_ANONYMOUS: 'false' });
    const client = createHeraldClient({ url: herald.url + HUB });
    const reader = createHeraldClient({ url: herald.url + HUB, token: () => subscriberToken() });

    await expect(client.historyPage('urn:t')).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    await expect(reader.historyPage('urn:t', { before: 'urn:unknown' })).rejects.toMatchObject({
      code: 'refused',
      problem: { code: 'id-not-held' },
    });
  });

  it.each([
    ['knows no such path', status(404)],
    ['only lets publish there', status(405)],
    ['has a page there', page],
    ['has a stream there', stream()],
  ])('is not supported by a hub that %s', async (_title, answer) => {
    await using hub = await ScriptedHub.start(answer);
    const client = createHeraldClient({ url: hub.url });

    await expect(client.history('urn:t').next()).rejects.toMatchObject({ code: 'not-supported' });
    expect(hub.requests).toHaveLength(1);
  });

  it('ends with its signal', async () => {
    await using hub = await ScriptedHub.start(status(503, { 'retry-after': '60' }));
    const client = createHeraldClient({ url: hub.url });
    const signal = AbortSignal.abort(new Error('enough'));

    await expect(client.historyPage('urn:t', { signal })).rejects.toThrow('enough');
    expect(hub.requests).toHaveLength(0);
  });
});
