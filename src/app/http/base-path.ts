import type { FastifyInstance } from 'fastify';
import { METADATA_PREFIX } from '../../auth/settings/resource.js';

/** Before which paths a base path may stand: all, and that of the metadata, which is one of the whole site (RFC 9728). */
const BEFORE = ['', METADATA_PREFIX];

/**
 * A request's target without the path of the site below which the service is found. A proxy may take that path away or
 * leave it there, so both are served.
 */
export function withoutBase(target: string, base: string): string {
  if (base === '') return target;
  const before = BEFORE.find((prefix) => target.startsWith(`${prefix}${base}/`));
  return before === undefined ? target : before + target.slice(before.length + base.length);
}

/** The page names its files relative to itself, and so must be asked for with a slash at the end. */
export function redirectToPage(fastify: FastifyInstance, base: string): void {
  if (base !== '') fastify.get(base, (_request, reply) => reply.redirect(`${base}/`, 308));
}
