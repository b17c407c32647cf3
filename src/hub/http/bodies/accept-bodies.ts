import type { IncomingMessage } from 'node:http';
import { constants, type Http2ServerRequest } from 'node:http2';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const TYPES = ['application/x-www-form-urlencoded', 'application/x-ndjson', 'application/json'];

/**
 * Milliseconds that a client may go on sending a body that nobody reads, because its request was refused. Until then it
 * can read the answer; many clients do that only once they have sent everything.
 */
const LINGER = 5_000;

/**
 * Makes Fastify leave bodies unread until the guards have let a request pass: `BodyInterceptor` then reads them as bytes,
 * because decoded text no longer shows whether it was valid UTF-8. Media types other than these are refused with 415.
 */
export function acceptBodies(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  for (const type of TYPES) fastify.addContentTypeParser(type, (_request, body, done) => done(null, body));
  // Over HTTP/2 an answer is over only when its request is, so `onResponse` would come too late.
  fastify.addHook('onSend', (request, _reply, _payload, done) => {
    if (isUnfinished(request.raw)) endSoon(request.raw);
    done();
  });
}

/** Whether the request has a body that waits to be read. */
export function isUnread({ body, raw }: FastifyRequest): boolean {
  return body === raw;
}

function isUnfinished(request: IncomingMessage | Http2ServerRequest): boolean {
  return 'stream' in request ? !request.stream.endAfterHeaders && !request.complete : !request.complete;
}

function endSoon(request: IncomingMessage | Http2ServerRequest): void {
  // What still comes is thrown away.
  request.resume();
  const timer = setTimeout(() => {
    if ('stream' in request) request.stream.close(constants.NGHTTP2_CANCEL);
    else request.socket.destroy();
  }, LINGER).unref();
  request.once('close', () => clearTimeout(timer)).once('end', () => clearTimeout(timer));
}
