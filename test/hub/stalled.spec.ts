import { describe, expect, it, jest } from '@jest/globals';
import { residentBytes } from '../bench/measure.js';
import { untilConnections } from '../support/admin.js';
import { Crowd } from '../support/crowd.js';
import { textOf } from '../support/event-stream.js';
import type { Herald } from '../support/herald.js';
import { ADMIN_KEY, HUB, Publisher, startHub, TLS_ENVIRONMENT } from '../support/hub.js';
import { RawClient } from '../support/raw-client.js';
import type { StreamClient } from '../support/stream-client.js';
import { subscribeOver, type Transport, TRANSPORTS } from '../support/transports.js';

// A hundred handshakes and megabytes for each: on a busy machine they take their time.
jest.setTimeout(90_000);

const READERS = 200;
const MEGABYTE = 'x'.repeat(1_000_000);

/** What a reader may cost that does not read: a cursor, and the piece of an update that is on its way to it. */
const BYTES_PER_READER = 256 * 1024;

const ENVIRONMENT = {
  HERALD_ADMIN_KEY: ADMIN_KEY,
  HERALD_MAX_BODY: '8mb',
  // Little of what the service holds for everybody, so that what it holds for each shows.
  HERALD_RECENT_BYTES: '8mb',
  HERALD_RETAIN_BYTES: '16mb',
};

function start(transport: Transport, env: Readonly<Record<string, string>> = {}): Promise<Herald> {
  return startHub({ ...ENVIRONMENT, ...(transport !== 'http1' && TLS_ENVIRONMENT), ...env });
}

async function publishMany(publisher: Publisher, topic: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) await publisher.publishInTime({ topic, data: MEGABYTE });
}

/** Publishes to nobody until all that the service keeps for itself is full. */
async function warmUp(publisher: Publisher): Promise<void> {
  await publishMany(publisher, 'urn:nobody', 40);
}

function untilAllAreFull(herald: Herald, count: number): Promise<void> {
  return untilConnections(herald, (open) => open.filter(({ isFull }) => isFull).length === count);
}

describe('a reader that stops reading', () => {
  it.each(TRANSPORTS)('costs a cursor, not an update, over %s', async (transport) => {
    await using herald = await start(transport);
    using publisher = await Publisher.of(herald);
    await using crowd = new Crowd<StreamClient>();
    const readers = await crowd.join(READERS, () => subscribeOver(transport, herald, `${HUB}?match=urn:t`));
    await Promise.all(readers.map((reader) => reader.until(({ hasBegun }) => hasBegun)));
    for (const reader of readers) reader.stall();
    await warmUp(publisher);
    const before = residentBytes([herald.pid]);
    await publishMany(publisher, 'urn:t', 8);
    await untilAllAreFull(herald, READERS);
    expect((residentBytes([herald.pid]) - before) / READERS).toBeLessThan(BYTES_PER_READER);
  });

  it('costs a cursor also where it resumes, and nobody asks for the same', async () => {
    await using herald = await start('http1');
    using publisher = await Publisher.of(herald);
    await warmUp(publisher);
    const small = JSON.stringify({ topic: 'urn:t', data: 'small' });
    const large = JSON.stringify({ topic: 'urn:t', data: MEGABYTE });
    const batch = [small, large, small, large].join('\n');
    for (let sent = 0; sent < 3; sent += 1) {
      const answer = await publisher.post(batch, { 'content-type': 'application/x-ndjson' }, `${HUB}/batch`);
      expect(await textOf(answer)).not.toContain('error');
    }
    const before = residentBytes([herald.pid]);
    await using crowd = new Crowd<RawClient>();
    const path = `${HUB}?last_event_id=earliest&match=urn:t&match=urn:own`;
    await crowd.join(READERS, async (index) => {
      const reader = await RawClient.subscribe(herald, `${path}:${index}`);
      reader.stall();
      return reader;
    });
    await untilAllAreFull(herald, READERS);
    expect((residentBytes([herald.pid]) - before) / READERS).toBeLessThan(BYTES_PER_READER);
  });
});

describe('bytes outstanding over all connections', () => {
  const LIMIT = 4 * 1024 ** 2;

  /** What collecting garbage now or later makes of memory, and more than the limit: without one 120 MB are held. */
  const MARGIN = 32 * 1024 ** 2;

  const STALLED = 120;

  /** Readers that asked for an update each and do not read, as many as make the limit felt. */
  async function stallMany(transport: Transport, herald: Herald, crowd: Crowd<StreamClient>): Promise<void> {
    const readers = await crowd.join(STALLED, () => subscribeOver(transport, herald, `${HUB}?match=urn:t`));
    await Promise.all(readers.map((reader) => reader.until(({ hasBegun }) => hasBegun)));
    for (const reader of readers) reader.stall();
  }

  /** A reader that reads, and asks for other topics than those that stall. */
  async function comeReading(transport: Transport, herald: Herald): Promise<StreamClient> {
    const reader = await subscribeOver(transport, herald, `${HUB}?match=urn:small&match=urn:large`);
    return reader.until(({ hasBegun }) => hasBegun);
  }

  it.each(TRANSPORTS)('are bounded, and what is small goes out all the same, over %s', async (transport) => {
    await using herald = await start(transport, { HERALD_MAX_OUTSTANDING: '4mb', HERALD_WRITE_TIMEOUT: '5m' });
    using publisher = await Publisher.of(herald);
    await using crowd = new Crowd<StreamClient>();
    await stallMany(transport, herald, crowd);
    await using reader = await comeReading(transport, herald);
    await warmUp(publisher);
    const before = residentBytes([herald.pid]);
    await publishMany(publisher, 'urn:t', 8);
    // Nobody of those that stall can have all of it, so that nobody is live any more.
    await untilConnections(herald, (open) => open.filter(({ isLive }) => isLive === true).length === 1);
    expect(residentBytes([herald.pid]) - before).toBeLessThan(LIMIT + MARGIN);
    const numbers = Array.from({ length: 50 }, (_, index) => String(index));
    for (const data of numbers) await publisher.publish({ topic: 'urn:small', data });
    await reader.until(({ events }) => events.length >= 50);
    expect(reader.events.map(({ data }) => data)).toEqual(numbers);
    await untilConnections(herald, ({ length }) => length === STALLED + 1);
  });

  it.each(TRANSPORTS)('leave room for what is large too, as those go who do not read, over %s', async (transport) => {
    await using herald = await start(transport, { HERALD_MAX_OUTSTANDING: '4mb', HERALD_WRITE_TIMEOUT: '2s' });
    using publisher = await Publisher.of(herald);
    await using crowd = new Crowd<StreamClient>();
    await stallMany(transport, herald, crowd);
    await using reader = await comeReading(transport, herald);
    await publishMany(publisher, 'urn:t', 8);
    const all: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      all.push(`${count}`.padEnd(1_000_000, 'x'), `${count}`);
      await publisher.publish({ topic: 'urn:large', data: all.at(-2) ?? '' });
      await publisher.publish({ topic: 'urn:small', data: all.at(-1) ?? '' });
    }
    await reader.until(({ events }) => events.length >= all.length);
    // Not compared as a whole: megabytes would be printed.
    expect(reader.events.map(({ data }, index) => data === all[index])).toEqual(all.map(() => true));
  });
});
