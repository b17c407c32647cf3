import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import { answerOf, HubError } from '../../access/hub.errors.js';
import { problem, sendProblem } from '../../shared/problem.js';

/** Seconds after which a client may try again (`Retry-After`). */
const RETRY_AFTER = 5;

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
    if (status === 503 || status === 507) void reply.header('retry-after', RETRY_AFTER);
    if (challenge !== undefined) void reply.header('www-authenticate', this.challenge(challenge, http.getRequest()));
    sendProblem(reply, problem(status, { code, detail: error.message }));
  }

  private challenge(error: string, request: FastifyRequest): string {
    const parts = [error, this.metadata && `resource_metadata="${this.metadata.of(request)}"`].filter(Boolean);
    return parts.length > 0 ? `Bearer ${parts.join(', ')}` : 'Bearer';
  }
}
