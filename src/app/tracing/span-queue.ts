import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanCounts } from '../../shared/trace/tracer.js';

/** Spans that wait or are under way at most, each of about a kilobyte; further ones are dropped. */
const MOST = 2_048;

/** Milliseconds until spans are sent, unless a batch of them is full before. */
const DELAY = 1_000;

/** Hands spans to a collector in batches. It counts what becomes of each, and never holds more than a number of them. */
export class SpanQueue implements SpanProcessor {
  readonly counts: { -readonly [Name in keyof SpanCounts]: number } = { exported: 0, dropped: 0, failed: 0 };
  private waiting = 0;
  private readonly batches: BatchSpanProcessor;

  /** @param onResult called with what has gone wrong, or with nothing, for each batch. */
  constructor(
    private readonly exporter: SpanExporter,
    private readonly onResult: (error: Error | undefined) => void,
  ) {
    const counting: SpanExporter = {
      export: (spans, done) => this.exporter.export(spans, (result) => done(this.count(spans.length, result))),
      shutdown: () => this.exporter.shutdown(),
    };
    this.batches = new BatchSpanProcessor({ exporter: counting, scheduledDelayMillis: DELAY, maxQueueSize: MOST });
  }

  onStart(): void {
    // Nothing is known of a span before its end.
  }

  onEnd(span: ReadableSpan): void {
    if (this.waiting >= MOST) {
      this.counts.dropped += 1;
      return;
    }
    this.waiting += 1;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }

  private count(spans: number, result: ExportResult): ExportResult {
    const isTaken = result.code === ExportResultCode.SUCCESS;
    this.waiting -= spans;
    this.counts[isTaken ? 'exported' : 'failed'] += spans;
    this.onResult(isTaken ? undefined : (result.error ?? new Error('the collector did not say why')));
    return result;
  }
}
