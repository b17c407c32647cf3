import type { TraceContext } from '../../shared/trace/trace-context.js';
import { traceParentOf } from '../../shared/trace/traceparent.js';
import type { Span, SpanAttributes, Tracer } from '../../shared/trace/tracer.js';
import type { Update } from '../../storage/journal/update.js';
import type { UpdateDraft } from '../update/check-update.js';

/** Where a publication belongs in a distributed trace, and the spans that tell of it where its trace is sampled. */
export class PublicationTrace {
  private static readonly none = new PublicationTrace(undefined, {}, undefined);

  /** What the update is stored with: the place of the span, or else what came in. */
  readonly traceparent: string | undefined;
  private readonly span: Span | undefined;
  private attributes: SpanAttributes = {};

  /**
   * The trace of a publication that is about to begin. Most belong to none, and share one.
   * @param given where the request or the call says that the publication belongs; the draft itself counts first.
   */
  static of(
    tracer: Tracer | undefined,
    draft: Pick<UpdateDraft, 'traceparent'>,
    given: TraceContext | undefined,
  ): PublicationTrace {
    if (!tracer && !given && draft.traceparent === undefined) return PublicationTrace.none;
    return new PublicationTrace(tracer, draft, given);
  }

  private constructor(
    private readonly tracer: Tracer | undefined,
    draft: Pick<UpdateDraft, 'traceparent'>,
    given: TraceContext | undefined,
  ) {
    const own = traceParentOf(draft.traceparent);
    const parent = own ? { traceparent: own.text } : given;
    const link = own ? given : undefined;
    // By the conventions it is a producer's, because its place is what the message carries.
    this.span = tracer?.begin({ name: 'publish', kind: 'producer', parent, link });
    this.traceparent = this.span?.traceparent ?? parent?.traceparent;
  }

  /** Appends the update, which is known from now on. */
  append<T>(update: Update, append: () => T | Promise<T>): T | Promise<T> {
    return this.span ? this.tellOf(this.span, update, append) : append();
  }

  /** @param error what has gone wrong, by its code. What was refused has not failed here. */
  end(outcome: string, error?: string): void {
    if (!this.span) return;
    const attributes = {
      ...this.attributes,
      'herald.outcome': outcome,
      ...(error !== undefined && { 'error.type': error }),
    };
    this.span.end(attributes, error !== undefined && outcome !== 'refused');
  }

  private async tellOf<T>(span: Span, update: Update, append: () => T | Promise<T>): Promise<T> {
    const size = Buffer.byteLength(update.data);
    this.attributes = { 'messaging.message.id': update.id, 'messaging.message.body.size': size };
    const appending = this.tracer?.begin({ name: 'journal append', parent: span });
    try {
      const appended = await append();
      appending?.end();
      return appended;
    } catch (error) {
      appending?.end({}, true);
      throw error;
    }
  }
}
