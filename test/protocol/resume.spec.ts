import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventStream } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { noticesOf, Publisher, startHub, subscribe, subscriberToken, updatesOf } from '../support/hub.js';
import { ask, bearer } from './hub-client.js';

describe('resuming', () => {
  let herald: Herald;
  let publisher: Publisher;

  beforeAll(async () => {
    herald = await startHub();
    publisher = await Publisher.of(herald);
  });
  afterAll(async () => {
    publisher[Symbol.dispose]();
    await herald.kill();
  });

  async function replayed(query: string, headers: Record<string, string> = {}): Promise<string[]> {
    await using stream = await subscribe(herald, { query, headers });
    await caughtUp(stream);
    return updatesOf(stream).map(({ data }) => data);
  }

  function caughtUp(stream: EventStream): Promise<EventStream> {
    return stream.until((one) => noticesOf(one).some(({ type }) => type === 'caught-up'));
  }

  it('R65: resumes by header or parameter, and the header wins', async () => {
    const ids = [];
    for (const data of ['1', '2', '3']) ids.push(await publisher.publish({ topic: 'urn:r65', data }));
    expect(await replayed(`match=urn:r65&last_event_id=${ids[0]}`)).toEqual(['2', '3']);
    expect(await replayed(`match=urn:r65&last_event_id=${ids[0]}`, { 'last-event-id': ids[1] ?? '' })).toEqual(['3']);
  });

  it('R66: judges each replayed private update by the token of now', async () => {
    const start = await publisher.publish({ topic: 'urn:r66', data: 'start' });
    await publisher.publish({ topic: 'urn:r66:a', data: 'a', private: 'on' });
    await publisher.publish({ topic: 'urn:r66:b', data: 'b', private: 'on' });
    const query = `match=urn:r66:a&match=urn:r66:b&last_event_id=${start}`;
    const token = await subscriberToken({ topics: [{ match: 'urn:r66:b' }] });
    expect(await replayed(query, bearer(token))).toEqual(['b']);
    expect(await replayed(query)).toEqual([]);
  });

  it('R67: replays everything that is held to who asks for the earliest', async () => {
    await publisher.publish({ topic: 'urn:r67', data: '1' });
    await publisher.publish({ topic: 'urn:r67', data: '2' });
    expect(await replayed('match=urn:r67&last_event_id=earliest')).toEqual(['1', '2']);
  });

  it('R68: resumes after the first of several updates with the same id', async () => {
    for (const data of ['1', '2', '3']) await publisher.publish({ topic: 'urn:r68', id: 'urn:same', data });
    expect(await replayed('match=urn:r68&last_event_id=urn:same')).toEqual(['2', '3']);
  });

  it('R69: says before which event the stream begins', async () => {
    const id = await publisher.publish({ topic: 'urn:r69', data: 'x' });
    const lastEventIdOf = async (headers: Record<string, string>) =>
      (await ask(herald, { method: 'HEAD', path: '?match=urn:r69', headers })).headers['mercure-last-event-id'];
    expect(await lastEventIdOf({ 'last-event-id': id })).toBe(id);
    expect(await lastEventIdOf({ 'last-event-id': 'earliest' })).toBe('earliest');
    expect(await lastEventIdOf({ 'last-event-id': 'urn:unknown' })).toBe('earliest');
    expect(await lastEventIdOf({ 'last-event-id': '' })).toBe(id);
    expect(await lastEventIdOf({})).toBeUndefined();
  });

  it('R69, R71: tells within the stream when what was asked for is not held', async () => {
    await using stream = await subscribe(herald, { query: 'match=urn:none&last_event_id=urn:unknown' });
    await caughtUp(stream);
    expect(noticesOf(stream)[0]).toEqual({ type: 'gap', reason: 'not-held' });
  });

  it('R70: makes ids that tell nothing', async () => {
    const ids = await Promise.all([1, 2].map(() => publisher.publish({ topic: 'urn:r70' })));
    // Version 4: random, with no time in it.
    for (const id of ids) expect(id).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  });

  it('replays more than a thousand updates in one go (the reference hub disconnects)', async () => {
    const start = await publisher.publish({ topic: 'urn:many', data: 'start' });
    const lines = Array.from({ length: 1500 }, (_, index) =>
      JSON.stringify({ topic: 'urn:many', data: String(index) }),
    );
    const answer = await publisher.post(
      lines.join('\n'),
      { 'content-type': 'application/x-ndjson' },
      '/.well-known/mercure/batch',
    );
    answer.resume();
    await using stream = await subscribe(herald, { query: `match=urn:many&last_event_id=${start}` });
    await stream.until((one) => updatesOf(one).length === 1500);
    expect(updatesOf(stream).map(({ data }) => Number(data))).toEqual(
      Array.from({ length: 1500 }, (_, index) => index),
    );
  });
});
