import { randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Grants } from '../../../../access/grants.js';
import { HubError } from '../../../../access/hub.errors.js';
import { JournalUnavailableError } from '../../../../storage/journal/journal.js';
import { Drain } from '../../../../streams/drain/drain.js';
import { StreamRegistry } from '../../../../streams/registry/stream-registry.js';
import type { PublishOptions } from '../../../service/publications.js';
import { HubService } from '../../../service/hub.service.js';
import { Bodies } from '../../bodies/bodies.js';
import { Batch, type BatchContext } from './batch.js';
import { readUpdate } from '../json-update.js';
import { BatchTrace } from './batch-trace.js';
import type { HubReply } from '../../../../shared/exchange/hub-reply.js';
import { believedNow } from '../../../../shared/time/steady-clock.js';
import { type Line, TOO_LONG } from '../../../../shared/line-splitter.js';
import { namesOf } from '../../../../shared/trace/request-id.js';
import type { Tracer } from '../../../../shared/trace/tracer.js';

/** Milliseconds between two looks at all batches. */
const PERIOD = 1_000;

/** What an id may have that JSON must escape. Few have it, and looking takes less time than writing JSON. */
const NEEDS_ESCAPES = /["\\]/;

/** The injection token of {@link BatchOptions}. */
export const BATCH_OPTIONS = Symbol('batch options');

export interface BatchOptions {
  /** Milliseconds within which a line must come, where none is under way. */
  readonly idle: number;
  /** Tells of batches. Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

/** The batches that are being read, whose callers are looked after as those of streams are. */
@Injectable()
export class Batches {
  private readonly logger = new Logger('Batches');
  private readonly open = new Set<Batch>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly hub: HubService,
    private readonly streams: StreamRegistry,
    private readonly drain: Drain,
    private readonly bodies: Bodies,
    @Inject(BATCH_OPTIONS) private readonly options: BatchOptions,
  ) {
    drain.onLettingGo(() => this.endAll());
  }

  /**
   * Reads the body of a request as a batch, and answers it. The reply must have been taken out of the framework's hands. Resolves
   * once the answer is over: Nest ends a response when an interceptor fails after the handler.
   */
  answer(reply: HubReply, grants: Grants): Promise<void> {
    const { request } = reply;
    const info = { ...namesOf(request), address: request.ip, caller: grants };
    const headers: OutgoingHttpHeaders = {
      ...(reply.getHeaders() as OutgoingHttpHeaders),
      'content-type': 'application/x-ndjson; charset=utf-8',
      // No shared cache may keep the answer, because a token of the 0.x dialect may be part of the URL.
      'cache-control': 'private',
      'x-accel-buffering': 'no',
    };
    const exchange = { request: request.raw, response: reply.raw, headers };
    const trace = new BatchTrace(this.options.tracer, request.headers);
    const batch = new Batch(exchange, info, this.contextFor(grants, this.bodies.limitOf(request), trace));
    const over = new Promise<void>((resolve) => reply.raw.once('close', resolve));
    this.open.add(batch);
    this.timer ??= setInterval(() => this.look(), PERIOD).unref();
    batch.begin();
    // One that was asked for just before the process began to let go, and got here just after.
    if (this.drain.hasBegun) batch.end('drain');
    return over;
  }

  private endAll(): void {
    for (const batch of this.open) batch.end('drain');
  }

  private contextFor(grants: Grants, lineLimit: number, trace: BatchTrace): BatchContext {
    return {
      lineLimit,
      publish: (line) => this.publish(line, lineLimit, grants, trace.ofLine()),
      inTurns: (steps, isOver) => this.hub.inTurns(steps, isOver),
      isPressed: () => this.streams.pressure.shedsPublications,
      hold: (bytes) => this.bodies.hold(bytes),
      release: (bytes) => this.bodies.release(bytes),
      onOver: (batch) => {
        trace.end();
        this.letGo(batch);
      },
    };
  }

  /**
   * Never throws or rejects, because the answer must tell what became of every line, even if one fails. It is no async function: there
   * may be thousands of lines under way, and what such a function keeps outlives several garbage collections.
   */
  private publish(line: Line, limit: number, grants: Grants, trace: PublishOptions['trace']): string | Promise<string> {
    try {
      if (line === TOO_LONG) throw new HubError('body-too-large', `A line may have at most ${limit} bytes.`);
      const { draft, idempotencyKey } = readUpdate(line, 'batch-line-invalid');
      // Fields in the order in which single publications have them: V8 reads objects of one shape several times faster.
      const id = this.hub.publishAtOnce(draft, { grants, idempotencyKey, trace });
      return typeof id === 'string' ? answerOf(id) : id.then(answerOf, this.answerOfFailure);
    } catch (failure) {
      return this.answerOfFailure(failure);
    }
  }

  private readonly answerOfFailure = (failure: unknown): string =>
    `${JSON.stringify({ error: this.refusal(failure) })}\n`;

  private refusal(error: unknown): object {
    if (error instanceof HubError || error instanceof JournalUnavailableError) {
      return { code: error.code, detail: error.message };
    }
    const errorId = randomUUID();
    this.logger.error({ msg: 'a line of a batch failed', errorId, err: error });
    const detail = 'The hub failed to publish this line: give its operator the errorId.';
    return { code: 'internal-error', detail, errorId };
  }

  private letGo(batch: Batch): void {
    this.open.delete(batch);
    if (this.open.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const now = performance.now();
    for (const batch of this.open) this.lookAt(batch, now);
  }

  private lookAt(batch: Batch, now: number): void {
    const { fullSince, info } = batch;
    if (fullSince > 0 && now - fullSince >= this.streams.writeTimeout) return batch.cut();
    const { expiresAt = Infinity } = info.caller;
    // By that time and not after it, as with streams (R62).
    if (expiresAt <= believedNow() + PERIOD) return batch.end('expired');
    if (this.streams.reasonAgainst(info) !== undefined) return batch.end('revoked');
    if (batch.isIdle && now - batch.activeAt >= this.options.idle) batch.end('idle');
  }
}

/** The line that tells a publisher the id of its update. */
function answerOf(id: string): string {
  return `{"id":${NEEDS_ESCAPES.test(id) ? JSON.stringify(id) : `"${id}"`}}\n`;
}
