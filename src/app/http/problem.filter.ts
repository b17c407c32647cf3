import { randomUUID } from 'node:crypto';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problem, sendProblem } from '../../shared/http/problem.js';

const METHODS = ['GET', 'HEAD', 'QUERY', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const PLAIN_PATH = /^[\w./-]*$/;

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
    if (status >= 500 && !(error instanceof HttpException)) return this.answerFailure(error, reply);
    const own = ownBody(error);
    if (own) void reply.status(status).send(own);
    else sendProblem(reply, problem(status, detailOf(error)));
  }

  private answerFailure(error: unknown, reply: FastifyReply): void {
    const errorId = randomUUID();
    this.logger.error({ msg: 'request failed', errorId, err: error });
    sendProblem(reply, problem(500, { errorId }));
  }
}

/** 405 with `Allow` where the path exists for other methods (RFC 9110, 15.5.6), else 404. */
function answerUnknownRoute(request: FastifyRequest, reply: FastifyReply): void {
  const url = request.url.split('?', 1)[0] ?? '/';
  // `hasRoute` takes the URL for a route pattern, and throws for a malformed one.
  const allowed = PLAIN_PATH.test(url) ? METHODS.filter((method) => request.server.hasRoute({ method, url })) : [];
  if (allowed.length === 0) return sendProblem(reply, problem(404, { detail: 'There is nothing at this path.' }));
  void reply.header('allow', allowed.join(', '));
  sendProblem(reply, problem(405, { detail: 'This path exists, but not for this method: see the Allow header.' }));
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

function detailOf(error: unknown): { detail: string } | undefined {
  return error instanceof HttpException ? { detail: error.message } : undefined;
}
