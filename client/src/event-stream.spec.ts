import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EventStream, type StreamState } from './event-stream.js';

/** What the browser's `EventSource` does, on command. */
class FakeEventSource extends EventTarget {
  readyState = 0;

  close(): void {
    this.readyState = 2;
  }

  /** The server has answered with a stream. */
  accept(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event('open'));
  }

  send(data: string, type = 'message'): void {
    this.dispatchEvent(Object.assign(new Event(type), { data }));
  }

  /** The connection has failed or ended; the browser will reconnect. */
  cut(): void {
    this.readyState = 0;
    this.dispatchEvent(new Event('error'));
  }

  /** The server has answered with something else; the browser gives up. */
  refuse(): void {
    this.readyState = 2;
    this.dispatchEvent(new Event('error'));
  }
}

describe('EventStream', () => {
  let sources: FakeEventSource[];
  let states: StreamState[];
  let received: string[];
  let random: number;
  let stream: EventStream;

  beforeEach(() => {
    jest.useFakeTimers();
    sources = [];
    states = [];
    received = [];
    random = 1;
    stream = new EventStream('events', {
      types: ['message', 'herald'],
      onState: (state) => states.push(state),
      onEvent: ({ type, data }) => received.push(`${type}: ${data}`),
      random: () => random,
      connect: () => {
        sources.push(new FakeEventSource());
        return source() as unknown as EventSource;
      },
    });
  });

  afterEach(() => {
    stream.close();
    jest.useRealTimers();
  });

  function source(): FakeEventSource {
    const last = sources.at(-1);
    if (!last) throw new Error('nothing has connected yet');
    return last;
  }

  function open(): void {
    stream.retryNow();
    source().accept();
    source().send('first');
  }

  /** Milliseconds until the next attempt. */
  function delay(): number {
    const { state } = stream;
    if (state.name !== 'waiting') throw new Error(`the stream is ${state.name}, not waiting`);
    return state.until - performance.now();
  }

  it('connects, and passes the events on', () => {
    open();
    source().send('{"type":"drain"}', 'herald');
    source().send('unheard', 'other');

    expect(states).toEqual([
      { name: 'connecting', again: false },
      { name: 'open', away: 0 },
    ]);
    expect(received).toEqual(['message: first', 'herald: {"type":"drain"}']);
  });

  it('leaves the first reconnection to the browser, and says how long it took', () => {
    open();
    source().cut();
    expect(stream.state.name).toBe('reconnecting');

    jest.advanceTimersByTime(3_000);
    source().accept();
    expect(stream.state).toEqual({ name: 'open', away: 3_000 });
    expect(sources).toHaveLength(1);
  });

  it('takes over when the browser has failed to reconnect', () => {
    open();
    source().cut();
    jest.advanceTimersByTime(3_000);
    source().cut();
    expect(source().readyState).toBe(2);
    expect(delay()).toBe(1_000);

    jest.advanceTimersByTime(1_000);
    expect(stream.state).toEqual({ name: 'connecting', again: true });
    source().accept();
    expect(stream.state).toEqual({ name: 'open', away: 4_000 });
    expect(sources).toHaveLength(2);
  });

  it('takes over when the browser has given up', () => {
    open();
    source().refuse();

    expect(delay()).toBe(1_000);
    jest.advanceTimersByTime(1_000);
    expect(sources).toHaveLength(2);
  });

  it('doubles the longest delay up to a bound', () => {
    stream.retryNow();
    const delays = Array.from({ length: 7 }, () => {
      source().cut();
      const ms = delay();
      jest.advanceTimersByTime(ms);
      return ms;
    });

    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('waits a random part of it, but not no time at all', () => {
    stream.retryNow();
    source().cut();
    jest.advanceTimersByTime(1_000);
    random = 0.5;
    source().cut();
    expect(delay()).toBe(1_000);

    random = 0;
    jest.advanceTimersByTime(1_000);
    source().cut();
    expect(delay()).toBe(500);
  });

  it('starts over with short delays after an event, and not after a mere answer', () => {
    stream.retryNow();
    source().cut();
    jest.advanceTimersByTime(1_000);
    source().accept();
    source().refuse();
    expect(delay()).toBe(2_000);

    jest.advanceTimersByTime(2_000);
    source().accept();
    source().send('at last');
    source().refuse();
    expect(delay()).toBe(1_000);
  });

  it('counts the time away from the first loss until an event has come', () => {
    open();
    source().refuse();
    jest.advanceTimersByTime(1_000);
    source().accept();
    source().refuse();
    jest.advanceTimersByTime(2_000);
    source().accept();

    expect(stream.state).toEqual({ name: 'open', away: 3_000 });
  });

  it('gives up after many refusals in a row, until somebody asks', () => {
    random = 0;
    stream.retryNow();
    for (let refusal = 1; refusal <= 20; refusal += 1) {
      source().refuse();
      jest.advanceTimersByTime(500);
    }
    expect(stream.state).toEqual({ name: 'failed' });
    expect(sources).toHaveLength(20);

    stream.retryNow();
    source().refuse();
    expect(stream.state.name).toBe('waiting');
  });

  it('never gives up on a server that can not be reached', () => {
    random = 0;
    stream.retryNow();
    for (let failure = 1; failure <= 100; failure += 1) {
      source().cut();
      jest.advanceTimersByTime(500);
    }

    expect(stream.state.name).toBe('connecting');
  });

  it('retries at once when asked, and leaves an open stream alone', () => {
    stream.retryNow();
    source().cut();
    stream.retryNow();
    expect(sources).toHaveLength(2);

    source().accept();
    stream.retryNow();
    expect(sources).toHaveLength(2);
  });

  it('is not troubled by an event that the server named error', () => {
    open();
    source().send('Internal server error', 'error');

    expect(stream.state.name).toBe('open');
  });

  it('gives an attempt up that leads nowhere', () => {
    stream.retryNow();
    jest.advanceTimersByTime(20_000);

    expect(stream.state.name).toBe('waiting');
    expect(source().readyState).toBe(2);
  });

  it('counts an open stream as lost when it is silent for too long', () => {
    stream.silenceLimit = 10_000;
    open();
    jest.advanceTimersByTime(9_000);
    source().send('still here');
    jest.advanceTimersByTime(9_999);
    expect(stream.state.name).toBe('open');

    jest.advanceTimersByTime(1);
    expect(stream.state.name).toBe('waiting');
  });

  it('is patient without a limit', () => {
    open();
    jest.advanceTimersByTime(100 * 3_600_000);

    expect(stream.state.name).toBe('open');
  });

  it('can be closed and opened again', () => {
    open();
    stream.close();
    expect(source().readyState).toBe(2);
    expect(stream.state).toEqual({ name: 'closed' });
    expect(jest.getTimerCount()).toBe(0);

    jest.advanceTimersByTime(5_000);
    stream.retryNow();
    source().accept();
    expect(stream.state).toEqual({ name: 'open', away: 5_000 });
  });
});
