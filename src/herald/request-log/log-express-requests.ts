import type { Server, ServerResponse } from 'node:http';
import { hubRequestOf } from '../../shared/exchange/exchange.js';
import type { ExpressIncoming } from '../../shared/exchange/express-request.js';
import { requestIdOf } from '../../shared/trace/request-id.js';
import { nameRequest } from './name-requests.js';
import { RequestLines, type RequestLinesOptions } from './request-lines.js';

/**
 * Names requests and logs them as `nameRequests` and `logRequests` do, where Express answers. It comes before whatever serves
 * the request, so that what refuses it, such as a body parser, is logged as well.
 */
export function logExpressRequests(server: Server, options: RequestLinesOptions): void {
  const lines = new RequestLines(options);
  server.prependListener('request', (request: ExpressIncoming, response: ServerResponse) => {
    const begun = performance.now();
    const { headers, socket } = request;
    const named = Object.assign(request, { id: requestIdOf(headers) });
    nameRequest(named, (name, value) => response.setHeader(name, value));
    // Node forgets the address of a client that leaves, but for one that somebody has asked for.
    void socket.remoteAddress;
    response.once('finish', () => lines.note(hubRequestOf(named), response.statusCode, performance.now() - begun));
  });
}
