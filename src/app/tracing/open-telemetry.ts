import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import {
  type Context,
  createTraceState,
  type Link,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SamplerConfig, TracesConfig } from '../../config/trace-variables.js';
import { messageOf } from '../../shared/errors/message-of.js';
import { RecurringTrouble } from '../../shared/recurring-trouble.js';
import type { TraceContext } from '../../shared/trace/trace-context.js';
import type { Span, SpanAttributes, SpanCounts, SpanStart, Tracer } from '../../shared/trace/tracer.js';
import { VERSION } from '../../shared/version.js';
import { SpanQueue } from './span-queue.js';

/** Milliseconds that handing over the last spans may take. */
const PATIENCE = 2_000;

const KINDS = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, producer: SpanKind.PRODUCER } as const;

/**
 * Sends spans to a collector of OpenTelemetry's, as JSON over HTTP. The only file that knows OpenTelemetry besides
 * `SpanQueue`, and so loaded only where traces are switched on. Nothing of it is global: an application around the hub may
 * have an OpenTelemetry of its own.
 */
export class OpenTelemetryTracer implements Tracer {
  private readonly queue: SpanQueue;
  private readonly provider: TracerProvider;
  private readonly tracer: ReturnType<TracerProvider['getTracer']>;

  constructor({ url, headers, serviceName, sampler }: TracesConfig) {
    const trouble = new RecurringTrouble(new Logger('Traces'), 'Sending traces to their collector');
    // Its message alone: the error itself may have what the collector has answered.
    const onResult = (error: Error | undefined): void => {
      if (error) trouble.has(new Error(messageOf(error)));
      else trouble.isOver();
    };
    this.queue = new SpanQueue(new OTLPTraceExporter({ url, headers: { ...headers } }), onResult);
    const resource = resourceFromAttributes({ 'service.version': VERSION, 'service.instance.id': randomUUID() })
      .merge(detectResources({ detectors: [envDetector] }))
      .merge(resourceFromAttributes({ 'service.name': serviceName }));
    this.provider = new TracerProvider({ resource, sampler: samplerOf(sampler), spanProcessors: [this.queue] });
    this.tracer = this.provider.getTracer('herald', VERSION);
  }

  get counts(): SpanCounts {
    return this.queue.counts;
  }

  begin({ name, kind = 'internal', parent, link }: SpanStart): Span | undefined {
    const links: Link[] = link ? [{ context: contextOf(link) }] : [];
    const attributes = { 'messaging.system': 'herald', 'messaging.operation.name': name };
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], links, attributes }, within(parent));
    return span.isRecording() ? new RecordedSpan(span) : undefined;
  }

  drop(): void {
    this.queue.counts.dropped += 1;
  }

  async close(): Promise<void> {
    const handedOver = this.provider.shutdown().catch(() => undefined);
    await Promise.race([handedOver, delay(PATIENCE, undefined, { ref: false })]);
  }
}

class RecordedSpan implements Span {
  readonly context: SpanContext;

  constructor(private readonly span: OtelSpan) {
    this.context = span.spanContext();
  }

  get traceparent(): string {
    const { traceId, spanId, traceFlags } = this.context;
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  get tracestate(): string | undefined {
    return this.context.traceState?.serialize();
  }

  end(attributes: SpanAttributes = {}, hasFailed = false): void {
    this.span.setAttributes({ ...attributes });
    if (hasFailed) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }
}

function within(parent: TraceContext | undefined): Context {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, contextOf(parent)) : ROOT_CONTEXT;
}

function contextOf(context: TraceContext): SpanContext {
  if (context instanceof RecordedSpan) return context.context;
  const { traceparent, tracestate } = context;
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  };
}

function samplerOf({ ratio, isParentBased }: SamplerConfig): Sampler {
  const root = shareOf(ratio);
  return isParentBased ? new ParentBasedSampler({ root }) : root;
}

function shareOf(ratio: number): Sampler {
  if (ratio === 1) return new AlwaysOnSampler();
  return ratio === 0 ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
