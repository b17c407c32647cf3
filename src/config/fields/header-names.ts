import { z } from 'zod';
import { splitList } from './fields.js';

/** What the usual libraries for tracing and for requests add to every request of a page, without being asked. */
export const TRACING_HEADERS: string[] = [
  'b3',
  'baggage',
  'elastic-apm-traceparent',
  'newrelic',
  'sentry-trace',
  'traceparent',
  'tracestate',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-datadog-origin',
  'x-datadog-parent-id',
  'x-datadog-sampled',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'x-datadog-trace-id',
  'x-request-id',
  'x-requested-with',
];

/** Names of header fields, separated by commas. */
export function headerNames() {
  return z.string().transform((text, context) => {
    const list = splitList(text).map((name) => name.toLowerCase());
    if (list.every((name) => /^[a-z0-9!#$%&'+.^_`|~-]{1,100}$/.test(name))) return list;
    context.addIssue('must be names of header fields separated by commas, such as traceparent,baggage (no *)');
    return z.NEVER;
  });
}
