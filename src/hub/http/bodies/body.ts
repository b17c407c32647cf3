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
  if (type?.split(';', 1)[0]?.trim().toLowerCase() !== expected) throw unsupported(expected);
}

function unsupported(expected: string): HubError {
  return new HubError('media-type-unsupported', `The body must be sent as ${expected}.`);
}
