import type { IncomingHttpHeaders } from 'node:http';
import { REQUEST_ID } from '../../shared/trace/request-id.js';
import { traceParentOf } from '../../shared/trace/traceparent.js';
import type { RequestHooks } from './request-hooks.js';

/**
 * Has each answer of Fastify's say what the log calls its request, and which trace it belongs to where the request has said
 * so. Comes before all other hooks, because any of them may refuse the request.
 */
export function nameRequests(fastify: RequestHooks): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    nameRequest(request, (name, value) => void reply.header(name, value));
    done();
  });
}

/** Gives an answer the headers that name its request. */
export function nameRequest(
  { id, headers }: { readonly id: string; readonly headers: IncomingHttpHeaders },
  give: (name: string, value: string) => void,
): void {
  give(REQUEST_ID, id);
  const { traceparent } = headers;
  const parent = traceparent === undefined ? undefined : traceParentOf(traceparent);
  if (parent) give('traceparent', parent.text);
}
