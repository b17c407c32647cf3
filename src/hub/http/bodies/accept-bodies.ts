import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Bodies } from './bodies.js';

const TYPES = ['application/x-www-form-urlencoded', 'application/x-ndjson', 'application/json'];

/** Milliseconds within which a body for a route of the application's own must have come. */
const TIMEOUT = 30_000;

/** The name of the setting of a route by which its body is left unread. */
export const LATE_BODY = 'lateBody';

/**
 * Makes Fastify pass bodies to the handlers as bytes, because decoded text no longer shows whether it was valid UTF-8.
 * Media types other than these are refused with 415. The bodies of the hub's own routes stay unread until all guards have
 * let the request pass (`LateBody`), and those for unknown paths altogether.
 */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const bodies = new Bodies({ timeout: TIMEOUT });
  for (const type of TYPES) {
    fastify.addContentTypeParser(type, (request, body, done) => {
      if (staysUnread(request)) done(null, body);
      // oxlint-disable-next-line promise/no-callback-in-promise -- an async parser would cost each publication a promise
      else readNow(request, bodies).then((bytes) => done(null, bytes), done);
    });
  }
}

function staysUnread({ is404, routeOptions }: FastifyRequest): boolean {
  const { config } = routeOptions;
  return is404 || (LATE_BODY in config && config[LATE_BODY] === true);
}

/** Reads a body for a route of the application's own. */
async function readNow({ raw, routeOptions }: FastifyRequest, bodies: Bodies): Promise<Buffer> {
  const { bytes, release } = await bodies.read(raw, routeOptions.bodyLimit);
  release?.();
  return bytes;
}
