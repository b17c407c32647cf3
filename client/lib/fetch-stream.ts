import { claimsOf } from './claims.js';
import type { Problem } from './errors.js';
import { EventParser } from './event-parser.js';
import { problemOf } from './problem.js';
import type { Stream, StreamEnd, StreamListener, StreamRequest, StreamSettings } from './stream.js';
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
      const wasOver = isOver(token);
      const response = await ask(settings, request, token, signal);
      signal.throwIfAborted();
      if (isStream(response)) return await read(response);
      const end = await refusalOf(response, settings, request);
      // The fresh one as well, but only because it was over before the hub had it: the next one may be in time.
      const isLate = end.code === 'unauthorized' && request.reason === end.code && !wasOver && isOver(token);
      return isLate ? { ...end, code: 'token-failed' } : end;
    } catch (cause) {
      return { code, cause };
    }
  };

  void run().then(finish);
  return { close, look: () => watchdog.look() };
}

function ask(
  settings: StreamSettings,
  request: StreamRequest,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const { url, cookies, fetch } = settings;
  const { query } = request;
  return fetch(isQuery(settings, request) ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`, {
    ...(isQuery(settings, request) && { method: 'QUERY', body: new URLSearchParams(query) }),
    headers: { accept: ACCEPTED, ...(token && { authorization: `Bearer ${token}` }) },
    cache: 'no-store',
    // Without cookies, what a stream may read does not depend on who is logged in, so tabs can share it.
    credentials: cookies ? 'include' : 'omit',
    signal,
  });
}

function isQuery({ ways }: StreamSettings, { query }: StreamRequest): boolean {
  return ways.canQuery && query.length > LONGEST_URL;
}

/** Whether a token says itself that it is over. */
function isOver(token = ''): boolean {
  return Number(claimsOf(token)?.['exp']) * 1_000 <= Date.now();
}

function isStream({ status, headers }: Response): boolean {
  return status === 200 && /^text\/event-stream\b/i.test(headers.get('content-type') ?? '');
}

/** What an answer that is no stream means. */
async function refusalOf(response: Response, settings: StreamSettings, request: StreamRequest): Promise<StreamEnd> {
  const { status, headers } = response;
  const problem = await problemOf(response);
  const end = { status, problem, retryAfter: retryAfterOf(headers) };
  // Something in front of the hub does not know the method: from now on all queries go into URLs.
  if (isQuery(settings, request) && problem?.code === undefined && [400, 403, 405, 501].includes(status)) {
    settings.ways.canQuery = false;
    return { ...end, code: 'not-a-stream', isCurable: true };
  }
  return { ...end, code: codeOf(status, problem) };
}

/**
 * The error code for an answer that is no success. What a hub refuses for good, it says with a code of its own: without
 * one, a gateway has answered, which may have the hub behind it again in a moment.
 */
export function codeOf(
  status: number,
  problem: Problem | undefined,
): 'busy' | 'unauthorized' | 'stopped' | 'refused' | 'not-a-stream' {
  if (status === 401) return 'unauthorized';
  if (status === 204) return 'stopped';
  if (status >= 500 || status === 408 || status === 425 || status === 429) return 'busy';
  return problem?.code === undefined ? 'not-a-stream' : 'refused';
}

/** The milliseconds of a `Retry-After`, which has seconds or a date (RFC 9110, section 10.2.3); 0 if there is none. */
export function retryAfterOf(headers: Headers): number {
  const value = headers.get('retry-after') ?? '';
  return Math.max(0, Number(value) * 1_000 || Date.parse(value) - Date.now() || 0);
}
