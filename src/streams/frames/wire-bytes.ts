import { insideChunk, toChunk } from './chunk.js';

/** How frames go over the wire: in the chunks of HTTP/1.1, which we make ourselves, or as they are. */
export type WireFormat = 'chunked' | 'plain';

/** Bytes in both formats; they share memory. */
export interface WireBytes {
  readonly plain: Buffer;
  readonly chunked: Buffer;
}

export function inBothFormats(frame: Buffer): WireBytes {
  const chunked = toChunk(frame);
  return { plain: insideChunk(chunked), chunked };
}
