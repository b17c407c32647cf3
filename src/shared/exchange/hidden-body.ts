import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** The headers by which a request has a body (RFC 9112, 6). */
const FRAMING = ['content-length', 'transfer-encoding'] as const;

type Framing = Pick<IncomingHttpHeaders, (typeof FRAMING)[number]>;

const hidden = new WeakMap<IncomingMessage, Framing>();

/** Whether a request has a body, as its headers say. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return FRAMING.some((name) => headers[name] !== undefined);
}

/** Has a request look as if it had no body, so that no body parser reads it, until {@link showBody} is called. */
export function hideBody(request: IncomingMessage): void {
  const { headers } = request;
  const framing: Framing = {};
  for (const name of FRAMING) {
    if (headers[name] === undefined) continue;
    framing[name] = headers[name];
    headers[name] = undefined;
  }
  hidden.set(request, framing);
}

/** Gives a request its headers back where {@link hideBody} has taken them. */
export function showBody(request: IncomingMessage): void {
  const framing = hidden.get(request);
  if (!framing) return;
  Object.assign(request.headers, framing);
  hidden.delete(request);
}
