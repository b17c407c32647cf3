import type { FastifyInstance } from 'fastify';
import { problemOf } from '../../access/hub.errors.js';
import { sendProblem } from '../../shared/http/problem.js';
import { isInternal } from './internal-requests.js';

/** Has administration answer at the internal listener only (`HERALD_ADMIN_INTERNAL`). */
export function hideAdmin(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    // The route rather than the path, which can be written in many ways.
    const isAdmin = request.routeOptions.url?.startsWith('/admin/') ?? false;
    if (isAdmin && !isInternal(request.raw))
      sendProblem(reply, problemOf('not-found', 'There is nothing at this path.'));
    else done();
  });
}
