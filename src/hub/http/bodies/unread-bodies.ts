import type { HttpServer } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { HubError } from '../../../access/hub.errors.js';

/** The name of the setting of a route by which its body is left unread. */
export const LATE_BODY = 'lateBody';

/** A media type that nobody sends: what the framework takes a body for that it is to leave alone. */
const UNREAD = 'application/vnd.herald.unread';

/** The media types of requests whose bodies are hidden from the framework, by their headers. */
const types = new WeakMap<object, string>();

/**
 * Has the framework leave the bodies of the hub's routes unread, whatever its parsers do for others: the hub reads them
 * itself (`LateBody`), as bytes, and only once all guards have let the request pass. It must run before the routes are made.
 */
export function leaveBodiesUnread(adapter: HttpServer): void {
  // On Express `keepBodiesUnparsed` does the same.
  if (adapter.getType() !== 'fastify') return;
  const fastify = adapter.getInstance() as FastifyInstance;
  if (fastify.hasContentTypeParser(UNREAD)) return;
  fastify.addContentTypeParser(UNREAD, (request, body, done) => {
    // Somebody has sent this type to a route of the application's, which would take the request itself for the body.
    if (!types.has(request.raw.headers)) {
      done(new HubError('media-type-unsupported', 'There is nothing here that takes a body of this type.'));
      return;
    }
    restore(request);
    done(null, body);
  });
  fastify.addHook('onRoute', (route) => {
    if (!isLate(route)) return;
    // As the last of these hooks, so that those of the application see the request as it is.
    route.preParsing = [
      ...[route.preParsing ?? []].flat(),
      (request, _reply, body, done) => {
        hide(request);
        done(null, body);
      },
    ];
  });
}

function isLate({ config }: RouteOptions): boolean {
  return config !== undefined && LATE_BODY in config && config[LATE_BODY] === true;
}

/** A body without a type is refused by the framework itself. */
function hide({ raw: { headers } }: FastifyRequest): void {
  const type = headers['content-type'];
  if (type === undefined) return;
  types.set(headers, type);
  headers['content-type'] = UNREAD;
}

function restore({ raw: { headers } }: FastifyRequest): void {
  headers['content-type'] = types.get(headers);
}
