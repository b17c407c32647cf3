import { Body, Controller, Header, Headers, HttpCode, Post, UseGuards } from '@nestjs/common';
import { GrantsOfRequest, PublishGuard } from '../../auth/guards.js';
import { JournalUnavailableError } from '../../journal/journal.js';
import type { Grants } from '../grants.js';
import { HubError } from '../hub.errors.js';
import { HubService } from '../hub.service.js';
import { bodyOf } from './body.js';
import { HUB_PATH } from './hub-path.js';
import { parseForm } from './form.js';
import { type BatchLine, parseBatch } from './publish-batch.js';
import { draftFromForm, parseIdempotencyKey, PUBLISH_FORM_LIMITS } from './publish-request.js';

/** `POST` to the hub: one update as a form (R29), or many as NDJSON. */
@Controller(HUB_PATH)
@UseGuards(PublishGuard)
export class PublishController {
  constructor(private readonly hub: HubService) {}

  @Post()
  @HttpCode(200)
  // Nobody else's, where a token of the 0.x dialect is part of the URL.
  @Header('cache-control', 'private')
  @Header('content-type', 'text/plain; charset=utf-8')
  publish(
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @Headers('idempotency-key') key: string | undefined,
    @GrantsOfRequest() grants: Grants,
  ): Promise<string> {
    const form = bodyOf(body, type, 'application/x-www-form-urlencoded');
    const draft = draftFromForm(parseForm(form, PUBLISH_FORM_LIMITS));
    const idempotencyKey = parseIdempotencyKey(key);
    return this.hub.publish(draft, { grants, ...(idempotencyKey !== undefined && { idempotencyKey }) });
  }

  /** Appends the lines in order. One that is refused does not stop the others: each has its own line in the answer. */
  @Post('batch')
  @HttpCode(200)
  // Nobody else's, where a token of the 0.x dialect is part of the URL.
  @Header('cache-control', 'private')
  @Header('content-type', 'application/x-ndjson; charset=utf-8')
  async publishBatch(
    @Body() body: unknown,
    @Headers('content-type') type: string | undefined,
    @GrantsOfRequest() grants: Grants,
  ): Promise<string> {
    const lines = parseBatch(bodyOf(body, type, 'application/x-ndjson'));
    // All are under way at once, in the order of the lines: a journal stores them in the order of the calls.
    const answers = await Promise.all([...lines].map((line) => this.publishLine(line, grants)));
    return answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
  }

  private async publishLine({ ok, error }: BatchLine, grants: Grants): Promise<object> {
    if (error) return refusal(error);
    try {
      return { id: await this.hub.publish(ok, { grants }) };
    } catch (failure) {
      return refusal(failure);
    }
  }
}

function refusal(error: unknown): object {
  if (error instanceof HubError) return { error: { code: error.code, detail: error.message } };
  if (error instanceof JournalUnavailableError) return { error: { code: error.code, detail: error.message } };
  throw error;
}
