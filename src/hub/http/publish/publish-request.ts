import { parseItem } from 'structured-headers';
import type { UpdateDraft } from '../../update/check-update.js';
import { HubError } from '../../../access/hub.errors.js';
import type { FormLimits, FormPair } from '../../protocol/form.js';
import { HUB_LIMITS } from '../../limits/hub.limits.js';

export const PUBLISH_FORM_LIMITS: FormLimits = { maxPairs: HUB_LIMITS.publishPairs, overflow: 'fields-too-many' };

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The draft that a publication's fields ask for (R29–R36): every `topic` counts, of other fields the first one does,
 * `private` counts by being there (R32), and unknown fields are ignored.
 */
export function draftFromForm(pairs: readonly FormPair[]): UpdateDraft {
  const topics: string[] = [];
  const first = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === 'topic') topics.push(value);
    else if (!first.has(name)) first.set(name, value);
  }
  const data = first.get('data');
  const id = first.get('id');
  const type = first.get('type');
  const retry = first.get('retry');
  return {
    topics,
    private: first.has('private'),
    ...(data !== undefined && { data }),
    ...(id !== undefined && { id }),
    ...(type !== undefined && { type }),
    ...(retry !== undefined && { retry }),
  };
}

/**
 * The key of an `Idempotency-Key` header, bare or as the quoted string that the IETF draft asks for, or nothing when
 * there is no such header.
 *
 * @throws HubError `idempotency-key-invalid` unless it is 1 to 255 visible ASCII characters
 */
export function parseIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const key = /^".*"$/.test(header) ? quotedString(header) : header;
  if (key === undefined || !IDEMPOTENCY_KEY.test(key)) {
    throw new HubError('idempotency-key-invalid', 'The idempotency key must be 1 to 255 visible ASCII characters.');
  }
  return key;
}

/** What a quoted string stands for, or nothing when it is malformed (RFC 9651, section 4.2.5). */
function quotedString(header: string): string | undefined {
  try {
    const [value] = parseItem(header);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
