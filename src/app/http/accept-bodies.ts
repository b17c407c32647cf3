import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Bodies } from '../../herald/index.js';

const TYPES = ['application/x-www-form-urlencoded', 'application/x-ndjson', 'application/json'];

/** Milliseconds within which a body for a route of the service's own must have come. */
const TIMEOUT = 30_000;

/**
 * Makes Fastify pass bodies to the handlers as bytes, because decoded text no longer shows whether it was valid UTF-8.
 * Media types other than these are refused with 415. Bodies for unknown paths stay unread. The hub sees to its own routes.
 */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const bodies = new Bodies({ timeout: TIMEOUT });
  for (const type of TYPES) {
    fastify.addContentTypeParser(type, (request, body, done) => {
      if (request.is404) done(null, body);
      // oxlint-disable-next-line promise/no-callback-in-promise -- an async parser would be one more promise for nothing
      else readNow(request, bodies).then((bytes) => done(null, bytes), done);
    });
  }
}

async function readNow({ raw, routeOptions }: FastifyRequest, bodies: Bodies): Promise<Buffer> {
  const { bytes, release } = await bodies.read(raw, routeOptions.bodyLimit);
  release?.();
  return bytes;
}
