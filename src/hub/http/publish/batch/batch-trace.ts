import { type TraceContext, traceContextOf } from '../../../../shared/trace/trace-context.js';
import type { Span, Tracer } from '../../../../shared/trace/tracer.js';

/** The span of a batch, of which the spans of its lines are parts. */
export class BatchTrace {
  private lines = 0;
  private readonly given: TraceContext | undefined;
  private readonly span: Span | undefined;

  constructor(tracer: Tracer | undefined, headers: Readonly<Record<string, unknown>>) {
    this.given = traceContextOf(headers);
    this.span = tracer?.begin({ name: 'publish batch', kind: 'server', parent: this.given });
  }

  /** Where the next line belongs, unless it says so itself. */
  ofLine(): TraceContext | undefined {
    this.lines += 1;
    return this.span ?? this.given;
  }

  end(): void {
    this.span?.end({ 'messaging.batch.message_count': this.lines });
  }
}
