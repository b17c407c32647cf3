import { describe, expect, it } from '@jest/globals';
import { ADMIN_KEY, adminToken, Publisher, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';

const PATTERN = encodeURIComponent('https://example.com/books/:id');
const BOOK = 'https://example.com/books/1';

function topicLines(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('topic: '));
}

describe('with=topics', () => {
  it('names those of the topics that the reader has asked for, and nothing without it', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const query = `match=urn:a&match_urlpattern=${PATTERN}`;
    await using named = await subscribe(herald, { query: `${query}&with=topics` });
    await using plain = await subscribe(herald, { query });
    await publisher.publish({ topic: ['urn:a', 'urn:hidden', BOOK], data: '1' });
    await Promise.all([named, plain].map((stream) => stream.until((seen) => updatesOf(seen).length === 1)));

    expect(topicLines(named.text)).toEqual(['topic: urn:a', `topic: ${BOOK}`]);
    expect(topicLines(plain.text)).toEqual([]);
  });

  it('names no topic of a private update that the reader only matches by a pattern, unless it is granted too', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    const token = await subscriberToken({ topics: [{ match: 'urn:granted' }] });
    const query = 'match=*&with=topics';
    await using stream = await subscribe(herald, { query, headers: { authorization: `Bearer ${token}` } });
    await publisher.publish({ topic: ['urn:of-somebody-else', 'urn:granted'], data: '1', private: 'on' });
    await stream.until((seen) => updatesOf(seen).length === 1);

    expect(topicLines(stream.text)).toEqual(['topic: urn:granted']);
  });

  it('names them in what comes from the history too', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publisher.publish({ topic: ['urn:a', 'urn:b'], data: '1' });
    await using stream = await subscribe(herald, { query: 'match=urn:b&with=topics&last_event_id=earliest' });
    await stream.until((seen) => updatesOf(seen).length === 1);

    expect(topicLines(stream.text)).toEqual(['topic: urn:b']);
  });
});

describe('the header Herald-Process', () => {
  it('names the process that answers, as the list of processes does', async () => {
    await using herald = await startHub({ HERALD_ADMIN_KEY: ADMIN_KEY });
    await using stream = await subscribe(herald, { query: 'match=urn:t' });
    const headers = { authorization: `Bearer ${await adminToken()}` };
    const answer = await fetch(`${herald.url}/admin/processes`, { headers });
    const { processes } = (await answer.json()) as { processes: { id: string }[] };

    expect(processes.map(({ id }) => id)).toEqual([stream.response.headers['herald-process']]);
  });
});

describe('the header Herald-Heartbeat', () => {
  it.each([
    ['20s', '20'],
    ['500ms', '0.5'],
    ['0', '0'],
  ])('announces a heartbeat of %s in seconds', async (heartbeat, seconds) => {
    await using herald = await startHub({ HERALD_HEARTBEAT: heartbeat });
    await using stream = await subscribe(herald, { query: 'match=urn:t' });

    expect(stream.response.headers['herald-heartbeat']).toBe(seconds);
  });
});
