import { describe, expect, it } from '@jest/globals';
import { RefusedStreams } from './refused-streams.js';
import { UNKNOWN_STREAM } from './stream-info.js';
import type { StreamEnd } from './stream-end.js';
import type { OpenStream } from './stream-registry.js';

const SECOND = 1_000;

class Client {
  readonly seen: string[] = [];

  constructor(readonly address: string) {}

  stream(): OpenStream {
    const { seen } = this;
    return {
      openedAt: 0,
      lastWriteAt: 0,
      fullSince: 0,
      endedAt: 0,
      serial: 0,
      info: { ...UNKNOWN_STREAM, address: this.address },
      describe: () => ({}),
      detail: () => ({}),
      heartbeat: () => undefined,
      tellOfEnd: (reason) => seen.push(`told ${reason}`),
      end: (reason) => seen.push(`ended ${reason}`),
      cut: () => undefined,
      finished: () => Promise.resolve(),
    };
  }
}

/** For how many seconds each of the client's streams is held, which comes back `after` so many seconds. */
function holds(
  streams: RefusedStreams,
  client: Client,
  { times, after, reason = 'overloaded' }: { times: number; after: number; reason?: StreamEnd },
): number[] {
  let now = 0;
  return Array.from({ length: times }, () => {
    const stream = client.stream();
    const came = now;
    streams.add(stream, reason, now);
    for (client.seen.length = 0; client.seen.length === 0; now += SECOND) streams.release(now);
    streams.delete(stream);
    const held = now - SECOND - came;
    now += (after - 1) * SECOND;
    return Math.round(held / SECOND);
  });
}

describe('RefusedStreams', () => {
  it('tells a stream at once, ends it later, and knows it until it has closed', () => {
    const streams = new RefusedStreams();
    const client = new Client('192.0.2.1');
    const stream = client.stream();
    streams.add(stream, 'overloaded', 0);
    streams.release(999);
    expect(client.seen).toEqual(['told overloaded']);
    streams.release(1_000);
    streams.release(2_000);
    expect(client.seen).toEqual(['told overloaded', 'ended overloaded']);
    expect([...streams]).toEqual([stream]);
    streams.delete(stream);
    expect(streams.size).toBe(0);
  });

  it('holds a client that comes back at once for longer each time, and one that waits no longer than the first time', () => {
    expect(holds(new RefusedStreams(), new Client('192.0.2.1'), { times: 7, after: 0.1 })).toEqual([
      1, 2, 4, 8, 16, 16, 16,
    ]);
    expect(holds(new RefusedStreams(), new Client('192.0.2.1'), { times: 4, after: 1.5 })).toEqual([1, 1, 1, 1]);
  });

  it('holds nobody for longer where the reason is that something is not available', () => {
    const client = new Client('192.0.2.1');
    expect(holds(new RefusedStreams(), client, { times: 4, after: 0.1, reason: 'unavailable' })).toEqual([1, 1, 1, 1]);
  });

  it('counts addresses of one IPv6 network as one client, and others apart', () => {
    const streams = new RefusedStreams();
    holds(streams, new Client('2001:db8::1'), { times: 3, after: 0.1 });
    const neighbour = new Client('2001:db8::2');
    const other = new Client('2001:db8:1::1');
    for (const client of [neighbour, other]) streams.add(client.stream(), 'overloaded', 7_100);
    streams.release(8_100);
    expect([neighbour.seen, other.seen]).toEqual([['told overloaded'], ['told overloaded', 'ended overloaded']]);
  });

  it('holds no more than it may, and has room again as soon as one ends or leaves', () => {
    const streams = new RefusedStreams(2);
    const client = new Client('192.0.2.1');
    const [first, ...others] = Array.from({ length: 3 }, () => client.stream()) as [OpenStream, ...OpenStream[]];
    for (const stream of [first, ...others]) streams.add(stream, 'overloaded', 0);
    expect(client.seen).toEqual(['told overloaded', 'told overloaded', 'ended overloaded']);
    streams.delete(first);
    streams.add(client.stream(), 'unavailable', 10);
    expect(client.seen.at(-1)).toBe('told unavailable');
    streams.release(20_000);
    streams.add(client.stream(), 'overloaded', 20_000);
    expect(client.seen.at(-1)).toBe('told overloaded');
  });

  it('remembers a bounded number of clients', () => {
    const streams = new RefusedStreams(Infinity);
    for (let index = 0; index < 10_100; index += 1) {
      streams.add(new Client(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`).stream(), 'overloaded', 0);
    }
    const { refusals } = streams as unknown as { refusals: Map<string, unknown> };
    expect(refusals.size).toBe(10_000);
  });
});
