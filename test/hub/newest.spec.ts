import { describe, expect, it } from '@jest/globals';
import { CURSOR, send, textOf } from '../support/event-stream.js';
import { HUB, noticesOf, Publisher, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';

type Stream = Awaited<ReturnType<typeof subscribe>>;

const dataOf = (stream: Stream): string[] => updatesOf(stream).map(({ data }) => data);

const isCaughtUp = (stream: Stream): boolean => noticesOf(stream).some(({ type }) => type === 'caught-up');

/** Numbers from 1 on, each third of them to the topic that is asked for, each sixth private. */
async function publishMany(publisher: Publisher, count: number): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => {
    const number = index + 1;
    const topic = number % 3 === 0 ? 'urn:wanted' : 'urn:other';
    return JSON.stringify({ topic, id: `urn:n:${number}`, data: String(number), private: number % 6 === 0 });
  });
  const headers = { 'content-type': 'application/x-ndjson' };
  await textOf(await publisher.post(lines.join('\n'), headers, `${HUB}/batch`));
}

describe.each([
  ['out of the recent log', {}],
  ['out of the journal', { HERALD_RECENT_BYTES: '1kb' }],
])('last=n, %s,', (_, env) => {
  it('begins with the newest that the reader wants and may read, and goes on live', async () => {
    await using herald = await startHub(env);
    using publisher = await Publisher.of(herald);
    await publishMany(publisher, 100);
    await using stream = await subscribe(herald, { query: 'match=urn:wanted&last=3' });
    await stream.until(isCaughtUp);

    expect(dataOf(stream)).toEqual(['87', '93', '99']);
    // It is told where it is when that is through, and not before.
    expect([stream.cursors, stream.lastEventId]).toEqual([[], expect.stringMatching(CURSOR)]);
    const cursor = String(stream.response.headers['mercure-last-event-id']);
    expect(cursor).toMatch(CURSOR);
    await using again = await subscribe(herald, { query: 'match=urn:wanted', headers: { 'last-event-id': cursor } });
    await again.until(isCaughtUp);
    expect(dataOf(again)).toEqual(['87', '93', '99']);

    const token = await subscriberToken();
    const headers = { authorization: `Bearer ${token}` };
    await using granted = await subscribe(herald, { query: 'match=urn:wanted&last=3', headers });
    await granted.until(isCaughtUp);
    expect(dataOf(granted)).toEqual(['93', '96', '99']);

    await publisher.publish({ topic: 'urn:wanted', data: 'live' });
    await stream.until((seen) => dataOf(seen).includes('live'));
    expect(dataOf(stream)).toEqual(['87', '93', '99', 'live']);
  });

  it('begins with all where there are fewer, and with what is new where there is none', async () => {
    await using herald = await startHub(env);
    using publisher = await Publisher.of(herald);
    await publishMany(publisher, 10);
    await using few = await subscribe(herald, { query: 'match=urn:wanted&last=1000' });
    await few.until(isCaughtUp);
    expect(dataOf(few)).toEqual(['3', '9']);

    await using none = await subscribe(herald, { query: 'match=urn:nobody&last=5' });
    await none.until(isCaughtUp);
    expect(none.response.headers['mercure-last-event-id']).toMatch(CURSOR);
    await publisher.publish({ topic: 'urn:nobody', data: 'first' });
    await none.until((seen) => dataOf(seen).length > 0);
    expect(dataOf(none)).toEqual(['first']);
  });
});

describe('last=n', () => {
  it('gives way to the id that a reader resumes after, but not to an empty one', async () => {
    await using herald = await startHub();
    using publisher = await Publisher.of(herald);
    await publishMany(publisher, 30);
    const query = 'match=urn:other&last=1';
    await using resumed = await subscribe(herald, { query, headers: { 'last-event-id': 'urn:n:26' } });
    await resumed.until(isCaughtUp);
    expect(dataOf(resumed)).toEqual(['28', '29']);

    await using begun = await subscribe(herald, { query: `${query}&last_event_id=` });
    await begun.until(isCaughtUp);
    expect(dataOf(begun)).toEqual(['29']);
  });

  it.each(['0', '1001', '-1', '1.5', 'many', ''])('is refused as %j', async (last) => {
    await using herald = await startHub();
    const response = await send(`${herald.url}${HUB}?match=urn:t&last=${last}`);
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(await textOf(response))).toMatchObject({ code: 'last-invalid' });
  });
});
