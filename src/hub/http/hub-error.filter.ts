import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, Injectable, Logger, Optional } from '@nestjs/common';
import { JournalUnavailableError } from '../../storage/journal/journal.js';
import { answerOf, HubError, type HubErrorCode } from '../../access/hub.errors.js';
import { problem, RETRY_AFTER, sendProblem } from '../../shared/http/problem.js';
import { type FrameworkReply, hubReplyOf } from '../../shared/exchange/exchange.js';
import type { HubReply } from '../../shared/exchange/hub-reply.js';
import type { HubRequest } from '../../shared/exchange/hub-request.js';
import { HUB_PATH } from '../../shared/hub-path.js';
import { RepeatedLines } from '../../shared/log/repeated-lines.js';
import { namesOf } from '../../shared/trace/request-id.js';
import { StreamRegistry } from '../../streams/registry/stream-registry.js';
import { NOBODY } from '../../access/caller.js';
import { HUB_OPTIONS, type HubOptions } from '../service/hub.options.js';
import { getsNotices, openerOf } from './subscribe/opening.js';

/** Finds the address of the metadata that tells a client how to get a token (RFC 9728, 5.1). */
export abstract class MetadataAddress {
  abstract of(request: HubRequest): string;
}

/** Answers the refusals of the hub, also on an application's own routes that use the hub's guards. */
@Injectable()
@Catch(HubError, JournalUnavailableError)
export class HubErrorFilter implements ExceptionFilter<HubError | JournalUnavailableError> {
  private readonly logger = new Logger(HubErrorFilter.name);
  private readonly failures = new RepeatedLines((line) => this.logger.warn(line));

  /** @internal Nest calls it. */
  constructor(
    private readonly streams: StreamRegistry,
    @Inject(HUB_OPTIONS) private readonly options: HubOptions,
    @Optional() @Inject(MetadataAddress) private readonly metadata?: MetadataAddress,
  ) {}

  catch(error: HubError | JournalUnavailableError, host: ArgumentsHost): void {
    const reply = hubReplyOf(host.switchToHttp().getResponse<FrameworkReply>());
    const { request } = reply;
    if (reply.sent || reply.raw.headersSent) return;
    const { code } = error;
    const { status, challenge } = answerOf(code);
    // The answer tells the client what to do, and the log tells the operator why: of publications, `HubService` tells.
    if (error instanceof JournalUnavailableError && !this.isPublication(request)) {
      this.failures.log({ msg: error.message, code, ...namesOf(request), err: error.cause });
    }
    if (AWAY.has(code) && asksForStream(request)) return this.endStream(request, reply);
    if (this.isForStreams(request)) this.streams.tally.refused.add(code);
    const retryAfter = RETRY_AFTER[status];
    if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
    if (challenge !== undefined) reply.header('www-authenticate', this.challenge(challenge, request));
    const limit = error instanceof HubError ? error.limit : undefined;
    sendProblem(reply, problem(status, { code, detail: error.message, ...(limit && { limit }) }));
  }

  /** Begins a stream, tells its client that it is to come back later, and ends it. */
  private endStream(request: HubRequest, reply: HubReply): void {
    const { streams } = this;
    const notices = getsNotices(request, this.options, streams.notices);
    const connection = openerOf(request, reply, streams)('');
    connection.info = { ...namesOf(request), address: request.ip, caller: NOBODY, wishes: { notices } };
    streams.refuse(connection, 'unavailable');
  }

  private isPublication({ method, routeOptions }: HubRequest): boolean {
    const { path = HUB_PATH } = this.options;
    return method === 'POST' && [path, `${path}/batch`].some((one) => routeOptions.url?.endsWith(one));
  }

  /** Whether a stream would have been the answer, whatever client has asked. */
  private isForStreams(request: HubRequest): boolean {
    const { method, routeOptions } = request;
    const { path = HUB_PATH } = this.options;
    if (asksForStream(request)) return true;
    return (method === 'GET' || method === 'QUERY') && routeOptions.url?.endsWith(path) === true;
  }

  private challenge(error: string, request: HubRequest): string {
    const parts = [error, this.metadata && `resource_metadata="${this.metadata.of(request)}"`].filter(Boolean);
    return parts.length > 0 ? `Bearer ${parts.join(', ')}` : 'Bearer';
  }
}

/** Refusals of requests that may be right, because nobody could tell. */
const AWAY: ReadonlySet<string> = new Set<HubErrorCode>(['keys-unavailable', 'authorization-unavailable']);

/** Whether a native `EventSource` may have sent the request: to that, any status but 200 is final. */
function asksForStream({ method, headers }: HubRequest): boolean {
  return method === 'GET' && /\btext\/event-stream\b/i.test(headers.accept ?? '');
}
