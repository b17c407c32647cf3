import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { traceParentOf } from './traceparent.js';

/** The header that names a request, in the request itself and in its answer. */
export const REQUEST_ID = 'x-request-id';

/** Names of requests that are taken as they come: long enough for any usual one, and nothing that a log could misread. */
const SANE = /^[\w.:/+=-]{1,128}$/;

/** What the names that this process makes begin with, so that no other process makes the same. */
const OWN = `${randomBytes(9).toString('base64url')}-`;

let made = 0;

/**
 * The name of a request in log lines and answers: its own `X-Request-Id` where that is sane, otherwise one that no other
 * request has, at whatever process. Whoever sends the same name twice has two requests of that name.
 */
export function requestIdOf(headers: IncomingHttpHeaders): string {
  const given = headers[REQUEST_ID];
  return typeof given === 'string' && SANE.test(given) ? given : makeRequestId();
}

/** A name for a request that could not be read. */
export function makeRequestId(): string {
  made += 1;
  return OWN + made.toString(36);
}

/** What log lines name a request by. */
export interface RequestNames {
  readonly requestId: string;
  /** The id of the distributed trace that it belongs to, where its sender has named one. */
  readonly traceId?: string | undefined;
}

/** What log lines name this request by. */
export function namesOf({ id, headers }: { readonly id: string; readonly headers: IncomingHttpHeaders }): RequestNames {
  const { traceparent } = headers;
  const traceId = traceparent === undefined ? undefined : traceParentOf(traceparent)?.traceId;
  return traceId === undefined ? { requestId: id } : { requestId: id, traceId };
}
