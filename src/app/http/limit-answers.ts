import { Readable } from 'node:stream';
import { getHeapStatistics } from 'node:v8';
import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify';
import { problem, PROBLEM_TYPE, RETRY_AFTER } from '../../shared/http/problem.js';

/** What is written at once over HTTP/2, in bytes: what the client takes of it shows only once it has taken all. */
const PIECE = 64 * 1024;

/** Headers that say something of an answer that is not sent. */
const OF_THE_ANSWER = new Set(['cache-control', 'content-length', 'etag', 'last-modified', 'link']);

/** The methods whose answers may be long. */
const LIMITED = new Set(['GET', 'QUERY']);

/** Shorter answers fit into what the kernel holds for a connection. Bytes. */
const SHORT = 16 * 1024;

/**
 * Bounds what answers hold for clients that do not take them. A connection, or a stream of HTTP/2, whose client takes
 * nothing of its answer for some time is closed; and an answer for which there is no room beside all others is replaced
 * by a 503. Streams of events have the same limits elsewhere: see `StreamRegistry`.
 *
 * @param patience the time, in milliseconds. What the client takes meanwhile, however little, starts it again; over TLS
 * only once it has taken all that was written at once, because Node sees no part of that: over HTTP/2 a piece.
 * @param most bytes of all answers together. Default: an eighth of what V8 lets the heap grow to.
 */
export function limitAnswers(
  fastify: FastifyInstance,
  patience: number,
  most = Math.floor(getHeapStatistics().heap_size_limit / 8),
): void {
  let held = 0;
  const limit: onSendHookHandler = (_request, reply, payload, done) => {
    const { raw } = reply;
    const length = heldBy(payload);
    if (length !== undefined && length <= SHORT) return done();
    raw.setTimeout(patience, () => raw.destroy());
    // One that is read from somewhere as the client takes it holds little.
    if (length === undefined) return done();
    if (held > 0 && held + length > most) return done(null, overloaded(reply));
    held += length;
    raw.once('close', () => (held -= length));
    if ('stream' in raw) done(null, inPieces(reply, Buffer.from(payload as string | Buffer), patience));
    else done();
  };
  // Answers to publications are short, and would pay for the hook.
  fastify.addHook('onRoute', (route) => {
    if ([route.method].flat().some((method) => LIMITED.has(method)))
      route.onSend = [limit, ...[route.onSend ?? []].flat()];
  });
}

/**
 * An answer over HTTP/2, with a time-out of its own: Node's begins anew with whatever is sent on the connection, be it a
 * PING, and is over once a client has reset the stream without an error, although the stream then stays.
 */
function inPieces(reply: FastifyReply, bytes: Buffer, patience: number): Readable {
  const timer = setTimeout(() => reply.raw.destroy(), patience);
  reply.raw.once('close', () => clearTimeout(timer));
  void reply.header('content-length', bytes.length);
  function* pieces(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += PIECE) {
      timer.refresh();
      yield bytes.subarray(at, at + PIECE);
    }
  }
  return Readable.from(pieces());
}

/** Bytes of an answer that is in memory; undefined for a stream. */
function heldBy(payload: unknown): number | undefined {
  if (payload === undefined || payload === null) return 0;
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : undefined;
}

function overloaded(reply: FastifyReply): string {
  for (const name of Object.keys(reply.getHeaders())) if (OF_THE_ANSWER.has(name)) void reply.removeHeader(name);
  void reply.status(503).header('retry-after', RETRY_AFTER[503]).header('content-type', PROBLEM_TYPE);
  const detail = 'Too many clients have not taken their answers yet: ask again later.';
  return JSON.stringify(problem(503, { code: 'overloaded', detail }));
}
