import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
}

/** Seconds after which a client may try again (`Retry-After`), by status. */
export const RETRY_AFTER: Readonly<Record<number, number>> = { 429: 1, 503: 5, 507: 5 };

/** The media type of problem details. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problem(status: number, more: Omit<Problem, 'status' | 'title'> = {}): Problem {
  return { status, title: STATUS_CODES[status] ?? 'Error', ...more };
}

export function sendProblem(reply: FastifyReply, body: Problem): void {
  // Many refusals come before the body has been read.
  endUnreadBody(reply.request.raw);
  void reply
    .status(body.status)
    .header('content-type', PROBLEM_TYPE)
    // Some refusals come before the hook that sets the security headers.
    .header('x-content-type-options', 'nosniff')
    .send(body);
}

/** Answers a request that the router refuses before it finds a route, such as one whose path can't be decoded. */
export function answerFrameworkError(_error: Error, _request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, problem(400, { detail: 'The request target is malformed.' }));
}

/**
 * Answers what the HTTP parser refuses: there is no request to answer then, only a connection. While an earlier request
 * on the connection is being answered, the client would take the refusal for that answer, so the connection is cut.
 */
export function answerUnreadableRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  // oxlint-disable-next-line no-underscore-dangle -- Node's name for the response that is under way
  const isAnswering = Boolean((socket as Socket & { _httpMessage?: unknown })._httpMessage);
  if (isAnswering || socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = UNREADABLE[error.code ?? ''] ?? 400;
  const body = JSON.stringify(problem(status, { detail: 'The request is not HTTP, too slow, or its head too large.' }));
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${body.length}`,
      'x-content-type-options: nosniff',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
    // A client that never closes its half must not keep the connection.
    () => socket.destroy(),
  );
}

const UNREADABLE: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};
