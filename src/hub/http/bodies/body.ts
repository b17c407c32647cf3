import { HubError } from '../../../access/hub.errors.js';

/**
 * The bytes of a body that was sent as `expected`.
 * @throws HubError `media-type-unsupported` (R6, R29)
 */
export function bodyOf(body: unknown, type: string | undefined, expected: string): Buffer {
  if (type?.split(';', 1)[0]?.trim().toLowerCase() === expected && Buffer.isBuffer(body)) return body;
  throw new HubError('media-type-unsupported', `The body must be sent as ${expected}.`);
}
