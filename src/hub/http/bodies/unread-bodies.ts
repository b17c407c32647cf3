import type { HttpServer } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { HubError } from '../../../access/hub.errors.js';

/** The name of the setting of a route by which its body is left unread. */
export const LATE_BODY = 'lateBody';

/** A media type that nobody sends: what the framework takes a body for that it is to leave alone. */
const UNREAD = 'application/vnd.herald.unread';

/**
 * Where a request's headers keep the media type of a body that is hidden from the framework. A weak map cost each publication
 * one or two microseconds more, half of them in garbage collection.
 */
const TYPE = Symbol('media type');

const SOON = Promise.resolve();

type Headers = FastifyRequest['raw']['headers'] & { [TYPE]?: string };

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
    const headers: Headers = request.raw.headers;
    if (headers[TYPE] === undefined) {
      done(new HubError('media-type-unsupported', 'There is nothing here that takes a body of this type.'));
      return;
    }
    headers['content-type'] = headers[TYPE];
    // By then Node has parsed the body that came with the head, so that what reads it does not have to wait.
    // oxlint-disable-next-line promise/no-callback-in-promise -- `queueMicrotask` makes a resource for each call
    void SOON.then(() => done(null, body));
  });
  fastify.addHook('onRoute', (route) => {
    if (!isLate(route)) return;
    // As the last of these hooks, so that those of the application see the request as it is.
    route.preParsing = [
      ...[route.preParsing ?? []].flat(),
      (request, _reply, body, done) => {
        hide(request.raw.headers);
        done(null, body);
      },
    ];
  });
}

function isLate({ config }: RouteOptions): boolean {
  return config !== undefined && LATE_BODY in config && config[LATE_BODY] === true;
}

/** A body without a type is refused by the framework itself. */
function hide(headers: Headers): void {
  const type = headers['content-type'];
  if (type === undefined) return;
  headers[TYPE] = type;
  headers['content-type'] = UNREAD;
}
