import type { IncomingMessage } from 'node:http';

/** Requests that came to the internal listener. */
const internal = new WeakSet<IncomingMessage>();

export function markInternal(request: IncomingMessage): void {
  internal.add(request);
}

/** Whether a request came to the internal listener, which only operators and their programs can reach. */
export function isInternal(request: IncomingMessage): boolean {
  return internal.has(request);
}
