import type { ExecutionContext } from '@nestjs/common';
import { type FrameworkRequest, hubRequestOf } from '../shared/exchange/exchange.js';
import type { HubRequest } from '../shared/exchange/hub-request.js';
import type { Grants } from './grants.js';

/** A request as the guards leave it. */
export type GuardedRequest = HubRequest & {
  /** Set by a guard, read by `GrantsOfRequest`. */
  grants?: Grants;
};

export function requestOf(context: ExecutionContext): GuardedRequest {
  // What `switchToHttp().getRequest()` gives, without the object that Nest makes for it: each publication asks three times.
  return hubRequestOf(context.getArgByIndex<FrameworkRequest>(0));
}
