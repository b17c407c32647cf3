import { finished } from 'node:stream/promises';
import { ExpressReply, type ExpressResponse } from './express-reply.js';
import { type ExpressIncoming, ExpressRequest } from './express-request.js';
import type { HubReply } from './hub-reply.js';
import type { HubRequest } from './hub-request.js';

/** A request as the framework hands it to guards and handlers (`@Req()`): Fastify's or Express's. */
export type FrameworkRequest = HubRequest | ExpressIncoming;

/** The answer to it, as the framework hands it on (`@Res()`). */
export type FrameworkReply = HubReply | ExpressResponse;

const requests = new WeakMap<ExpressIncoming, ExpressRequest>();
const replies = new WeakMap<ExpressResponse, ExpressReply>();

/** The hub's view of a request: Fastify's itself, or the only one that there is of a request of Express's. */
export function hubRequestOf(given: FrameworkRequest): HubRequest {
  if ('routeOptions' in given) return given;
  const known = requests.get(given);
  if (known) return known;
  const request = new ExpressRequest(given);
  requests.set(given, request);
  return request;
}

/**
 * The hub's view of an answer. Handlers take it from a plain `@Res()`: the pipes of an application see what a parameter
 * decorator of the hub's own would give, and Nest would not know by it that the handler answers itself.
 */
export function hubReplyOf(given: FrameworkReply): HubReply {
  if ('hijack' in given) return given;
  const known = replies.get(given);
  if (known) return known;
  const reply = new ExpressReply(given, hubRequestOf(given.req));
  replies.set(given, reply);
  return reply;
}

/**
 * Resolves once the answer is sent; undefined where it is. An application's hooks may delay it, and the framework answers by
 * itself for a handler that is over.
 */
export function whenSent(reply: HubReply): Promise<void> | undefined {
  return reply.sent ? undefined : finished(reply.raw).catch(() => undefined);
}

/** Nest sends what a handler returns, as it sends what an interceptor gives that has not called the handler: not any more. */
export function answersNoMore(reply: HubReply): void {
  if (reply instanceof ExpressReply) reply.hijack();
  else reply.send = () => reply;
}
