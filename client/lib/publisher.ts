import { call } from './call.js';
import { type PayloadForm, randomKey, toPayload } from './payload.js';
import type { StreamSettings } from './stream.js';

/** What an update has besides its topics and its data. */
export interface UpdateOptions {
  /** How the data is published: as JSON (default), or as `text`, a string that is taken as it is, such as HTML. */
  readonly as?: PayloadForm;
  /** Default: the hub makes one. */
  readonly id?: string;
  /** What readers see as the message's type. */
  readonly type?: string;
  /** Whether only readers whose token grants the topic get the update. */
  readonly private?: boolean;
  /** Milliseconds after which readers come back when their connection has broken: digits only, at most an hour. */
  readonly retry?: number;
  /** The hub stores updates with the same key only once. Default: a new key for each call, so that retries are safe. */
  readonly idempotencyKey?: string;
}

export interface PublishOptions extends UpdateOptions {
  readonly signal?: AbortSignal;
}

/**
 * Publishes one update and answers with its id. A hub that can't be reached or is busy is asked again, a few times, under
 * the same idempotency key; after a 401 it asks once for a fresh token.
 * @throws {HeraldError} `misused` before anything is sent; `refused` or `unauthorized` with the hub's `status` and
 *   `problem`; `unreachable`, `busy` or `token-failed` after all attempts. Throws the signal's reason once it is aborted.
 */
export async function publish(
  settings: StreamSettings,
  topics: readonly string[],
  data: unknown,
  { idempotencyKey = randomKey(), signal, ...options }: PublishOptions = {},
): Promise<string> {
  const { text } = await call(settings, {
    what: 'the update',
    body: formOf(topics, data, options),
    headers: { 'idempotency-key': idempotencyKey },
    reason: 'publish',
    use: 'publish',
    signal,
  });
  return text;
}

function formOf(
  topics: readonly string[],
  data: unknown,
  { as, id, type, retry, private: isPrivate }: UpdateOptions,
): URLSearchParams {
  const form = new URLSearchParams(topics.map((topic) => ['topic', topic]));
  form.append('data', toPayload(data, as));
  for (const [name, value] of Object.entries({ id, type, retry })) {
    if (value !== undefined) form.append(name, String(value));
  }
  if (isPrivate) form.append('private', 'on');
  return form;
}
