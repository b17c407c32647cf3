import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

/**
 * A refusal, as RFC 9457 has it. Never an event stream: some clients take a refusal of that type for a good stream.
 * `detail` is ours, and never repeats what the request said.
 */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** What exactly was refused, for programs: one of a closed list, and never used for anything else again. */
  readonly code?: string;
  readonly detail?: string;
  /** The same id is in the log, beside what really happened. */
  readonly errorId?: string;
}

export function problem(status: number, more: Omit<Problem, 'status' | 'title'> = {}): Problem {
  return { status, title: STATUS_CODES[status] ?? 'Error', ...more };
}

export function sendProblem(reply: FastifyReply, body: Problem): void {
  void reply
    .status(body.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    // Some refusals come before the hook that sets the security headers.
    .header('x-content-type-options', 'nosniff')
    .send(body);
}

/** What the router refuses before any route is found, such as a path that can't be decoded. */
export function answerFrameworkError(_error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, problem(400, { detail: 'The request target is malformed.' }));
}
