/** Version 00 of the header (W3C Trace Context, 3.2.2). */
const CURRENT = /^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** A later version: what it begins with is as in version 00, and more may follow (3.2.4). */
const LATER = /^(?!00|ff)[\da-f]{2}-([\da-f]{32}-[\da-f]{16})-([\da-f]{2})(?:-|$)/;

/** No trace, or no span, has an id of zeros alone. */
const NO_ID = /-(?:0{32}|0{16})-/;

/** The flags that version 00 knows: sampled, and (in level 2) random. */
const KNOWN_FLAGS = 0x03;

/** Characters of the longest header that is read. */
const LONGEST = 512;

/** Where a request belongs in a distributed trace. */
export interface TraceParent {
  readonly traceId: string;
  /** The header as it is given on, always of version 00. */
  readonly text: string;
}

/**
 * Reads a `traceparent` header. One that is not valid counts as none, as the specification asks for.
 * @see https://www.w3.org/TR/trace-context-2/
 */
export function traceParentOf(header: unknown): TraceParent | undefined {
  if (typeof header !== 'string' || header.length > LONGEST) return undefined;
  const text = CURRENT.test(header) ? header : fromLater(header);
  if (text === undefined || NO_ID.test(text)) return undefined;
  return { traceId: text.slice(3, 35), text };
}

function fromLater(header: string): string | undefined {
  const [, ids, flags = ''] = LATER.exec(header) ?? [];
  if (ids === undefined) return undefined;
  // What a later version has added must not be given on.
  return `00-${ids}-${(Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, '0')}`;
}
