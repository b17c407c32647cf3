import { EventParser } from './event-parser.js';
import type { Stream, StreamEnd, StreamListener, StreamRequest, StreamSettings } from './stream.js';
import { watch } from './watchdog.js';

/** A longer URL goes as the body of a `QUERY` request: servers take 8 to 16 KiB for all headers together. */
const LONGEST_URL = 4_000;

/** Milliseconds that an attempt may take until the hub answers, its token included. */
const CONNECT_TIMEOUT = 20_000;

/** Where the hub announces no heartbeat, this is what Herald's default would be, in seconds. */
const DEFAULT_HEARTBEAT = 20;

/** A stream over `fetch`: bearer token, last id from the start, and bytes that can be watched. */
export function fetchStream(settings: StreamSettings, request: StreamRequest, listener: StreamListener): Stream {
  const aborter = new AbortController();
  const { signal } = aborter;
  const finish = (end: StreamEnd): void => {
    if (signal.aborted) return;
    close();
    listener.over(end);
  };
  let watchdog = watch(CONNECT_TIMEOUT, () => finish({ code: 'unreachable' }));
  const close = (): void => {
    watchdog.stop();
    aborter.abort();
  };

  const read = async ({ headers, body }: Response): Promise<StreamEnd> => {
    const heartbeat = headers.get('herald-heartbeat');
    const cursor = headers.get('mercure-last-event-id') ?? '';
    watchdog.stop();
    watchdog = watch(Number(heartbeat ?? DEFAULT_HEARTBEAT) * 1_000 * settings.grace, () =>
      finish({ code: 'stalled' }),
    );
    // Only Herald says when it has caught up. Without a cursor it could not look up where it is: nothing is sure yet.
    listener.opened({ cursor, isReplaying: heartbeat !== null && (request.isResuming || !cursor) });
    const parser = new EventParser(listener);
    const reader = body?.getReader();
    let bytes: Uint8Array | undefined;
    // oxlint-disable-next-line no-await-in-loop -- a stream is read in order
    while ((bytes = (await reader?.read())?.value)) {
      watchdog.feed();
      parser.push(bytes);
    }
    return {};
  };

  const run = async (): Promise<StreamEnd> => {
    let code: 'token-failed' | 'unreachable' = 'token-failed';
    try {
      const token = await settings.token?.({ reason: request.reason, signal });
      code = 'unreachable';
      const response = await ask(settings, request, token, signal);
      signal.throwIfAborted();
      return refusalOf(response) ?? (await read(response));
    } catch (cause) {
      return { code, cause };
    }
  };

  void run().then(finish);
  return { close, look: () => watchdog.look() };
}

function ask(
  { url, cookies, fetch }: StreamSettings,
  { query }: StreamRequest,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const isLong = query.length > LONGEST_URL;
  return fetch(isLong ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`, {
    ...(isLong && { method: 'QUERY', body: new URLSearchParams(query) }),
    headers: { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }) },
    cache: 'no-store',
    // Without a word about cookies nobody's rights depend on who is logged in: that is what tabs share by.
    credentials: cookies ? 'include' : 'omit',
    signal,
  });
}

/** What an answer that is no stream means; undefined when it is one. */
function refusalOf({ status, headers }: Response): StreamEnd | undefined {
  const isOk = status === 200;
  if (isOk && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')) return undefined;
  return { code: isOk ? 'not-a-stream' : codeOf(status), status, retryAfter: retryAfterOf(headers) };
}

/** What a status that is no success says. */
export function codeOf(status: number): 'busy' | 'unauthorized' | 'stopped' | 'refused' {
  if (status >= 500 || [408, 425, 429].includes(status)) return 'busy';
  if (status === 401) return 'unauthorized';
  return status === 204 ? 'stopped' : 'refused';
}

/** Milliseconds: the header has seconds or a date (RFC 9110, section 10.2.3). */
export function retryAfterOf(headers: Headers): number {
  const value = headers.get('retry-after') ?? '';
  return Math.max(0, Number(value) * 1_000 || Date.parse(value) - Date.now() || 0);
}
