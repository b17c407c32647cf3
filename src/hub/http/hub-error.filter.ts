import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import { answerOf, HubError, type HubErrorCode } from '../../access/hub.errors.js';
import { problem, RETRY_AFTER, sendProblem } from '../../shared/http/problem.js';
import { encodeNotice, EVENT_STREAM } from '../../streams/frames/frame.js';
import { randomRetry } from '../../streams/registry/stream-registry.js';

/** Finds the address of the metadata that tells a client how to get a token (RFC 9728, 5.1). */
export abstract class MetadataAddress {
  abstract of(request: FastifyRequest): string;
}

/** Answers the refusals of the hub, also on an application's own routes that use the hub's guards. */
@Injectable()
@Catch(HubError, JournalUnavailableError)
export class HubErrorFilter implements ExceptionFilter<HubError | JournalUnavailableError> {
  private readonly logger = new Logger(HubErrorFilter.name);

  constructor(@Optional() @Inject(MetadataAddress) private readonly metadata?: MetadataAddress) {}

  catch(error: HubError | JournalUnavailableError, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent || reply.raw.headersSent) return;
    const { code } = error;
    const { status, challenge } = answerOf(code);
    // The answer tells the publisher what to do, and the log tells the operator why.
    if (error instanceof JournalUnavailableError) this.logger.warn({ msg: error.message, code, err: error.cause });
    if (AWAY.has(code) && asksForStream(http.getRequest())) return endAtOnce(reply);
    const retryAfter = RETRY_AFTER[status];
    if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
    if (challenge !== undefined) void reply.header('www-authenticate', this.challenge(challenge, http.getRequest()));
    sendProblem(reply, problem(status, { code, detail: error.message }));
  }

  private challenge(error: string, request: FastifyRequest): string {
    const parts = [error, this.metadata && `resource_metadata="${this.metadata.of(request)}"`].filter(Boolean);
    return parts.length > 0 ? `Bearer ${parts.join(', ')}` : 'Bearer';
  }
}

/** Refusals of requests that may be right, because nobody could tell. */
const AWAY: ReadonlySet<string> = new Set<HubErrorCode>(['keys-unavailable', 'authorization-unavailable']);

/** Whether a native `EventSource` may have sent the request: to that, any status but 200 is final. */
function asksForStream({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && /\btext\/event-stream\b/i.test(headers.accept ?? '');
}

/** A stream that ends as soon as it has begun, and whose client comes back after a while. */
function endAtOnce(reply: FastifyReply): void {
  const notice = encodeNotice({ type: 'unavailable' }, { retry: randomRetry() });
  void reply.status(200).header('content-type', EVENT_STREAM).header('cache-control', 'no-store').send(notice);
}
