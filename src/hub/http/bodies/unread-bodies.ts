import type { HttpServer } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

/** The name of the setting of a route by which its body is left unread. */
export const LATE_BODY = 'lateBody';

/** A media type that nobody sends: what the framework takes a body for that it is to leave alone. */
const UNREAD = 'application/vnd.herald.unread';

/** The media types of the requests whose bodies are hidden from the framework now. */
const types = new WeakMap<object, string | undefined>();

/**
 * Has the framework leave the bodies of the hub's routes unread, whatever its parsers do for others: the hub reads them
 * itself (`LateBody`), as bytes, and only once all guards have let the request pass. It must run before the routes are made.
 */
export function leaveBodiesUnread(adapter: HttpServer): void {
  const fastify = adapter.getInstance() as FastifyInstance;
  if (fastify.hasContentTypeParser(UNREAD)) return;
  fastify.addContentTypeParser(UNREAD, (request, body, done) => {
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

function hide({ raw }: FastifyRequest): void {
  const { headers } = raw;
  types.set(raw, headers['content-type']);
  headers['content-type'] = UNREAD;
}

function restore({ raw }: FastifyRequest): void {
  const type = types.get(raw);
  if (type === undefined) delete raw.headers['content-type'];
  else raw.headers['content-type'] = type;
}
