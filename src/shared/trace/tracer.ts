import type { TraceContext } from './trace-context.js';

/**
 * What a span tells beside its name and its time, by OpenTelemetry's conventions for messaging. Never a topic, because topics
 * may be private.
 */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanStart {
  readonly name: 'publish' | 'publish batch' | 'journal append' | 'fan-out';
  /** How it stands to the spans around it. Default: `internal`. */
  readonly kind?: 'internal' | 'server' | 'producer';
  /** What it belongs to. Default: it begins a trace. */
  readonly parent?: TraceContext | undefined;
  /** What it has to do with as well. */
  readonly link?: TraceContext | undefined;
}

/** Something that takes time, while that goes on. */
export interface Span extends TraceContext {
  /** @param hasFailed default: no. */
  end(attributes?: SpanAttributes, hasFailed?: boolean): void;
}

/** What became of spans. */
export interface SpanCounts {
  readonly exported: number;
  /** There was no room for them. */
  readonly dropped: number;
  /** Whoever collects them did not take them. */
  readonly failed: number;
}

/** Tells a collector of traces what the hub does. Where there is none, nothing is traced. */
export interface Tracer {
  readonly counts: SpanCounts;
  /** Begins a span; undefined where its trace is not sampled. Never throws. */
  begin(start: SpanStart): Span | undefined;
  /** Counts a span that was not begun, because there was no room. */
  drop(): void;
  /** Hands over what has ended, as far as that is possible within a short time. Never rejects. */
  close(): Promise<void>;
}
