import type { FastifyInstance } from 'fastify';

/**
 * Bodies reach the handlers as bytes: whether they are valid UTF-8 can only be seen there. Any other media type is
 * refused with 415.
 */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  for (const type of ['application/x-www-form-urlencoded', 'application/x-ndjson', 'application/json']) {
    fastify.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  }
}
