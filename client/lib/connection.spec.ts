import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Connection } from './connection.js';
import type { StreamListener, StreamRequest, Transport } from './stream.js';
import type { ConnectionListener, Notice, WireMessage } from './wire.js';

/** A stream that does what the test says. */
interface Script {
  readonly request: StreamRequest;
  readonly listener: StreamListener;
  isClosed: boolean;
}

const streams: Script[] = [];

const transport: Transport = (_settings, request, listener) => {
  const script: Script = { request, listener, isClosed: false };
  streams.push(script);
  return { close: () => (script.isClosed = true), look: () => undefined };
};

const settings = {
  url: 'https://hub.example/',
  token: undefined,
  cookies: false,
  grace: 2.5,
  fetch,
  ways: { canQuery: true },
  debug: () => undefined,
};

/** An event with `data`, and the same text as its id. */
function event(data: string): Parameters<StreamListener['event']>[0] {
  return { id: data, type: 'message', data, topics: ['urn:a'] };
}

describe('a connection whose stream is replaced', () => {
  const messages: string[] = [];
  const told: string[] = [];
  let connection: Connection;

  function stream(index: number): Script {
    const script = streams[index];
    if (!script) throw new Error(`stream ${index} was not asked for`);
    return script;
  }

  beforeEach(() => {
    jest.useFakeTimers();
    streams.length = 0;
    messages.length = 0;
    told.length = 0;
    const ignored = ['covers', 'refused', 'full', 'crowded', 'state', 'error'] as const;
    const listener = {
      ...Object.fromEntries(ignored.map((name) => [name, () => undefined])),
      message: ({ data }: WireMessage) => void messages.push(data),
      notice: ({ type }: Notice) => void told.push(type),
    };
    connection = new Connection({ settings, start: undefined, transport }, listener as unknown as ConnectionListener);
    connection.want(['match=urn%3Aa']);
    jest.advanceTimersByTime(1_000);
    stream(0).listener.opened({ cursor: 'start', isReplaying: false });
    connection.want(['match=urn%3Aa', 'match=urn%3Ab']);
    jest.advanceTimersByTime(1_000);
  });

  afterEach(() => {
    connection.close();
    jest.useRealTimers();
  });

  it('keeps the old stream until the hub has answered the new one, and then closes it', () => {
    stream(0).listener.event(event('1'));
    expect(stream(0).isClosed).toBe(false);
    stream(1).listener.opened({ cursor: '1', isReplaying: false });
    expect(stream(0).isClosed).toBe(true);
    stream(1).listener.event(event('2'));
    expect(messages).toEqual(['1', '2']);
  });

  it('comes back with the last place that a notice had as its id', () => {
    stream(0).listener.moved('herald-cursor:1');
    stream(0).listener.event({ id: 'herald-cursor:1', type: 'herald', data: '{"type":"cursor"}', topics: [] });
    stream(0).listener.event({ id: 'herald-cursor:1', type: 'herald', data: '{"type":"drain"}', topics: [] });
    expect(told).toEqual(['cursor', 'drain']);
    expect(messages).toEqual([]);
    stream(1).listener.opened({ cursor: 'start', isReplaying: false });
    connection.want(['match=urn%3Aa', 'match=urn%3Ac']);
    jest.advanceTimersByTime(1_000);
    expect(stream(2).request.query).toContain('last_event_id=herald-cursor%3A1');
  });

  it('comes back with the place of the old stream when both are lost, and the new one had not come up to that', () => {
    stream(0).listener.moved('1');
    stream(0).listener.event(event('1'));
    stream(0).listener.over({ code: 'unreachable' });
    stream(1).listener.opened({ cursor: 'start', isReplaying: true });
    stream(1).listener.over({ code: 'unreachable' });
    jest.advanceTimersByTime(60_000);
    expect(messages).toEqual(['1']);
    expect(stream(2).request.query).toContain('last_event_id=1&');
  });

  it('takes nothing more from the old stream once the new one has begun', () => {
    stream(1).listener.opened({ cursor: 'start', isReplaying: false });
    stream(0).listener.moved('late');
    stream(0).listener.event(event('late'));
    expect(messages).toEqual([]);
    expect(connection.cursor).toBe('start');
  });

  it('takes nothing from the new stream before the hub has answered', () => {
    stream(1).listener.moved('early');
    stream(1).listener.event(event('early'));
    expect(messages).toEqual([]);
    expect(connection.cursor).toBe('start');
  });

  it('goes on with the old stream when the new one is refused, and asks again when something else is wanted', () => {
    stream(1).listener.over({ code: 'refused', status: 400 });
    stream(0).listener.event(event('1'));
    connection.want(['match=urn%3Aa', 'match=urn%3Ac']);
    jest.advanceTimersByTime(1_000);
    expect(messages).toEqual(['1']);
    expect(stream(0).isClosed).toBe(false);
    expect(stream(2).request.query).toContain('urn%3Ac');
  });

  it('lets go of the old stream when it has brought more than could be told apart from what the new one brings', () => {
    for (let n = 1; n <= 1_500; n += 1) stream(0).listener.event(event(String(n)));
    expect(stream(0).isClosed).toBe(true);
    expect(messages).toHaveLength(1_024);
  });
});

it('a connection that waits when nobody wants anything comes back when somebody does', () => {
  jest.useFakeTimers();
  streams.length = 0;
  const names = ['covers', 'refused', 'full', 'crowded', 'state', 'error', 'message', 'notice'] as const;
  const listener = Object.fromEntries(names.map((name) => [name, () => undefined])) as unknown as ConnectionListener;
  const connection = new Connection({ settings, start: undefined, transport, closeDelay: 60_000 }, listener);
  connection.want(['match=urn%3Aa']);
  jest.advanceTimersByTime(1_000);
  streams[0]?.listener.opened({ cursor: 'start', isReplaying: false });
  connection.want([]);
  streams[0]?.listener.over({ code: 'unreachable' });
  jest.advanceTimersByTime(30_000);
  expect(streams).toHaveLength(1);
  connection.want(['match=urn%3Aa']);
  jest.advanceTimersByTime(1_000);
  expect(streams).toHaveLength(2);
  connection.close();
  jest.useRealTimers();
});
