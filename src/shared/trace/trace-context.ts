import { traceParentOf } from './traceparent.js';

/** A place in a distributed trace, as its headers have it (W3C Trace Context). */
export interface TraceContext {
  /** Checked: see `traceParentOf`. */
  readonly traceparent: string;
  /** What vendors have added, not checked. */
  readonly tracestate?: string | undefined;
}

/** Characters of `tracestate` that are taken: no one has to pass on more (W3C Trace Context, 3.3.1.5). */
const LONGEST_STATE = 512;

/** The flag of a trace that is recorded. */
const SAMPLED = 0x01;

/** What the headers of a request say; undefined where they say nothing, or nothing valid. */
export function traceContextOf(headers: Readonly<Record<string, unknown>>): TraceContext | undefined {
  const { traceparent, tracestate } = headers;
  const parent = traceParentOf(traceparent);
  if (!parent) return undefined;
  const isTaken = typeof tracestate === 'string' && tracestate.length <= LONGEST_STATE;
  return { traceparent: parent.text, ...(isTaken && { tracestate }) };
}

/** Whether the trace is recorded, as far as is known where it comes from. */
export function isSampled({ traceparent }: TraceContext): boolean {
  return (Number.parseInt(traceparent.slice(-2), 16) & SAMPLED) !== 0;
}
