import type { HubRequest } from '../../../shared/exchange/hub-request.js';
import { HubError } from '../../../access/hub.errors.js';
import type { UpdateDraft } from '../../update/check-update.js';
import { type FormLimits, type FormPair, parseForm } from '../../protocol/form.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';
import { bodyOf, checkCharset, mediaTypeOf } from '../bodies/body.js';
import { parseIdempotencyKey } from './idempotency-key.js';
import { readUpdate } from './json-update.js';

/** What a publication asks for: a draft that is yet to be checked. */
interface Publication {
  readonly draft: UpdateDraft;
  readonly idempotencyKey: string | undefined;
}

/**
 * What a request to publish one update asks for, be it a form (R29) or, as an extension of this hub, JSON. That may have
 * its idempotency key as a line of a batch has it.
 *
 * @throws HubError `media-type-unsupported`, `json-invalid`, `idempotency-key-invalid`, or what a form may break
 */
export function publicationOf({ body, headers }: Pick<HubRequest, 'body' | 'headers'>): Publication {
  const { 'content-type': type, 'idempotency-key': header } = headers;
  const key = parseIdempotencyKey(header);
  if (mediaTypeOf(type) !== JSON_TYPE) {
    const form = bodyOf(body, type, 'application/x-www-form-urlencoded');
    return { draft: draftFromForm(parseForm(form, PUBLISH_FORM_LIMITS)), idempotencyKey: key };
  }
  checkCharset(type);
  const { draft, idempotencyKey = key } = readUpdate(bodyOf(body, type, JSON_TYPE), 'json-invalid');
  if (key === undefined || key === idempotencyKey) return { draft, idempotencyKey };
  throw new HubError('idempotency-key-invalid', 'The "key" of the update is another one than the Idempotency-Key.');
}

const JSON_TYPE = 'application/json';

const PUBLISH_FORM_LIMITS: FormLimits = { maxPairs: HUB_LIMITS.publishPairs, overflow: 'fields-too-many' };

/**
 * The draft that a publication's fields ask for (R29–R36): every `topic` counts, of other fields the first one does,
 * `private` counts by being there (R32), and unknown fields are ignored.
 */
export function draftFromForm(pairs: readonly FormPair[]): UpdateDraft {
  const topics: string[] = [];
  let data: string | undefined;
  let id: string | undefined;
  let type: string | undefined;
  let retry: string | undefined;
  let isPrivate = false;
  for (const [name, value] of pairs) {
    if (name === 'topic') topics.push(value);
    else if (name === 'data') data ??= value;
    else if (name === 'id') id ??= value;
    else if (name === 'type') type ??= value;
    else if (name === 'retry') retry ??= value;
    else if (name === 'private') isPrivate = true;
  }
  return { topics, data, id, type, retry, private: isPrivate };
}
