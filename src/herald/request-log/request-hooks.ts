import type { HubReply } from '../../shared/exchange/hub-reply.js';
import type { HubRequest } from '../../shared/exchange/hub-request.js';

/** What is asked of Fastify, whose own types an application on Express does not have. */
export interface RequestHooks {
  addHook(
    name: 'onRequest' | 'onResponse',
    hook: (request: HubRequest, reply: HubReply & { readonly elapsedTime: number }, done: () => void) => void,
  ): unknown;
}
