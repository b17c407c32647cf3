import type { Stream, StreamListener, StreamRequest, StreamSettings, Transport } from './stream.js';

/** Milliseconds that the hub may take to answer. */
const CONNECT_TIMEOUT = 20_000;

/**
 * The browser's own `EventSource` as a transport, for where something between here and the hub breaks streams over
 * `fetch`. It sends no token (cookies only), and needs a connection for each subscription.
 * @param types of the messages to hear, besides those without one: an `EventSource` delivers no others.
 */
export function eventSource(types: readonly string[] = []): Transport {
  return (settings, request, listener) => {
    if (!settings.token) return new NativeStream(settings, request, listener, types);
    const message = 'An EventSource can not send a token: use cookies, or the default transport.';
    queueMicrotask(() => listener.over({ code: 'misused', message, isFinal: true }));
    return { close: () => undefined, look: () => undefined };
  };
}

/** Ends at the first error, because an `EventSource` reconnects without backoff. Its bytes can't be watched. */
class NativeStream implements Stream {
  readonly #listener: StreamListener;
  readonly #source: EventSource;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isOpen = false;

  constructor(
    { url, cookies }: StreamSettings,
    { query }: StreamRequest,
    listener: StreamListener,
    types: readonly string[],
  ) {
    this.#listener = listener;
    this.#source = new EventSource(`${url}${url.includes('?') ? '&' : '?'}${query}`, {
      withCredentials: cookies ?? false,
    });
    this.#timer = setTimeout(() => this.#broken(), CONNECT_TIMEOUT);
    this.#source.addEventListener('open', () => this.#opened());
    this.#source.addEventListener('error', () => this.#broken());
    for (const type of new Set(['message', 'herald', ...types])) {
      this.#source.addEventListener(type, (event: MessageEvent<string>) => this.#take(type, event));
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#source.close();
  }

  look(): void {
    // The browser does not tell when bytes came last.
  }

  #opened(): void {
    this.#isOpen = true;
    clearTimeout(this.#timer);
    this.#listener.opened({ cursor: '', isReplaying: false });
  }

  #take(type: string, { data, lastEventId }: MessageEvent<string>): void {
    // After a notice the last event id is a cursor, and stays so until an update has an id of its own.
    if (lastEventId !== '') this.#listener.moved(lastEventId);
    const id = type === 'herald' || lastEventId === '' ? undefined : lastEventId;
    this.#listener.event({ id, type, data, topics: [] });
  }

  #broken(): void {
    // What a hub sends as `event: error` comes here too.
    if (this.#source.readyState === EventSource.OPEN) return;
    this.close();
    // The browser does not tell a broken connection from a refusal.
    this.#listener.over(this.#isOpen ? {} : { code: 'unreachable' });
  }
}
