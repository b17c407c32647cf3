import { STATUS_CODES } from 'node:http';
import type { HubReply } from '../exchange/hub-reply.js';
import { refusals } from '../measures/refusals.js';
import { endUnreadBody } from './unread-body.js';

/**
 * A refusal as problem details (RFC 9457). It is never an event stream, because some clients take any answer of that
 * type for a working stream. `detail` is Herald's own text and never repeats what the request said.
 */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** Identifies the refusal for programs: one of a closed list, whose meanings never change. */
  readonly code?: string;
  readonly detail?: string;
  /** Also in the log, beside the error itself. */
  readonly errorId?: string;
  /** How much of what was too much is taken, so that a client can ask for less. */
  readonly limit?: Limit;
}

/** How many of a kind one request may have, and of how many bytes together. */
export interface Limit {
  readonly count: number;
  readonly bytes: number;
}

/** Seconds after which a client may try again (`Retry-After`), by status. */
export const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 1, 503: 5, 507: 5 };

/** The media type of problem details. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problem(status: number, more: Omit<Problem, 'status' | 'title'> = {}): Problem {
  return { status, title: STATUS_CODES[status] ?? 'Error', ...more };
}

export function sendProblem(reply: HubReply, body: Problem): void {
  if (body.code !== undefined) refusals.add(body.code);
  // Many refusals come before the body has been read.
  endUnreadBody(reply.request.raw);
  reply
    .status(body.status)
    .header('content-type', PROBLEM_TYPE)
    // Some refusals come before the hook that sets the security headers.
    .header('x-content-type-options', 'nosniff')
    .send(body);
}
