import type { FastifyInstance } from 'fastify';

/** Shorter answers fit into what the kernel holds for a connection. Bytes. */
const SHORT = 16 * 1024;

/**
 * Closes connections, or streams of HTTP/2, whose clients take nothing of their answer for so long. Streams of events
 * have the same limit elsewhere: see `StreamRegistry`.
 *
 * @param patience in milliseconds. What the client takes meanwhile, however little, starts it again; over TLS only once it
 * has taken all that was written at once, because Node sees no part of that.
 */
export function limitAnswers(fastify: FastifyInstance, patience: number): void {
  fastify.addHook('onSend', (_request, { raw }, payload, done) => {
    if (!isShort(payload)) raw.setTimeout(patience, () => raw.destroy());
    done();
  });
}

function isShort(payload: unknown): boolean {
  if (payload === undefined || payload === null) return true;
  return (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length <= SHORT;
}
