import type { RequestHooks } from './request-hooks.js';
import { RequestLines, type RequestLinesOptions } from './request-lines.js';

/**
 * Logs one line for each request that Fastify answers, or for each that was refused or has failed. The query, which may hold a
 * secret, and the headers, which do, are never logged.
 */
export function logRequests(fastify: RequestHooks, options: RequestLinesOptions): void {
  const lines = new RequestLines(options);
  fastify.addHook('onResponse', (request, reply, done) => {
    lines.note(request, reply.raw.statusCode, reply.elapsedTime);
    done();
  });
}
