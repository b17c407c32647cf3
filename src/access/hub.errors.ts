import { HttpException } from '@nestjs/common';
import { type Limit, type Problem, problem } from '../shared/http/problem.js';

/** How a refusal is answered over HTTP. */
interface HubErrorAnswer {
  readonly status: number;
  /**
   * The parameters of `WWW-Authenticate` after the scheme (RFC 6750, 3; R46–R49). Undefined where the answer has no
   * such header.
   */
  readonly challenge?: string;
}

/** Every way the hub refuses something. A code that has been released keeps its meaning for good. */
export const HUB_ERRORS = {
  // An update that can't be accepted.
  'topic-missing': { status: 400 },
  'topic-invalid': { status: 400 },
  'topic-reserved': { status: 400 },
  // R38: what is above a limit of publishing is 413.
  'topic-too-long': { status: 413 },
  'topics-too-many': { status: 413 },
  'id-invalid': { status: 400 },
  'id-too-long': { status: 413 },
  'type-invalid': { status: 400 },
  'type-too-long': { status: 413 },
  'retry-invalid': { status: 400 },
  'data-invalid': { status: 400 },
  // A subscription that can't be accepted.
  'matcher-missing': { status: 400 },
  'matcher-unknown': { status: 400 },
  'matcher-invalid': { status: 400 },
  // R15: what is above a limit of subscribing is 400.
  'matcher-too-long': { status: 400 },
  'matchers-too-many': { status: 400 },
  'matchers-too-costly': { status: 400 },
  'last-invalid': { status: 400 },
  'begin-invalid': { status: 400 },
  'max-rate-invalid': { status: 400 },
  'heartbeat-invalid': { status: 400 },
  'parameter-invalid': { status: 400 },
  'id-not-held': { status: 404 },
  'connection-busy': { status: 400 },
  // A request that is refused for its form, before it is known what it asks for.
  'request-malformed': { status: 400 },
  'head-too-large': { status: 431 },
  'head-too-slow': { status: 408 },
  'expectation-unknown': { status: 417 },
  'version-unsupported': { status: 505 },
  // A request that can't be read.
  'encoding-invalid': { status: 400 },
  'media-type-unsupported': { status: 415 },
  'not-acceptable': { status: 406 },
  'body-too-large': { status: 413 },
  'body-too-slow': { status: 408 },
  'body-incomplete': { status: 400 },
  'fields-too-many': { status: 413 },
  'parameters-too-many': { status: 400 },
  'json-invalid': { status: 400 },
  'batch-line-invalid': { status: 400 },
  'idempotency-key-invalid': { status: 400 },
  'idempotency-key-conflict': { status: 422 },
  // Authentication, authorisation, and unknown paths.
  unauthorized: { status: 401, challenge: '' },
  'token-malformed': { status: 400, challenge: 'error="invalid_request"' },
  'token-invalid': { status: 401, challenge: 'error="invalid_token"' },
  'token-revoked': { status: 401, challenge: 'error="invalid_token"' },
  'origin-refused': { status: 400, challenge: 'error="invalid_request"' },
  'session-invalid': { status: 401, challenge: '' },
  'session-forbidden': { status: 403 },
  'keys-unavailable': { status: 503 },
  'authorization-unavailable': { status: 503 },
  'insufficient-scope': { status: 403, challenge: 'error="insufficient_scope"' },
  'not-found': { status: 404 },
  'method-not-allowed': { status: 405 },
  // Requests of administrators, a journal that can't be reached or is full, and a hub with too much to do.
  'criteria-missing': { status: 400 },
  'criteria-invalid': { status: 400 },
  'drain-under-way': { status: 409 },
  'revocations-too-many': { status: 507 },
  'journal-unavailable': { status: 503 },
  'journal-full': { status: 507 },
  overloaded: { status: 503 },
  'rate-limited': { status: 429 },
} as const satisfies Readonly<Record<string, HubErrorAnswer>>;

export type HubErrorCode = keyof typeof HUB_ERRORS;

/**
 * A refusal. The message says what was wrong and what to do about it, and is told to the caller: it never repeats what
 * the caller sent, nor anything that the caller may not know. It is an `HttpException`, whose response is the problem
 * document (RFC 9457), so that an application's own filters answer it with the right status.
 */
export class HubError extends HttpException {
  override readonly name = 'HubError';
  /** How much would have been taken, where that is known. */
  readonly limit: Limit | undefined;

  constructor(
    readonly code: HubErrorCode,
    message: string,
    options?: ErrorOptions & { readonly limit?: Limit },
  ) {
    const { limit, cause } = options ?? {};
    const body = problem(answerOf(code).status, { code, detail: message, ...(limit && { limit }) });
    super({ ...body }, body.status, { cause });
    this.message = message;
    this.limit = limit;
    // Nest's class has no message yet when the stack is taken.
    Error.captureStackTrace(this);
  }
}

/** How a refusal with this code is answered. */
export function answerOf(code: HubErrorCode): HubErrorAnswer {
  return HUB_ERRORS[code];
}

/** A refusal as its answer says it: for what is refused outside the hub, where nobody catches a {@link HubError}. */
export function problemOf(code: HubErrorCode, detail: string): Problem {
  return problem(answerOf(code).status, { code, detail });
}
