import type { IncomingMessage, Server } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import { hasBody, hideBody } from '../../../shared/exchange/hidden-body.js';

/** The targets of requests whose bodies the hub reads itself, in any of the ways in which Express takes them for a route. */
function targetOf(paths: readonly string[]): RegExp {
  const escaped = paths.map((path) => path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^(?:https?://[^/?#]*)?(?:${escaped.join('|')})/?(?:[?#]|$)`, 'i');
}

/**
 * Keeps the body parsers of an application on Express from the hub's requests. They are middleware, and would read a body
 * before the guards have looked at who sends it, with limits of their own and without the hub's time-out. On Fastify
 * `leaveBodiesUnread` does the same.
 * @param paths those of the hub's routes with a body, with the application's global prefix if that is before them.
 */
export function keepBodiesUnparsed(adapter: HttpServer | undefined, paths: readonly string[]): void {
  if (adapter?.getType() !== 'express') return;
  const target = targetOf(paths);
  // Before whatever serves the request, also where an application brings an Express of its own with middleware in it.
  (adapter.getHttpServer() as Server).prependListener('request', (request: IncomingMessage) => {
    if (hasBody(request) && target.test(request.url ?? '')) hideBody(request);
  });
}
