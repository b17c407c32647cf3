import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { isStream } from '../../streams/registry/stream-request.js';

/**
 * Logs one line for each answered request. Streams log two lines of their own, when they open and when they close. The
 * query, which may hold a secret, and the headers, which do, are never logged.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const level = levelOf(request);
    if (logger.isLevelEnabled(level) && !isStream(request.raw)) logger[level](lineOf(request, reply), 'request');
    done();
  });
}

/** Health probes and scrapes come every few seconds and would fill the log. */
function levelOf(request: FastifyRequest): 'info' | 'debug' {
  return /^\/(?:health(?:\/|z(?:$|\?))|metrics(?:$|\?))/.test(request.url) ? 'debug' : 'info';
}

function lineOf(request: FastifyRequest, reply: FastifyReply): object {
  return {
    requestId: request.id,
    method: request.method,
    path: request.url.split('?', 1)[0],
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    address: request.ip,
  };
}
