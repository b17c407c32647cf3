import type { FastifyInstance } from 'fastify';
import { traceParentOf } from '../../shared/trace/traceparent.js';

/** The header that names a request, in the request itself and in its answer. */
export const REQUEST_ID = 'x-request-id';

/**
 * Has each answer say what the log calls its request, and which trace it belongs to where the request has said so. Comes before
 * all other hooks, because any of them may refuse the request.
 */
export function nameRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header(REQUEST_ID, request.id);
    const { traceparent } = request.headers;
    const parent = traceparent === undefined ? undefined : traceParentOf(traceparent);
    if (parent) void reply.header('traceparent', parent.text);
    done();
  });
}
