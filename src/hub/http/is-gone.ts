import type { Http2ServerRequest } from 'node:http2';
import type { HubRequest } from '../../shared/exchange/hub-request.js';

/** Whether the client has left: with its connection, or, over HTTP/2, with its stream. */
export function isGone({ raw }: HubRequest): boolean {
  return raw.socket.destroyed || ('stream' in raw && (raw as unknown as Http2ServerRequest).stream.destroyed);
}
