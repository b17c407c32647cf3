import type { HubErrorCode } from '../hub.errors.js';

/** How a route refuses callers that do not show who they are, or may not do what they ask for. */
export const CREDENTIALS = [
  'unauthorized',
  'token-malformed',
  'token-invalid',
  'token-revoked',
  'session-invalid',
  'session-forbidden',
  'keys-unavailable',
  'authorization-unavailable',
] as const satisfies readonly HubErrorCode[];

/** The same of a route that changes something, where a cookie counts only with a page of an allowed origin (R89). */
export const CREDENTIALS_TO_CHANGE = [
  ...CREDENTIALS,
  'origin-refused',
  'insufficient-scope',
] as const satisfies readonly HubErrorCode[];

/** How a route with a body refuses one that it can't take. */
export const BODY = [
  'media-type-unsupported',
  'body-too-large',
  'body-too-slow',
  'body-incomplete',
  'overloaded',
] as const satisfies readonly HubErrorCode[];
