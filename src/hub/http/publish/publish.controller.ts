import { Controller, HttpCode, Post, Res, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import { GrantsOfRequest, PublishGuard } from '../../../access/guards.js';
import type { Grants } from '../../../access/grants.js';
import { HubError } from '../../../access/hub.errors.js';
import { HubService } from '../../service/hub.service.js';
import { checkType } from '../bodies/body.js';
import { HubErrorFilter } from '../hub-error.filter.js';
import { LateBody, StreamedBody } from '../bodies/late-body.js';
import { answersNoMore, type FrameworkReply, hubReplyOf, whenSent } from '../../../shared/exchange/exchange.js';
import type { HubReply } from '../../../shared/exchange/hub-reply.js';
import { HUB_PATH } from '../../../shared/hub-path.js';
import { traceContextOf } from '../../../shared/trace/trace-context.js';
import { Batches } from './batch/batches.js';
import { publicationOf } from './publish-request.js';

/** `POST` to the hub: one update as a form (R29) or as JSON, or many as NDJSON. */
@Controller({ path: HUB_PATH, version: VERSION_NEUTRAL })
@UseFilters(HubErrorFilter)
@UseGuards(PublishGuard)
export class PublishController {
  constructor(
    private readonly hub: HubService,
    private readonly batches: Batches,
  ) {}

  @Post()
  @HttpCode(200)
  @LateBody()
  async publish(@Res({ passthrough: true }) given: FrameworkReply, @GrantsOfRequest() grants: Grants): Promise<void> {
    this.hub.checkPressure();
    const reply = hubReplyOf(given);
    const { request } = reply;
    const { draft, idempotencyKey } = publicationOf(request);
    const id = await this.hub.publish(draft, { grants, idempotencyKey, trace: traceContextOf(request.headers) });
    answer(reply, id);
    // An application's hooks may delay the sending, and until then another answer could still replace this one.
    const sending = whenSent(reply);
    if (sending) await sending;
    answersNoMore(reply);
  }

  /**
   * Appends the lines in order, while they come. One that is refused does not stop the others: each has its own line in
   * the answer.
   */
  @Post('batch')
  @StreamedBody()
  async publishBatch(
    @Res({ passthrough: true }) given: FrameworkReply,
    @GrantsOfRequest() grants: Grants,
  ): Promise<void> {
    this.hub.checkPressure();
    const reply = hubReplyOf(given);
    const { 'content-type': type, 'idempotency-key': key } = reply.request.headers;
    checkType(type, 'application/x-ndjson');
    if (key !== undefined) {
      throw new HubError('idempotency-key-invalid', 'A batch has no key of its own: give each line its own "key".');
    }
    reply.hijack();
    await this.batches.answer(reply, grants);
    answersNoMore(reply);
  }
}

/**
 * Sends the answer before the handler returns, so that an application's interceptors can't make a failure of an update
 * that is stored. Nest sends what they return only where they have not called the handler.
 */
function answer(reply: HubReply, id: string): void {
  // An interceptor with a time limit may have answered meanwhile.
  if (reply.sent) return;
  // No shared cache may keep the answer, because a token of the 0.x dialect may be part of the URL.
  reply.header('cache-control', 'private').header('content-type', 'text/plain; charset=utf-8').send(id);
}
