import { createBackoff } from './backoff.js';
import { HeraldError, type Problem } from './errors.js';
import { codeOf, retryAfterOf } from './fetch-stream.js';
import type { StreamSettings } from './stream.js';
import type { TokenRequest } from './token.js';

/** One question to the hub, or one thing that it is to do. It must do no harm if it is sent twice. */
export interface Call {
  /** What it is about, for the message of an error: `the update`. */
  readonly what: string;
  /** Below the hub's own path, as `/history`. Default: the hub itself. */
  readonly path?: string;
  readonly query?: string;
  /** Default: `POST` with a body, else `GET`. */
  readonly method?: string;
  readonly body?: string | URLSearchParams;
  readonly headers?: Readonly<Record<string, string>>;
  /** Why a token is needed, unless the hub has just refused one. */
  readonly reason: TokenRequest['reason'];
  readonly use?: TokenRequest['use'];
  readonly signal?: AbortSignal | undefined;
  /** What only some hubs have: what their answers are, and what to say where this hub does not have it. */
  readonly extension?: { readonly type: string; readonly missing: string };
}

export interface Answer {
  readonly headers: Headers;
  readonly text: string;
}

interface Failure {
  readonly error: HeraldError;
  readonly isFinal: boolean;
  /** Milliseconds. */
  readonly retryAfter: number;
}

/** Attempts in all. Those after the first are for a hub that was unavailable for a moment. */
const ATTEMPTS = 3;

/** Milliseconds that one attempt may take, its token included. */
const TIMEOUT = 20_000;

/**
 * Sends a request and answers with what the hub says. A hub that can't be reached or is busy is asked again, a few times;
 * after a 401 the application is asked once for a fresh token.
 * @throws {HeraldError} `refused`, `unauthorized` or `not-supported`; `unreachable`, `busy` or `token-failed` after all
 *   attempts. Throws the signal's reason once it is aborted.
 */
export async function call(settings: StreamSettings, request: Call): Promise<Answer> {
  const backoff = createBackoff();
  let { reason } = request;
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each attempt waits for the failure of the one before
    const outcome = await attemptOnce(settings, request, reason);
    if ('text' in outcome) return outcome;
    const { error, isFinal, retryAfter } = outcome;
    if (error.code === 'unauthorized' && settings.token && reason !== 'unauthorized') {
      reason = 'unauthorized';
      continue;
    }
    if (isFinal || attempt >= ATTEMPTS) throw error;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(backoff.next(retryAfter), request.signal);
  }
}

/** Waits so many milliseconds. Throws the signal's reason once it is aborted. */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await unlessAborted(signal, over).finally(() => clearTimeout(timer));
}

async function attemptOnce(
  settings: StreamSettings,
  request: Call,
  reason: TokenRequest['reason'],
): Promise<Answer | Failure> {
  const given = request.signal;
  const aborter = new AbortController();
  const abort = (): void => aborter.abort(given?.reason);
  const timer = setTimeout(abort, TIMEOUT);
  given?.addEventListener('abort', abort);
  let code: 'token-failed' | 'unreachable' = 'token-failed';
  const work = async (): Promise<Answer | Failure> => {
    const { signal } = aborter;
    const { use } = request;
    const token = await settings.token?.({ reason, signal, ...(use && { use }) });
    code = 'unreachable';
    const response = await send(settings, request, token, signal);
    if (!response.ok) return refusalOf(request, response);
    if (isExpected(response, request)) return { headers: response.headers, text: await response.text() };
    await response.body?.cancel();
    return unsupported(request, response.status);
  };
  try {
    given?.throwIfAborted();
    return await unlessAborted(aborter.signal, work());
  } catch (cause) {
    given?.throwIfAborted();
    return { error: new HeraldError(code, REASONS[code], { cause }), isFinal: false, retryAfter: 0 };
  } finally {
    clearTimeout(timer);
    given?.removeEventListener('abort', abort);
  }
}

const REASONS = {
  'token-failed': 'There is no token: see `cause`.',
  unreachable: 'The hub can not be reached: check its URL and its list of origins.',
};

function send(
  { url, cookies, fetch }: StreamSettings,
  { path = '', query = '', method, body, headers }: Call,
  token: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  const target = new URL(url);
  if (path !== '') target.pathname = target.pathname.replace(/\/$/, '') + path;
  target.search += target.search && query ? `&${query}` : query;
  return fetch(target.href, {
    ...(body !== undefined && { method: method ?? 'POST', body }),
    headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) },
    cache: 'no-store',
    credentials: cookies ? 'include' : 'omit',
    signal,
  });
}

/** A site may answer with a page of its own at any path, and another hub with a stream that never ends. */
function isExpected({ headers }: Response, { extension }: Call): boolean {
  return !extension || (headers.get('content-type') ?? '').startsWith(extension.type);
}

function unsupported({ extension }: Call, status: number, problem?: Problem): Failure {
  const error = new HeraldError('not-supported', extension?.missing ?? '', { status, problem });
  return { error, isFinal: true, retryAfter: 0 };
}

async function refusalOf(request: Call, response: Response): Promise<Failure> {
  const { status, headers } = response;
  // Without the code that reads it, the status says enough.
  const problem = await import('./refusal.js').then(
    ({ problemOf }) => problemOf(response),
    () => undefined,
  );
  const isMissing = [405, 501].includes(status) || (status === 404 && (problem?.code ?? NOTHING) === NOTHING);
  if (request.extension && isMissing) return unsupported(request, status, problem);
  // Without a code of its own, another hub than Herald has refused it: that is as final.
  const byStatus = codeOf(status);
  const code = byStatus === 'not-a-stream' ? 'refused' : byStatus;
  const said = problem?.code === undefined ? '' : ` ${problem.code}`;
  const message = `The hub has refused ${request.what} (${status}${said}): ${problem?.detail ?? 'it does not say why.'}`;
  return {
    error: new HeraldError(code, message, { status, problem }),
    isFinal: code !== 'busy',
    retryAfter: retryAfterOf(headers),
  };
}

/** The code with which Herald refuses paths where it has nothing. */
const NOTHING = 'not-found';

/** What `work` comes to, or else the signal's reason once it is aborted. Leaves no listener at the signal. */
export function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const forget = (): void => signal.removeEventListener('abort', abort);
    const abort = (): void => {
      forget();
      // oxlint-disable-next-line prefer-promise-reject-errors -- the caller's own reason
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort);
    if (signal.aborted) abort();
    // It is too late to reject where the signal has won.
    void work.then(resolve, reject).finally(forget);
  });
}
