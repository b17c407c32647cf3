import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { problemOf } from '../../access/hub.errors.js';
import { type Problem, PROBLEM_TYPE, sendProblem } from '../../shared/http/problem.js';
import { countOf } from '../../shared/http/raw-headers.js';
import { endUnreadBody } from '../../shared/http/unread-body.js';
import { refusals } from '../../shared/measures/refusals.js';
import { REQUEST_ID, requestIdOf } from '../../shared/trace/request-id.js';
import type { ShareRefusal } from './cors.js';

/** More than that are refused. */
export const MAX_HEADER_LINES = 2_000;

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

/**
 * Refuses requests whose head is too large, or which another program on the way may have read differently than this one.
 * @param most bytes of a head.
 */
export function checkHeads(fastify: FastifyInstance, most: number, share: ShareRefusal): void {
  // By default Node drops what comes after 1,000 lines without a word, the token perhaps.
  fastify.server.maxHeadersCount = 0;
  fastify.addHook('onRequest', (request, reply, done) => {
    // Nobody reads the body of a `HEAD`, and over HTTP/2 its stream would stay open for as long as the body did not end.
    if (request.method === 'HEAD') endUnreadBody(request.raw);
    const refusal = refusalOf(request.raw, most);
    if (refusal) sendProblem(reply.headers(share(request.headers.origin)), refusal);
    else done();
  });
  fastify.server.on('checkExpectation', ({ headers, httpVersionMajor }: IncomingMessage, response: ServerResponse) => {
    const refusal = problemOf('expectation-unknown', 'The only expectation that is met is "100-continue".');
    refusals.add('expectation-unknown');
    const body = JSON.stringify(refusal);
    const about = {
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
      [REQUEST_ID]: requestIdOf(headers),
    };
    // A body that was not waited for may follow, which only HTTP/2 can tell from another request.
    const last = httpVersionMajor === 1 ? { connection: 'close' } : {};
    response.writeHead(refusal.status, { ...about, ...last, ...share(headers.origin) }).end(body);
  });
}

function refusalOf(request: IncomingMessage, most: number): Problem | undefined {
  const { rawHeaders, httpVersion, url = '' } = request;
  const isHttp2 = 'stream' in request;
  if (!isHttp2 && httpVersion !== '1.1' && httpVersion !== '1.0') {
    return problemOf('version-unsupported', 'The request names a version of HTTP that this connection does not speak.');
  }
  if (rawHeaders.length > 2 * MAX_HEADER_LINES) {
    return problemOf('head-too-large', `A request may have at most ${MAX_HEADER_LINES} header lines.`);
  }
  if (sizeOf(rawHeaders, url) > most) {
    return problemOf(
      'head-too-large',
      `The head of a request may have at most ${most} bytes: put long lists into a QUERY body.`,
    );
  }
  if (!url.startsWith('/') && !(url === '*' && request.method === 'OPTIONS')) {
    return malformed('The target of a request must be a path, or a URL with http or https and no user.');
  }
  return hostMistake(rawHeaders, httpVersion) ?? typeMistake(rawHeaders, request.headers['content-type']);
}

/** Bytes of what a head says, without what only separates it. Over HTTP/2 the target is among the headers. */
function sizeOf(rawHeaders: readonly string[], url: string): number {
  let size = rawHeaders[0]?.startsWith(':') ? 0 : url.length;
  for (const text of rawHeaders) size += text.length;
  return size;
}

/** Of several, Node heeds the first, and another program on the way perhaps the last. */
function typeMistake(rawHeaders: readonly string[], type: string | undefined): Problem | undefined {
  if (countOf('content-type', rawHeaders) < 2) return undefined;
  const isSame = rawHeaders.every(
    (name, at) => at % 2 === 1 || name.toLowerCase() !== 'content-type' || rawHeaders[at + 1] === type,
  );
  return isSame ? undefined : malformed('A request must have one Content-Type header.');
}

function hostMistake(rawHeaders: readonly string[], httpVersion: string): Problem | undefined {
  const hosts = countOf('host', rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return malformed('A request must have one Host header.');
  return undefined;
}

function malformed(detail: string): Problem {
  return problemOf('request-malformed', detail);
}
