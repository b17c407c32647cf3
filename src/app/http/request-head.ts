import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { problem, sendProblem } from '../../shared/http/problem.js';
import { countOf } from '../../shared/http/raw-headers.js';
import { endUnreadBody } from '../../shared/http/unread-body.js';

const MAX_HEADER_LINES = 2_000;

const ABSOLUTE = /^https?:\/\/([^/?#@]+)(\/[^#]*|\?[^#]*)?$/i;

/**
 * The target of a request in origin form, for whatever reads it afterwards. The host in a target of absolute form, which
 * a client sends to a proxy, replaces the `Host` header (RFC 9112, 3.2.2). A target of any other form stays as it is, and
 * `checkHeads` refuses it.
 */
export function originForm(request: IncomingMessage): string {
  const { url = '' } = request;
  const [, host, rest = '/'] = ABSOLUTE.exec(url) ?? [];
  if (host === undefined) return url;
  request.headers.host = host;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Refuses requests whose head another program on the way may have read differently than this one. */
export function checkHeads(fastify: FastifyInstance): void {
  // By default Node drops what comes after 1,000 lines without a word, the token perhaps.
  fastify.server.maxHeadersCount = 0;
  fastify.addHook('onRequest', (request, reply, done) => {
    // Nobody reads the body of a `HEAD`, and over HTTP/2 its stream would stay open for as long as the body did not end.
    if (request.method === 'HEAD') endUnreadBody(request.raw);
    const refusal = refusalOf(request.raw);
    if (refusal) sendProblem(reply, refusal);
    else done();
  });
}

function refusalOf(request: IncomingMessage): ReturnType<typeof problem> | undefined {
  const { rawHeaders, httpVersion, url = '' } = request;
  const isHttp2 = 'stream' in request;
  if (!isHttp2 && httpVersion !== '1.1' && httpVersion !== '1.0') {
    return problem(505, { detail: 'The request names a version of HTTP that this connection does not speak.' });
  }
  if (rawHeaders.length > 2 * MAX_HEADER_LINES) {
    return problem(431, { detail: `A request may have at most ${MAX_HEADER_LINES} header lines.` });
  }
  if (!url.startsWith('/') && !(url === '*' && request.method === 'OPTIONS')) {
    return problem(400, { detail: 'The target of a request must be a path, or a URL with http or https and no user.' });
  }
  if (countOf('host', rawHeaders) > 1) return problem(400, { detail: 'A request must have one Host header.' });
  return undefined;
}
