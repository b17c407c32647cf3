import { HubError } from '../../../access/hub.errors.js';

/**
 * The bytes of a body that was sent as `expected`.
 * @throws HubError `media-type-unsupported` (R6, R29)
 */
export function bodyOf(body: unknown, type: string | undefined, expected: string): Buffer {
  checkType(type, expected);
  if (Buffer.isBuffer(body)) return body;
  throw unsupported(expected);
}

/** @throws HubError `media-type-unsupported` unless a body of this type was to be sent as `expected` */
export function checkType(type: string | undefined, expected: string): void {
  if (mediaTypeOf(type) !== expected) throw unsupported(expected);
}

/** What was read last: publishers send the same again and again, and reading it took a microsecond of each publication. */
let last: { readonly type: string | undefined; readonly mediaType: string | undefined } | undefined;

/** A media type without its parameters, in lower case. */
export function mediaTypeOf(type: string | undefined): string | undefined {
  if (!last || last.type !== type) last = { type, mediaType: type?.split(';', 1)[0]?.trim().toLowerCase() };
  return last.mediaType;
}

/** @throws HubError `media-type-unsupported` for a charset other than UTF-8, which is the only one that JSON has */
export function checkCharset(type: string | undefined): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(type ?? '')?.[1];
  if (charset === undefined || /^utf-?8$/i.test(charset)) return;
  throw new HubError('media-type-unsupported', 'JSON must be sent in UTF-8.');
}

function unsupported(expected: string): HubError {
  return new HubError('media-type-unsupported', `The body must be sent as ${expected}.`);
}
