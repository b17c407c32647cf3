import { getHeapStatistics } from 'node:v8';
import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify';
import { problem } from '../../shared/problem.js';

/** Headers that say something of an answer that is not sent. */
const OF_THE_ANSWER = new Set(['cache-control', 'content-length', 'etag', 'last-modified', 'link']);

/** Shorter answers fit into what the kernel holds for a connection. Bytes. */
const SHORT = 16 * 1024;

/** Seconds after which a client may ask again that was refused because of others' answers. */
const RETRY_AFTER = 5;

/**
 * Bounds what answers hold for clients that do not take them: in time, and in bytes all together. What would be too much
 * is answered with 503 instead.
 *
 * Closes connections, or streams of HTTP/2, whose clients take nothing of their answer for so long. Streams of events
 * have the same limit elsewhere: see `StreamRegistry`.
 *
 * @param patience in milliseconds. What the client takes meanwhile, however little, starts it again; over TLS only once it
 * has taken all that was written at once, because Node sees no part of that.
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
    if (isShort(payload)) return done();
    raw.setTimeout(patience, () => raw.destroy());
    const length = lengthOf(payload);
    if (held > 0 && held + length > most) return done(null, overloaded(reply));
    held += length;
    raw.once('close', () => (held -= length));
    done();
  };
  // Answers to publications are short, and would pay for the hook.
  fastify.addHook('onRoute', (route) => {
    if ([route.method].flat().includes('GET')) route.onSend = [limit, ...[route.onSend ?? []].flat()];
  });
}

/** What an answer holds in memory; one that is read from somewhere as the client takes it holds little. */
function lengthOf(payload: unknown): number {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
}

function overloaded(reply: FastifyReply): string {
  for (const name of Object.keys(reply.getHeaders())) if (OF_THE_ANSWER.has(name)) void reply.removeHeader(name);
  void reply.status(503).header('retry-after', RETRY_AFTER).header('content-type', 'application/problem+json');
  const detail = 'Too many clients have not taken their answers yet: ask again later.';
  return JSON.stringify(problem(503, { code: 'overloaded', detail }));
}

function isShort(payload: unknown): boolean {
  if (payload === undefined || payload === null) return true;
  return (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length <= SHORT;
}
