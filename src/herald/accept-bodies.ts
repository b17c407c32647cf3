import type { FastifyInstance } from 'fastify';

/**
 * Makes Fastify pass bodies to the handlers as bytes, because decoded text no longer shows whether it was valid UTF-8.
 * Media types other than these are refused with 415.
 */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  for (const type of ['application/x-www-form-urlencoded', 'application/x-ndjson', 'application/json']) {
    fastify.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
}
