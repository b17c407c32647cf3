import type { IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest } from 'node:http2';

/**
 * Milliseconds that a client may go on sending a body that nobody reads. Until then it can read the answer; many clients
 * do that only once they have sent everything.
 */
const LINGER = 5_000;

/** Throws away what still comes of a body that nobody reads, and after a while closes the connection, or the stream. */
export function endUnreadBody(request: IncomingMessage | Http2ServerRequest): void {
  if (!isUnfinished(request)) return;
  request.resume();
  const timer = setTimeout(() => {
    if ('stream' in request) request.stream.close(constants.NGHTTP2_CANCEL);
    else request.socket.destroy();
  }, LINGER).unref();
  // Over HTTP/2 a request may be over while its stream still has a body to bring.
  const holder = 'stream' in request ? request.stream : request;
  holder.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
}

function isUnfinished(request: IncomingMessage | Http2ServerRequest): boolean {
  return 'stream' in request ? !request.stream.endAfterHeaders && !request.complete : !request.complete;
}
