import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { RequestLog } from '../../config/config.js';
import { namesOf } from '../../shared/trace/request-id.js';
import { isStream } from '../../streams/registry/stream-request.js';

/** The lowest status that says that a request was refused or has failed. */
const ERRORS = 400;

/**
 * Logs one line for each answered request, or for each that was refused or has failed. Streams log two lines of their own,
 * when they open and when they close. The query, which may hold a secret, and the headers, which do, are never logged.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger, which: RequestLog): void {
  if (which === 'off') return;
  const lowest = which === 'errors' ? ERRORS : 0;
  fastify.addHook('onResponse', (request, reply, done) => {
    if (reply.statusCode >= lowest) logRequest(request, reply, logger);
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const level = levelOf(request);
  if (logger.isLevelEnabled(level) && !isStream(request.raw)) logger[level](lineOf(request, reply), 'request');
}

/** Health probes and scrapes come every few seconds and would fill the log. */
function levelOf(request: FastifyRequest): 'info' | 'debug' {
  return /^\/(?:health(?:\/|z(?:$|\?))|metrics(?:$|\?))/.test(request.url) ? 'debug' : 'info';
}

function lineOf(request: FastifyRequest, reply: FastifyReply): object {
  const { requestId, traceId } = namesOf(request);
  // Named one by one: an object that is spread took the log a fifth of a publication's time. What is undefined is left out.
  return {
    requestId,
    traceId,
    method: request.method,
    path: request.url.split('?', 1)[0],
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    address: request.ip,
  };
}
