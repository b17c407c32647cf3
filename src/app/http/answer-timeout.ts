import type { FastifyInstance, onSendHookHandler } from 'fastify';

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
  const limit: onSendHookHandler = (_request, { raw }, payload, done) => {
    if (!isShort(payload)) raw.setTimeout(patience, () => raw.destroy());
    done();
  };
  // Answers to publications are short, and would pay for the hook.
  fastify.addHook('onRoute', (route) => {
    if ([route.method].flat().includes('GET')) route.onSend = [limit, ...[route.onSend ?? []].flat()];
  });
}

function isShort(payload: unknown): boolean {
  if (payload === undefined || payload === null) return true;
  return (typeof payload === 'string' || Buffer.isBuffer(payload)) && payload.length <= SHORT;
}
