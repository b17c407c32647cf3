import { createBackoff } from './backoff.js';
import { HeraldError } from './errors.js';
import { codeOf, retryAfterOf } from './fetch-stream.js';
import type { StreamSettings } from './stream.js';
import type { TokenRequest } from './token.js';

export interface PublishOptions {
  /** Default: the hub makes one. */
  readonly id?: string;
  /** What readers see as the message's type. */
  readonly type?: string;
  /** Whether only readers whose token grants the topic get the update. */
  readonly private?: boolean;
  /** The hub stores updates with the same key only once. Default: a new key for each call, so that retries are safe. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

/** Attempts in all. Those after the first are for a hub that was unavailable for a moment. */
const ATTEMPTS = 3;

/** Milliseconds that one attempt may take. */
const TIMEOUT = 20_000;

/**
 * Publishes one update, as JSON, and answers with its id. A hub that can't be reached or is busy is asked again, a few
 * times, under the same idempotency key; after a 401 it asks once for a fresh token.
 * @throws {HeraldError} `refused` or `unauthorized` with the hub's status; `unreachable` or `busy` after all attempts.
 */
export async function publish(
  settings: StreamSettings,
  topics: readonly string[],
  data: unknown,
  options: PublishOptions = {},
): Promise<string> {
  const body = formOf(topics, data, options);
  const key = options.idempotencyKey ?? randomKey();
  const backoff = createBackoff();
  let reason: TokenRequest['reason'] = 'publish';
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- each attempt waits for the failure of the one before
    const outcome = await send(settings, body, key, reason, options.signal);
    if (outcome.id !== undefined) return outcome.id;
    if (outcome.error.code === 'unauthorized' && settings.token && reason === 'publish') {
      reason = 'unauthorized';
      continue;
    }
    if (outcome.isFinal || attempt === ATTEMPTS) throw outcome.error;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(backoff.next(outcome.retryAfter), options.signal);
  }
}

function formOf(topics: readonly string[], data: unknown, options: PublishOptions): URLSearchParams {
  const form = new URLSearchParams(topics.map((topic) => ['topic', topic]));
  form.append('data', JSON.stringify(data));
  if (options.id !== undefined) form.append('id', options.id);
  if (options.type !== undefined) form.append('type', options.type);
  if (options.private) form.append('private', 'on');
  return form;
}

type Outcome =
  | { readonly id: string }
  | { readonly id?: undefined; readonly error: HeraldError; readonly isFinal: boolean; readonly retryAfter: number };

async function send(
  { url, token, cookies, fetch }: StreamSettings,
  body: URLSearchParams,
  key: string,
  reason: TokenRequest['reason'],
  given: AbortSignal | undefined,
): Promise<Outcome> {
  const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT), ...(given ? [given] : [])]);
  try {
    const bearer = await token?.({ reason, use: 'publish', signal });
    const headers = new Headers({ 'idempotency-key': key });
    if (bearer) headers.set('authorization', `Bearer ${bearer}`);
    const credentials = cookies ? 'include' : 'omit';
    const response = await fetch(url, { method: 'POST', body, headers, credentials, signal });
    const text = await response.text();
    return response.ok ? { id: text } : refusalOf(response, text);
  } catch (cause) {
    given?.throwIfAborted();
    const error = new HeraldError('unreachable', 'The hub can not be reached.', { cause });
    return { error, isFinal: false, retryAfter: 0 };
  }
}

function refusalOf({ status, headers }: Response, text: string): Outcome {
  const code = codeOf(status, { code: '' });
  const error = new HeraldError(code, `The hub has refused the update (${status}): ${detailOf(text)}`, { status });
  return { error, isFinal: code !== 'busy', retryAfter: retryAfterOf(headers) };
}

/** What the hub says of its refusal (RFC 9457). */
function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown };
    return typeof detail === 'string' ? detail : 'it does not say why.';
  } catch {
    return 'it does not say why.';
  }
}

/** `crypto.randomUUID` is missing on plain HTTP. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      // oxlint-disable-next-line prefer-promise-reject-errors -- the caller's own reason
      reject(signal.reason);
    });
  });
}
