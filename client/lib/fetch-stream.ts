import { EventParser } from './event-parser.js';
import type { Attempt, Stream, StreamEnd, StreamListener, StreamRequest, StreamSettings } from './stream.js';
import { watch } from './watchdog.js';

/** A longer query goes as the body of a `QUERY` request: servers take 8 to 16 KiB for all headers together. */
const LONGEST_URL = 4_000;

/**
 * Not the media type of streams alone: to who says that, proxies may answer with an empty stream while the hub is away, so
 * that an `EventSource` survives it, and this client had better hear of it.
 */
const ACCEPTED = 'text/event-stream, application/problem+json';

/** Milliseconds that an attempt may take until the hub answers, its token included. */
const CONNECT_TIMEOUT = 20_000;

/** Seconds between two heartbeats where the hub announces none: Herald's default. */
const DEFAULT_HEARTBEAT = 20;

/** A stream over `fetch`: it can send a bearer token and begin after an id, and a watchdog can see its bytes. */
export function fetchStream(settings: StreamSettings, request: StreamRequest, listener: StreamListener): Stream {
  const aborter = new AbortController();
  const { signal } = aborter;
  const isQuery = settings.ways.canQuery && request.query.length > LONGEST_URL;
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
    // Only Herald tells when it has caught up. Without a cursor, it did not know its place yet: nothing is covered.
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
      const attempt = { ...request, isQuery, token, askedAt: Date.now() };
      const response = await ask(settings, attempt, signal);
      signal.throwIfAborted();
      return isStream(response) ? await read(response) : await refusalOf(response, settings, attempt);
    } catch (cause) {
      return { code, cause };
    }
  };

  void run().then(finish);
  return { close, look: () => watchdog.look() };
}

function ask(
  { url, cookies, fetch }: StreamSettings,
  { query, isQuery, token }: Attempt,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(isQuery ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`, {
    ...(isQuery && { method: 'QUERY', body: new URLSearchParams(query) }),
    headers: { accept: ACCEPTED, ...(token && { authorization: `Bearer ${token}` }) },
    cache: 'no-store',
    // Without cookies, what a stream may read does not depend on who is logged in, so tabs can share it.
    credentials: cookies ? 'include' : 'omit',
    signal,
  });
}

function isStream({ status, headers }: Response): boolean {
  return status === 200 && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
}

/**
 * What an answer that is no stream means. The code that reads it is loaded only now. Where it can't be, the hub is behind
 * something that has lost it, or overloaded: the status alone says what to do until it can.
 */
async function refusalOf(response: Response, { ways }: StreamSettings, attempt: Attempt): Promise<StreamEnd> {
  const { status, headers } = response;
  try {
    const { endOf } = await import('./refusal.js');
    const end = await endOf(response, attempt);
    // From now on all queries go into URLs.
    if (end.isCurable) ways.canQuery = false;
    return end;
  } catch (cause) {
    const message = `The answer (${status}) is no stream, and refusal.js can not be loaded.`;
    return { code: codeOf(status), message, status, retryAfter: retryAfterOf(headers), cause };
  }
}

/** The error code for an answer that is no success, as far as its status says it. */
export function codeOf(status: number): 'busy' | 'unauthorized' | 'stopped' | 'not-a-stream' {
  if (status === 401) return 'unauthorized';
  if (status === 204) return 'stopped';
  return status >= 500 || status === 408 || status === 425 || status === 429 ? 'busy' : 'not-a-stream';
}

/** The milliseconds of a `Retry-After`, which has seconds or a date (RFC 9110, section 10.2.3); 0 if there is none. */
export function retryAfterOf(headers: Headers): number {
  const value = headers.get('retry-after') ?? '';
  return Math.max(0, Number(value) * 1_000 || Date.parse(value) - Date.now() || 0);
}
