import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Grants } from './grants.js';

/** A request as the guards leave it. */
export type GuardedRequest = FastifyRequest & {
  /** Set by a guard, read by `GrantsOfRequest`. */
  grants?: Grants;
};

export function requestOf(context: ExecutionContext): GuardedRequest {
  return context.switchToHttp().getRequest<GuardedRequest>();
}
