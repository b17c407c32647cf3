import { describe, expect, it } from '@jest/globals';
import { openStream } from '../support/event-stream.js';
import { startHerald } from '../support/herald.js';
import { resourcesOf, settledResources } from '../support/resources.js';

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function timestampOf(event: { data: string }): number {
  const { timestamp } = JSON.parse(event.data) as { timestamp: string };
  expect(timestamp).toMatch(RFC_3339);
  return Date.parse(timestamp);
}

describe('GET /events', () => {
  it('answers with the headers of a stream that nobody may cache or buffer', async () => {
    await using herald = await startHerald();
    await using stream = await openStream(`${herald.url}/events`);
    expect(stream.response.statusCode).toBe(200);
    const { headers } = stream.response;
    expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(headers['cache-control']).toContain('no-store');
    expect(headers['cache-control']).toContain('no-transform');
    expect(headers['x-accel-buffering']).toBe('no');
    expect(headers['connection']).toBe('keep-alive');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('sends a random retry first and the first timestamp at once, long before the first interval is over', async () => {
    await using herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '1h' } });
    const streams = await Promise.all(Array.from({ length: 8 }, () => openStream(`${herald.url}/events`)));
    await Promise.all(streams.map((stream) => stream.take(1)));
    for (const stream of streams) {
      expect(stream.text).toMatch(/^retry: \d+\n:\nid: \ndata: \{"timestamp":"[^"]+"\}\n\n$/);
      timestampOf(stream.events[0] ?? { data: '' });
      stream.response.destroy();
    }
    const retries = streams.flatMap((stream) => stream.retries);
    expect(Math.min(...retries)).toBeGreaterThanOrEqual(1_000);
    expect(new Set(retries).size).toBeGreaterThan(1);
  });

  it('sends a timestamp in every interval, the same tick to all', async () => {
    const interval = 50;
    await using herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: `${interval}ms` } });
    await using one = await openStream(`${herald.url}/events`);
    await one.take(2);
    await using other = await openStream(`${herald.url}/events`);
    const times = (await one.take(42)).slice(1).map(timestampOf);
    // The server's own clock, over 40 ticks: how many intervals fit between the first and the last.
    const intervals = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / interval;
    expect(intervals).toBeGreaterThan(38);
    expect(intervals).toBeLessThan(100);
    const ticksOfOther = (await other.take(10)).slice(1).map((event) => event.data);
    expect(one.events.map((event) => event.data)).toEqual(expect.arrayContaining(ticksOfOther));
  });

  it('never replaces the Last-Event-ID of the client by a counter', async () => {
    await using herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '20ms' } });
    await using fresh = await openStream(`${herald.url}/events`);
    for (const event of await fresh.take(3)) expect(event.id ?? '').toBe('');
    await using resumed = await openStream(`${herald.url}/events`, { headers: { 'last-event-id': 'urn:x:42' } });
    for (const event of await resumed.take(3)) expect(event.id).toBe('urn:x:42');
  });

  it('keeps a quiet stream alive with comments', async () => {
    await using herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '1h', HERALD_HEARTBEAT: '50ms' } });
    await using stream = await openStream(`${herald.url}/events`);
    await stream.until(({ comments }) => comments.length >= 4);
    expect(stream.events).toHaveLength(1);
    // Clients that take any blank line for the end of a message report no empty ones.
    expect(stream.text).toMatch(/^retry: \d+\n:\nid: \ndata: .*\n\n(?::\n)+$/);
  });

  it('writes no heartbeat while events flow, and none when it is switched off', async () => {
    await using busy = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '20ms', HERALD_HEARTBEAT: '500ms' } });
    await using stream = await openStream(`${busy.url}/events`);
    await stream.take(40);
    // The stream begins with one.
    expect(stream.comments).toHaveLength(1);
    await using off = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '200ms', HERALD_HEARTBEAT: '0' } });
    await using silent = await openStream(`${off.url}/events`);
    await silent.take(5);
    expect(silent.comments).toHaveLength(1);
  });

  it('ends a stream cleanly between 80 and 100 % of its maximum age', async () => {
    await using herald = await startHerald({ env: { HERALD_EVENTS_INTERVAL: '50ms', HERALD_MAX_AGE: '1s' } });
    const streams = await Promise.all(Array.from({ length: 10 }, () => openStream(`${herald.url}/events`)));
    expect(await Promise.all(streams.map((stream) => stream.ended))).not.toContain(false);
    // Age as the server's timestamps tell it: 800 ms to 1000 ms are 16 to 20 ticks, give or take a busy machine.
    for (const { events } of streams) {
      expect(events.length).toBeGreaterThanOrEqual(14);
      expect(events.length).toBeLessThanOrEqual(23);
    }
    expect(new Set(streams.map(({ events }) => events.length)).size).toBeGreaterThan(1);
  });

  it('logs opening and closing at debug level, with age and events, and no request line', async () => {
    await using herald = await startHerald({ env: { LOG_LEVEL: 'debug', HERALD_EVENTS_INTERVAL: '20ms' } });
    const stream = await openStream(`${herald.url}/events?secret=hush`);
    await stream.take(3);
    await stream[Symbol.asyncDispose]();
    await herald.waitForLog(/stream closed.*\n/);
    const lines = herald.logLines();
    const closed = lines.find((line) => line['msg'] === 'stream closed');
    expect(closed).toMatchObject({ level: 20, reason: 'disconnected', requestId: expect.any(String) });
    expect(closed?.['age']).toBeGreaterThan(0);
    expect(closed?.['events']).toBeGreaterThanOrEqual(3);
    expect(lines.filter((line) => line['msg'] === 'stream opened')).toHaveLength(1);
    expect(lines.filter((line) => line['msg'] === 'request')).toHaveLength(0);
    expect(herald.logs()).not.toContain('hush');
  });

  it('leaves nothing behind when 1,000 connections come and go', async () => {
    const probe = new URL('../support/resource-probe.js', import.meta.url).href;
    await using herald = await startHerald({
      nodeArguments: ['--import', probe],
      env: { HERALD_EVENTS_INTERVAL: '100ms' },
    });
    // The first connection loads what is loaded only once.
    await (await openStream(`${herald.url}/events`))[Symbol.asyncDispose]();
    const before = await settledResources(herald);
    const streams = await Promise.all(Array.from({ length: 1_000 }, () => openStream(`${herald.url}/events`)));
    await Promise.all(streams.map((stream) => stream.take(2)));
    expect((await resourcesOf(herald))['TCPSocketWrap']).toBe(1_000);
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()));
    const after = await settledResources(herald);
    expect(after).toEqual(before);
  });
});
