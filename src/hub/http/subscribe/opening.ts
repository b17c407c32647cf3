import { HubError } from '../../../access/hub.errors.js';
import type { HubReply } from '../../../shared/exchange/hub-reply.js';
import type { HubRequest } from '../../../shared/exchange/hub-request.js';
import { canTakeOver, takeOver } from '../../../streams/connections/take-over.js';
import { retryLine } from '../../../streams/frames/frame.js';
import { randomRetry, type StreamRegistry } from '../../../streams/registry/stream-registry.js';
import { markStream } from '../../../streams/registry/stream-request.js';
import { CURRENT_DIALECT } from '../../protocol/current-dialect.js';
import { type DialectOptions, dialectOf } from '../../service/dialects.js';
import type { OpenConnection } from '../../service/hub.service.js';
import { noticesOf } from './subscribe-request.js';

/** Whether a request's query asks for notices, or else its dialect has them. Its body may say otherwise. */
export function getsNotices({ url }: HubRequest, options: DialectOptions, byDefault: boolean): boolean {
  const { hasNotices } = dialectOf({ url }, options) ?? CURRENT_DIALECT;
  return noticesOf([...new URLSearchParams(url.split('?').slice(1).join('?'))]) ?? (hasNotices && byDefault);
}

/** Takes the request out of the framework's hands. What it gives begins the stream. */
export function openerOf(
  request: HubRequest,
  reply: HubReply,
  { outstanding }: Pick<StreamRegistry, 'outstanding'>,
): OpenConnection {
  if (!canTakeOver(request.raw, reply.raw)) refusePipelined(request, reply);
  reply.hijack();
  markStream(request.raw);
  return (greeting) => {
    const first = retryLine(randomRetry()) + greeting;
    return takeOver(request.raw, reply.raw, { headers: reply.getHeaders(), first, outstanding });
  };
}

/**
 * Refuses a request that was sent ahead of another one's answer (pipelining). Nothing more is read from the connection,
 * which closes after this answer.
 */
function refusePipelined(request: HubRequest, reply: HubReply): never {
  request.raw.socket.pause();
  reply.header('connection', 'close');
  throw new HubError(
    'connection-busy',
    'Another answer is still under way on this connection: ask for the stream on a connection of its own.',
  );
}
