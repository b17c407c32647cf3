import { parseItem } from 'structured-headers';
import { HubError } from '../../../access/hub.errors.js';

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * The key of an `Idempotency-Key` header, bare or as the quoted string that the IETF draft asks for, or nothing when
 * there is no such header. One that was repeated on the way, which makes a list of it, still is one key.
 *
 * @throws HubError `idempotency-key-invalid` unless it is 1 to 255 visible ASCII characters
 */
export function parseIdempotencyKey(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  // No key has a space.
  const [key, ...others] = new Set([header].flat().flatMap((one) => one.split(/, +/)));
  if (key === undefined || others.length > 0) return checkIdempotencyKey(undefined);
  return checkIdempotencyKey(/^".*"$/.test(key) ? quotedString(key) : key);
}

/** @throws HubError `idempotency-key-invalid` unless it is 1 to 255 visible ASCII characters */
export function checkIdempotencyKey(key: string | undefined): string {
  if (key !== undefined && IDEMPOTENCY_KEY.test(key)) return key;
  throw new HubError('idempotency-key-invalid', 'The idempotency key must be 1 to 255 visible ASCII characters.');
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
