import { randomUUID } from 'node:crypto';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type HubErrorCode, problemOf } from '../../access/hub.errors.js';
import { type Problem, problem, sendProblem } from '../../shared/http/problem.js';
import { namesOf } from '../../shared/trace/request-id.js';
import { methodsOf } from './known-paths.js';

/** What Fastify refuses by itself, by status. */
const REFUSED: Readonly<Record<number, readonly [HubErrorCode, string]>> = {
  400: ['request-malformed', 'The request can not be read: its body is not what its head says.'],
  413: ['body-too-large', 'The body is too large.'],
  415: ['media-type-unsupported', 'A body of this type, or without one, is not taken here: look at the Content-Type.'],
};

/** Turns whatever was thrown into an answer: it explains mistakes of the caller, while failures go to the log alone. */
@Catch()
export class ProblemFilter implements ExceptionFilter<unknown> {
  private readonly logger = new Logger(ProblemFilter.name);

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) return;
    if (request.is404) return answerUnknownRoute(request, reply);
    const status = statusOf(error);
    if (status >= 500 && !(error instanceof HttpException)) return this.answerFailure(error, request, reply);
    const own = ownBody(error);
    if (own) void reply.status(status).send(own);
    else sendProblem(reply, explained(error, status));
  }

  private answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const errorId = randomUUID();
    this.logger.error({ msg: 'request failed', ...namesOf(request), errorId, err: error });
    sendProblem(reply, problem(500, { errorId }));
  }
}

/** 405 with `Allow` where the path exists for other methods (RFC 9110, 15.5.6), else 404. */
function answerUnknownRoute({ url, server }: FastifyRequest, reply: FastifyReply): void {
  const allowed = methodsOf(server, url.split('?', 1)[0] ?? '/');
  if (allowed.length === 0) return sendProblem(reply, problemOf('not-found', 'There is nothing at this path.'));
  void reply.header('allow', allowed.join(', '));
  sendProblem(reply, problemOf('method-not-allowed', 'This path has other methods: see the Allow header.'));
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  // Fastify's own errors, such as a body above the limit, carry their status.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : 500;
}

/** A body that the application made itself, such as the health check's, is sent as it is. */
function ownBody(error: unknown): object | undefined {
  const body = error instanceof HttpException ? error.getResponse() : undefined;
  return typeof body === 'object' && !('message' in body) ? body : undefined;
}

/** Nest hands on what Fastify refuses as if it were the application's, with Fastify's error as the cause. */
function explained(error: unknown, status: number): Problem {
  const isOwn =
    error instanceof HttpException && !(error.cause instanceof Error && error.cause.name === 'FastifyError');
  if (isOwn) return problem(status, { detail: error.message });
  const reason = REFUSED[status];
  return reason ? problemOf(...reason) : problem(status);
}
