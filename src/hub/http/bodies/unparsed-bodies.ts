import type { IncomingMessage, Server } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import { hasBody, hideBody } from '../../../shared/exchange/hidden-body.js';

/** The targets of requests whose bodies the hub reads itself, in any of the ways in which Express takes them for a route. */
function targetOf(path: string): RegExp {
  const escaped = path.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^(?:https?://[^/?#]*)?${escaped}(?:/(?:batch|history))?/?(?:[?#]|$)`, 'i');
}

/**
 * Keeps the body parsers of an application on Express from the hub's requests. They are middleware, and would read a body
 * before the guards have looked at who sends it, with limits of their own and without the hub's time-out. On Fastify
 * `leaveBodiesUnread` does the same.
 * @param path where the hub's routes are, with the application's global prefix if that is before it.
 */
export function keepBodiesUnparsed(adapter: HttpServer | undefined, path: string): void {
  if (adapter?.getType() !== 'express') return;
  const target = targetOf(path);
  // Before whatever serves the request, also where an application brings an Express of its own with middleware in it.
  (adapter.getHttpServer() as Server).prependListener('request', (request: IncomingMessage) => {
    if (hasBody(request) && target.test(request.url ?? '')) hideBody(request);
  });
}
