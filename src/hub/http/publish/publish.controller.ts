import { randomUUID } from 'node:crypto';
import { finished } from 'node:stream/promises';
import {
  applyDecorators,
  Body,
  Controller,
  Header,
  Headers,
  HttpCode,
  Logger,
  Post,
  Res,
  UseGuards,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { GrantsOfRequest, PublishGuard } from '../../../access/guards.js';
import { JournalUnavailableError } from '../../../storage/journal/journal.js';
import type { Grants } from '../../../access/grants.js';
import { HubError } from '../../../access/hub.errors.js';
import { HubService } from '../../service/hub.service.js';
import { bodyOf } from '../bodies/body.js';
import { LateBody } from '../bodies/late-body.js';
import { HUB_PATH } from '../../../shared/hub-path.js';
import { parseForm } from '../../protocol/form.js';
import { type BatchLine, parseBatch } from './publish-batch.js';
import { draftFromForm, parseIdempotencyKey, PUBLISH_FORM_LIMITS } from './publish-request.js';

/** The head of a publication's answer. */
function AnswersWith(type: string): MethodDecorator {
  return applyDecorators(
    HttpCode(200),
    // No shared cache may keep the answer, because a token of the 0.x dialect may be part of the URL.
    Header('cache-control', 'private'),
    Header('content-type', `${type}; charset=utf-8`),
  );
}

/** `POST` to the hub: one update as a form (R29), or many as NDJSON. */
@Controller(HUB_PATH)
@UseGuards(PublishGuard)
export class PublishController {
  private readonly logger = new Logger(PublishController.name);

  constructor(private readonly hub: HubService) {}

  @Post()
  @LateBody()
  @AnswersWith('text/plain')
  async publish(
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @Headers('idempotency-key') key: string | undefined,
    @GrantsOfRequest() grants: Grants,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    this.hub.checkPressure();
    const form = bodyOf(body, type, 'application/x-www-form-urlencoded');
    const draft = draftFromForm(parseForm(form, PUBLISH_FORM_LIMITS));
    const idempotencyKey = parseIdempotencyKey(key);
    const id = await this.hub.publish(draft, { grants, ...(idempotencyKey !== undefined && { idempotencyKey }) });
    await answer(reply, id);
  }

  /** Appends the lines in order. One that is refused does not stop the others: each has its own line in the answer. */
  @Post('batch')
  @LateBody()
  @AnswersWith('application/x-ndjson')
  async publishBatch(
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @GrantsOfRequest() grants: Grants,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    this.hub.checkPressure();
    const lines = parseBatch(bodyOf(body, type, 'application/x-ndjson'));
    const answers = await Promise.all(await this.hub.inTurns(this.publishLines(lines, grants)));
    await answer(reply, answers.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /**
   * Begins with one line at each step, in their order, which is that in which the journal stores them. It does not wait
   * until one is stored: all that were begun with are under way at once.
   */
  private *publishLines(lines: Iterable<BatchLine>, grants: Grants): Generator<void, Promise<object>[]> {
    const answers: Promise<object>[] = [];
    for (const line of lines) {
      answers.push(this.publishLine(line, grants));
      yield;
    }
    return answers;
  }

  /** Never rejects, because the answer must tell what became of every line, even if one fails. */
  private async publishLine({ ok, error }: BatchLine, grants: Grants): Promise<object> {
    if (error) return this.refusal(error);
    try {
      return { id: await this.hub.publish(ok, { grants }) };
    } catch (failure) {
      return this.refusal(failure);
    }
  }

  private refusal(error: unknown): object {
    if (error instanceof HubError || error instanceof JournalUnavailableError) {
      return { error: { code: error.code, detail: error.message } };
    }
    const errorId = randomUUID();
    this.logger.error({ msg: 'a line of a batch failed', errorId, err: error });
    return {
      error: {
        code: 'internal-error',
        detail: 'The hub failed to publish this line: give its operator the errorId.',
        errorId,
      },
    };
  }
}

/**
 * Sends the answer before the handler returns, so that an application's interceptors can't make a failure of an update
 * that is stored. Nest sends what they return only where they have not called the handler.
 */
async function answer(reply: FastifyReply, body: string): Promise<void> {
  // An interceptor with a time limit may have answered meanwhile.
  if (!reply.sent) void reply.send(body);
  // An application's hooks may delay the sending, and until then another answer could still replace this one.
  if (!reply.sent) await finished(reply.raw).catch(() => undefined);
  // Nest sends the handler's result after this, and Fastify would warn of a second answer for each publication.
  reply.send = () => reply;
}
