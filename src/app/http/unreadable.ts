import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type HubErrorCode, problemOf } from '../../access/hub.errors.js';
import { PROBLEM_TYPE, sendProblem } from '../../shared/http/problem.js';
import { refusals } from '../../shared/measures/refusals.js';
import type { RepeatedLines } from '../../shared/log/repeated-lines.js';
import { makeRequestId, REQUEST_ID } from '../../shared/trace/request-id.js';
import type { ShareRefusal } from './cors.js';

/** Answers a request that the router refuses before it finds a route, such as one whose path can't be decoded. */
export function answerUnroutable(share: ShareRefusal) {
  return ({ code }: Error & { readonly code?: string }, request: FastifyRequest, reply: FastifyReply): void => {
    void reply.headers(share(request.headers.origin)).header(REQUEST_ID, request.id);
    // Nothing has so long a name.
    if (code === 'FST_ERR_MAX_PARAM_LENGTH')
      sendProblem(reply, problemOf('not-found', 'There is nothing at this path.'));
    else sendProblem(reply, problemOf('request-malformed', 'The path of the request is not percent-encoded UTF-8.'));
  };
}

/**
 * Answers what the HTTP parser refuses: there is no request to answer then, only a connection. While an earlier request
 * on the connection is being answered, the client would take the refusal for that answer, so the connection is cut.
 *
 * A page of another origin may read the answer if what the parser got last has the line that names the origin: what came
 * before that is not kept.
 */
export function answerUnreadable(share: ShareRefusal, unread: RepeatedLines) {
  return (error: Error & { readonly code?: string }, socket: Socket): void => {
    const { code = '' } = error;
    // oxlint-disable-next-line no-underscore-dangle -- Node's name for the response that is under way
    const isAnswering = Boolean((socket as Socket & { _httpMessage?: unknown })._httpMessage);
    if (isAnswering || socket.destroyed || !socket.writable || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const refusal = problemOf(...(REASONS[code] ?? MALFORMED));
    const { status, code: reason = '' } = refusal;
    refusals.add(reason);
    const requestId = makeRequestId();
    unread.log(
      { msg: 'a request can not be read', code: reason, status, requestId, address: socket.remoteAddress },
      reason,
    );
    const body = JSON.stringify(refusal);
    const headers = {
      ...HEADERS,
      ...share(originIn(error)),
      [REQUEST_ID]: requestId,
      'content-length': String(Buffer.byteLength(body)),
    };
    socket.end(
      [
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        '',
        body,
      ].join('\r\n'),
      // A client that never closes its half must not keep the connection.
      () => socket.destroy(),
    );
  };
}

const HEADERS = { 'content-type': PROBLEM_TYPE, 'x-content-type-options': 'nosniff', connection: 'close' };

const MALFORMED: readonly [HubErrorCode, string] = [
  'request-malformed',
  'What came is not a request of HTTP/1.1: look at what the client or a proxy on the way sends.',
];

const REASONS: Readonly<Record<string, readonly [HubErrorCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['head-too-large', 'The head of the request is too large: put long lists into a QUERY body.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'The extensions of a chunk are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['head-too-slow', 'The head of the request did not come in time: send it again.'],
};

/** The origin that the last part of a request names, if it has that line. Fastify types this part otherwise than Node. */
function originIn(error: object): string | undefined {
  const packet = 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1') : '';
  return /\r\norigin:[ \t]*([^\s]+)[ \t]*\r\n/i.exec(packet)?.[1];
}
