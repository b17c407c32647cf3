import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { cpuSeconds } from '../bench/measure.js';
import { untilConnections } from '../support/admin.js';
import { Crowd } from '../support/crowd.js';
import { textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { Http2Client, Http2Connection, type Http2Options } from '../support/http2-client.js';
import {
  ADMIN_KEY,
  HUB,
  noticesOf,
  Publisher,
  startHub,
  subscribe,
  TLS_ENVIRONMENT,
  updatesOf,
} from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import type { StreamClient } from '../support/stream-client.js';

const LIVE = `${HUB}?match=urn:t`;
const FROM_EARLIEST = `${LIVE}&last_event_id=earliest`;

const NUMBERS = ['1', '2', '3', '4', '5'];

/** Publishes `count` updates of so many bytes each. */
async function publishBacklog(publisher: Publisher, count: number, bytes: number): Promise<void> {
  const lines = Array.from({ length: count }, () => JSON.stringify({ topic: 'urn:t', data: 'x'.repeat(bytes) }));
  const response = await publisher.post(lines.join('\n'), { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
  expect(await textOf(response)).not.toContain('error');
}

describe('a storm of readers that resume and do not read', () => {
  /** The pace at which others come meanwhile: all at once they would be served before the storm has begun. */
  const PACE = 1;

  /** So many heartbeats since its last event, of which a live reader would have got the next long ago. */
  const isDeaf = ({ text }: StreamClient): boolean => text.split('\n:\n').length > 5;

  /** Publishes, and expects that everybody gets it who came meanwhile. */
  async function expectAllHear(publisher: Publisher, readers: readonly StreamClient[]): Promise<void> {
    await Promise.all(readers.map((reader) => reader.until(({ hasBegun }) => hasBegun)));
    for (const data of NUMBERS) await publisher.publish({ topic: 'urn:t', data });
    await Promise.all(readers.map((reader) => reader.until((one) => one.events.length >= 5 || isDeaf(one))));
    const seen = readers.map(({ events }) => events.map(({ data }) => data));
    // A count says more than a thousand readers printed.
    expect(seen.filter((events) => events.length < 5).length).toBe(0);
    expect(new Set(seen.map(String))).toEqual(new Set([String(NUMBERS)]));
  }

  it('leaves nobody deaf who comes for live updates meanwhile', async () => {
    await using herald = await startHub({ HERALD_HEARTBEAT: '1s', HERALD_MAX_BODY: '8mb' });
    using publisher = await Publisher.of(herald);
    await publishBacklog(publisher, 10, 700_000);
    await using storm = new Crowd<RawClient>();
    await using live = new Crowd<RawClient>();
    const stalling = storm.join(300, async () => {
      const client = await RawClient.subscribe(herald, FROM_EARLIEST);
      client.stall();
      return client;
    });
    for (let count = 0; count < 1_500; count += 1) {
      void live.add(RawClient.subscribe(herald, LIVE));
      await delay(PACE);
    }
    await stalling;
    await expectAllHear(publisher, await live.all());
  });

  it('leaves nobody deaf over HTTP/2 either, where a closed window makes a reader full at once', async () => {
    await using herald = await startHub({ ...TLS_ENVIRONMENT, HERALD_HEARTBEAT: '1s', HERALD_MAX_BODY: '8mb' });
    using publisher = await Publisher.of(herald);
    await publishBacklog(publisher, 10, 100_000);
    await using connections = new Crowd<Http2Connection>();
    await using storm = new Crowd<Http2Client>();
    const windowless = await connections.join(20, () => Http2Connection.to(herald, { initialWindowSize: 0 }));
    await using connection = await Http2Connection.to(herald);
    await using live = new Crowd<Http2Client>();
    const subscribe20 = (options: Http2Options): Promise<Http2Client[]> =>
      storm.join(20, () => Http2Client.subscribe(herald, FROM_EARLIEST, {}, options));
    const stalling = Promise.all(windowless.map((one) => subscribe20({ connection: one })));
    for (let count = 0; count < 600; count += 1) {
      void live.add(Http2Client.subscribe(herald, LIVE, {}, { connection }));
      await delay(PACE);
    }
    await stalling;
    await expectAllHear(publisher, await live.all());
  });
});

describe('a log that was trimmed away under a slow reader', () => {
  const ENVIRONMENT = {
    HERALD_ADMIN_KEY: ADMIN_KEY,
    HERALD_RETAIN_AGE: '1s',
    HERALD_HEARTBEAT: '100ms',
    HERALD_MAX_BODY: '8mb',
  };

  /** Comes again and again until the topic's only update is held no more. */
  async function untilTrimmed(herald: Herald, topic: string): Promise<void> {
    for (let looks = 0; looks < 10_000; looks += 1) {
      await using reader = await subscribe(herald, { query: `match=${topic}&last_event_id=earliest` });
      await reader.until((seen) => noticesOf(seen).some(({ type }) => type === 'caught-up'));
      if (updatesOf(reader).length === 0) return;
    }
    throw new Error('the update stays');
  }

  /** Makes a reader find the log empty when it reads on, and then publishes `after`. */
  async function trimUnder(herald: Herald, publisher: Publisher, slow: RawClient): Promise<void> {
    slow.stall();
    await publishBacklog(publisher, 10, 700_000);
    await untilConnections(herald, ([only]) => only?.['isFull'] === true);
    await publisher.publish({ topic: 'urn:newest', data: 'x' });
    await untilTrimmed(herald, 'urn:newest');
    slow.read();
    await slow.until(({ events }) => events.some(({ data }) => data.includes('"trimmed"')));
    await untilConnections(herald, ([only]) => only?.['isLive'] === true);
    await publisher.publish({ topic: 'urn:t', data: 'after' });
    await slow.until(({ events }) => events.at(-1)?.data === 'after');
  }

  it('neither keeps the next reader from what is new nor a core busy', async () => {
    await using herald = await startHub(ENVIRONMENT);
    using publisher = await Publisher.of(herald);
    await using slow = await RawClient.subscribe(herald, LIVE);
    await slow.until(({ hasBegun }) => hasBegun);
    await trimUnder(herald, publisher, slow);
    await using reader = await subscribe(herald, { query: 'match=urn:t&last_event_id=earliest' });
    await reader.until(({ retries }) => retries.length > 0);
    await publisher.publish({ topic: 'urn:t', data: 'now' });
    // Heartbeats are the clock: the server is measured over ten of them.
    await using clock = await subscribe(herald, { query: 'match=urn:quiet' });
    await clock.until(({ comments }) => comments.length >= 1);
    const from = { cpu: cpuSeconds([herald.pid]), at: performance.now() };
    await clock.until(({ comments }) => comments.length >= 11);
    const share = (cpuSeconds([herald.pid]) - from.cpu) / ((performance.now() - from.at) / 1_000);
    expect(updatesOf(reader).map(({ data }) => data)).toEqual(['after', 'now']);
    expect(noticesOf(reader)).toEqual([{ type: 'caught-up' }]);
    expect(share).toBeLessThan(0.5);
  });
});
