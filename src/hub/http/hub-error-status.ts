import type { HubErrorCode } from '../hub.errors.js';

/** The status that each refusal is answered with. A code without one doesn't compile. */
export const HUB_ERROR_STATUS: Readonly<Record<HubErrorCode, number>> = {
  'topic-missing': 400,
  'topic-invalid': 400,
  'topic-reserved': 400,
  // R38: what is above a limit of publishing is 413.
  'topic-too-long': 413,
  'topics-too-many': 413,
  'id-invalid': 400,
  'type-invalid': 400,
  'retry-invalid': 400,
  'data-invalid': 400,
  'matcher-missing': 400,
  'matcher-unknown': 400,
  'matcher-invalid': 400,
  // R15: what is above a limit of subscribing is 400.
  'matcher-too-long': 400,
  'matchers-too-many': 400,
  'encoding-invalid': 400,
  'media-type-unsupported': 415,
  'body-too-large': 413,
  'fields-too-many': 413,
  'parameters-too-many': 400,
  'batch-line-invalid': 400,
  'batch-lines-too-many': 413,
  'idempotency-key-invalid': 400,
  'idempotency-key-conflict': 422,
  unauthorized: 401,
  'token-malformed': 400,
  'token-invalid': 401,
  'insufficient-scope': 403,
  'journal-unavailable': 503,
};
